// OCI image layouts, written (layout.ts has what they look like).

import { createFile, removeFile, renameEntry } from "../../ffi/tree_change.ts";
import { finishFile, makeDirectories, putFile, writeDescriptor } from "../../ffi/tree_change.ts";
import { findEntry } from "../../ffi/tree.ts";
import type { BlobSink } from "./blobs.ts";
import { Digester } from "./digest.ts";
import { blobPath, INDEX_FILE, LAYOUT_FILE, LAYOUT_VERSION, NAME_KEY } from "./layout.ts";
import { OCI } from "./media_type.ts";
import { type Descriptor, encodeDocument, type Platform } from "./model.ts";

/** Makes a layout in the empty directory ROOT_FD, which stays open. It is none before {@linkcode finish}. */
export class LayoutWriter implements BlobSink {
  readonly #rootFd: number;
  readonly #time: number;
  #unfinished = 0;

  /** TIME, in seconds since 1970, is what all files bear. */
  constructor(rootFd: number, time: number) {
    this.#rootFd = rootFd;
    this.#time = time;
    makeDirectories(rootFd, "blobs/sha256", 0o755);
  }

  has(blob: Pick<Descriptor, "digest" | "size">): Promise<boolean> {
    return Promise.resolve(findEntry(this.#rootFd, blobPath(blob))?.size === blob.size);
  }

  async write(mediaType: string, chunks: AsyncIterable<Uint8Array>): Promise<Descriptor> {
    const temporary = `blobs/unfinished-${this.#unfinished++}`;
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
      renameEntry(this.#rootFd, temporary, this.#rootFd, blobPath(blob));
      return blob;
    } catch (error) {
      removeFile(this.#rootFd, temporary);
      throw error;
    }
  }

  /** The image IMAGE gets NAME. */
  finish(image: Descriptor, name: string, platform: Platform): void {
    const named = { ...image, platform, annotations: { ...image.annotations, [NAME_KEY]: name } };
    const index = { schemaVersion: 2, mediaType: OCI.index, manifests: [named] } as const;
    this.#put(INDEX_FILE, encodeDocument(index));
    const version = JSON.stringify({ imageLayoutVersion: LAYOUT_VERSION });
    this.#put(LAYOUT_FILE, new TextEncoder().encode(version));
  }

  #put(path: string, bytes: Uint8Array): void {
    putFile(this.#rootFd, path, bytes, 0o644, { mtime: this.#time, mtimeNsec: 0 });
  }
}
