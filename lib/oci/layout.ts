// OCI image layouts (OCI image specification, image-layout.md), read:
//
//     oci-layout              that it is one, and which version
//     index.json              the images in it, by name
//     blobs/sha256/DIGITS     everything else, by its digest

import { ChError } from "../error.ts";
import { type BlobSource, verifyBlob } from "./blobs.ts";
import { parseJson } from "./json_value.ts";
import { OCI } from "./media_type.ts";
import { type Descriptor, type Index, parseDocument, type Platform } from "./model.ts";
import { type NamedFiles, readSmallFile } from "./named_files.ts";
import { choosePlatform } from "./platform.ts";

export const LAYOUT_FILE = "oci-layout";
export const LAYOUT_VERSION = "1.0.0";
export const INDEX_FILE = "index.json";
/** The annotation with an image's name. */
export const NAME_KEY = "org.opencontainers.image.ref.name";

export class Layout implements BlobSource {
  readonly #files: NamedFiles;
  readonly index: Index;

  private constructor(files: NamedFiles, index: Index) {
    this.#files = files;
    this.index = index;
  }

  /** Throws a ChError if FILES are no layout. */
  static async open(files: NamedFiles): Promise<Layout> {
    if (!files.has(LAYOUT_FILE)) {
      throw new ChError(`not an OCI layout: ${files.name}: no file ${LAYOUT_FILE}`);
    }
    const subject = `bad OCI layout: ${files.name}`;
    const version = parseJson(await readSmallFile(files, LAYOUT_FILE), subject)
      .member("imageLayoutVersion");
    if (!/^1\./.test(version.text())) throw version.wrong(`${version.text()} is not supported`);
    const bytes = await readSmallFile(files, INDEX_FILE);
    const document = parseDocument(bytes, `${files.name}: ${INDEX_FILE}`, OCI.index);
    if (document.kind === "index") return new Layout(files, document.index);
    throw new ChError(`${subject}: ${INDEX_FILE} is no index`);
  }

  /** The image called NAME; if that is undefined, the only one, or the only one for PLATFORM. Throws a
   * ChError that lists the names there are. */
  findImage(name: string | undefined, platform: Platform): Descriptor {
    const { manifests } = this.index;
    const found = manifests.filter((each) => name === undefined || nameOf(each) === name);
    if (found.length === 1) return found[0]!;
    const suiting = found.filter((each) => each.platform?.architecture === platform.architecture);
    if (suiting.length === 1) return choosePlatform(this.index, platform, this.#files.name);
    const names = [...new Set(manifests.flatMap((each) => nameOf(each) ?? []))];
    const there = names.length === 0 ? "without names" : names.join(", ");
    if (found.length === 0) {
      throw new ChError(`no such image: ${this.#files.name}:${name ?? ""}: there is ${there}`);
    }
    throw new ChError(`more than one image: ${this.#files.name}: ${there}`, {
      hint: "put the name of the one that is meant behind the path, after a colon",
    });
  }

  read(blob: Descriptor): AsyncIterable<Uint8Array> {
    return verifyBlob(
      this.#files.read(blobPath(blob)),
      blob,
      `${this.#files.name}: ${blob.digest}`,
    );
  }
}

/** Where a blob lies; its digest was checked to be one. */
export function blobPath({ digest }: Pick<Descriptor, "digest">): string {
  return `blobs/${digest.replace(":", "/")}`;
}

/** What an entry of the index is called. */
export function nameOf({ annotations }: Descriptor): string | undefined {
  return annotations?.[NAME_KEY];
}
