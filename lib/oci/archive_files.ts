// The files in a tar archive, to be read in any order: a first pass notes where each lies.

import { displayOsString } from "../../ffi/os_string.ts";
import { OutputFile } from "../../ffi/output_file.ts";
import { ChError } from "../error.ts";
import { decompress, detectStreamCompression, openFileChunks } from "../layer/codec.ts";
import type { Entry } from "../layer/entry.ts";
import { collapsePath } from "../layer/link_target.ts";
import { normalizePath, splitPath } from "../layer/member_path.ts";
import { listTar, type PlacedMember } from "../layer/tar_reader.ts";
import { missingFile, type NamedFiles } from "./named_files.ts";

interface Place {
  readonly offset: number;
  readonly size: number;
}

/** Old archives of Docker's have links where layers are alike; more in a row make no sense. */
const MAX_LINKS = 8;
/** Of members: far more than any image has, and little memory. */
const MAX_MEMBERS = 100_000;

export class ArchiveFiles implements NamedFiles {
  readonly name: string;
  readonly #path: string;
  readonly #places: ReadonlyMap<string, Place>;
  readonly #links: ReadonlyMap<string, string>;

  private constructor(
    path: string,
    name: string,
    places: ReadonlyMap<string, Place>,
    links: ReadonlyMap<string, string>,
  ) {
    this.#path = path;
    this.name = name;
    this.#places = places;
    this.#links = links;
  }

  /**
   * Opens the archive PATH (an OsString). One that is compressed is decompressed to a file in the
   * directory TEMPORARY first, as nothing in it can be found otherwise. Throws a ChError.
   */
  static async open(path: string, temporary: string): Promise<ArchiveFiles> {
    const name = displayOsString(path);
    const isCompressed = await detectStreamCompression(openFileChunks(path)) !== "none";
    const plain = isCompressed ? await decompressTo(path, temporary) : path;
    const places = new Map<string, Place>(), links = new Map<string, string>();
    for await (const member of listTar(openFileChunks(plain), name)) {
      note(member, places, links);
      if (places.size + links.size > MAX_MEMBERS) {
        throw new ChError(`not an archive of image layers: ${name}: too many members`);
      }
    }
    return new ArchiveFiles(plain, name, places, links);
  }

  has(path: string): boolean {
    return this.#find(path) !== undefined;
  }

  /** In bytes; undefined if there is no such file. */
  findSize(path: string): number | undefined {
    return this.#find(path)?.size;
  }

  read(path: string): AsyncIterable<Uint8Array> {
    const place = this.#find(path);
    if (place === undefined) throw missingFile(this, path);
    return openFileChunks(this.#path, place);
  }

  #find(path: string): Place | undefined {
    let name = normalizePath(path);
    for (let links = 0; links < MAX_LINKS; links++) {
      const target = this.#links.get(name);
      if (target === undefined) return this.#places.get(name);
      name = target;
    }
    return undefined;
  }
}

/** A later member of a name replaces an earlier one. */
function note(
  { entry, offset }: PlacedMember,
  places: Map<string, Place>,
  links: Map<string, string>,
): void {
  const path = normalizePath(entry.path);
  places.delete(path);
  links.delete(path);
  if (entry.type === "file" && offset !== undefined) places.set(path, { offset, size: entry.size });
  const target = findTarget(entry, path);
  if (target !== undefined) links.set(path, target);
}

function findTarget(entry: Entry, path: string): string | undefined {
  if (entry.type === "hardlink") return collapsePath(entry.target);
  if (entry.type !== "symlink" || entry.target.startsWith("/")) return undefined;
  return collapsePath(`${splitPath(path)[0]}/${entry.target}`);
}

async function decompressTo(path: string, temporary: string): Promise<string> {
  const plain = `${temporary}/archive.tar`;
  using file = new OutputFile(plain);
  for await (const chunk of decompress(openFileChunks(path), displayOsString(path))) {
    await file.write(chunk);
  }
  await file.commit();
  return plain;
}
