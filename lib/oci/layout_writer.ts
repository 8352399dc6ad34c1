// OCI image layouts, written (layout.ts has what they look like).

import { createFile, removeFile, renameEntry } from "../../ffi/tree_change.ts";
import { finishFile, makeDirectories, putFile, writeDescriptor } from "../../ffi/tree_change.ts";
import { findEntry, listDirectory, openDirectory } from "../../ffi/tree.ts";
import type { BlobSink } from "./blobs.ts";
import { Digester } from "./digest.ts";
import { blobPath, INDEX_FILE, LAYOUT_FILE, LAYOUT_VERSION, NAME_KEY } from "./layout.ts";
import { OCI } from "./media_type.ts";
import { type Descriptor, encodeDocument, type Index, type Platform } from "./model.ts";

/** Blobs that are being written, beside the directory that they go to. */
const UNFINISHED = "unfinished-";

/** What a layout's index holds, known to us or not. */
export type LayoutIndex = Index & Readonly<Record<string, unknown>>;

/** Makes a layout in the directory ROOT_FD, which stays open: an empty one, that is no layout before
 * {@linkcode finish}, or one whose index is PRESENT, that others may read meanwhile. */
export class LayoutWriter implements BlobSink {
  readonly #rootFd: number;
  readonly #time: number;
  readonly #present: LayoutIndex | undefined;
  readonly #written: string[] = [];

  /** TIME, in seconds since 1970, is what all files bear. */
  constructor(rootFd: number, time: number, present?: LayoutIndex) {
    this.#rootFd = rootFd;
    this.#time = time;
    this.#present = present;
    makeDirectories(rootFd, "blobs/sha256", 0o755);
  }

  has(blob: Pick<Descriptor, "digest" | "size">): Promise<boolean> {
    return Promise.resolve(findEntry(this.#rootFd, blobPath(blob))?.size === blob.size);
  }

  async write(mediaType: string, chunks: AsyncIterable<Uint8Array>): Promise<Descriptor> {
    const temporary = `blobs/${UNFINISHED}${crypto.randomUUID()}`;
    using file = createFile(this.#rootFd, temporary, 0o600);
    try {
      const digester = new Digester();
      for await (const chunk of chunks) {
        writeDescriptor(file.fd, chunk, digester.size);
        await digester.add(chunk);
      }
      const { size } = digester;
      finishFile(file.fd, size, 0o644, { mtime: this.#time, mtimeNsec: 0 });
      const blob = { mediaType, digest: digester.end(), size };
      if (!await this.has(blob)) this.#written.push(blobPath(blob));
      renameEntry(this.#rootFd, temporary, this.#rootFd, blobPath(blob));
      return blob;
    } catch (error) {
      removeFile(this.#rootFd, temporary);
      throw error;
    }
  }

  /** The image IMAGE gets NAME, also if another had it. PLATFORM is undefined of an index. */
  finish(image: Descriptor, name: string, platform: Platform | undefined): void {
    const named = {
      ...image,
      ...platform && { platform },
      annotations: { ...image.annotations, [NAME_KEY]: name },
    };
    const { manifests, ...values } = this.#present ??
      { schemaVersion: 2, mediaType: OCI.index, manifests: [] };
    const others = manifests.filter(({ annotations }) => annotations?.[NAME_KEY] !== name);
    this.#put(INDEX_FILE, encodeDocument({ ...values, manifests: [...others, named] }));
    if (this.#present !== undefined) return;
    const version = JSON.stringify({ imageLayoutVersion: LAYOUT_VERSION });
    this.#put(LAYOUT_FILE, new TextEncoder().encode(version));
  }

  /** Removes what was written, if it did not come to {@linkcode finish}. */
  undo(): void {
    for (const path of this.#written) removeFile(this.#rootFd, path);
  }

  /** Removes what killed writers left. */
  removeUnfinished(): void {
    using blobs = openDirectory(this.#rootFd, "blobs");
    for (const { name } of listDirectory(blobs.fd)) {
      if (name.startsWith(UNFINISHED)) removeFile(blobs.fd, name);
    }
  }

  /** In the place of what is there. */
  #put(path: string, bytes: Uint8Array): void {
    const temporary = `blobs/${UNFINISHED}${crypto.randomUUID()}`;
    putFile(this.#rootFd, temporary, bytes, 0o644, { mtime: this.#time, mtimeNsec: 0 });
    try {
      renameEntry(this.#rootFd, temporary, this.#rootFd, path);
    } catch (error) {
      removeFile(this.#rootFd, temporary);
      throw error;
    }
  }
}
