// Making an image: it grows in a scratch directory and takes its name in one step when it is complete,
// so that nobody ever sees half an image, and the one it replaces is there until then.

import type { Descriptor } from "../../ffi/descriptor.ts";
import { openDirectory } from "../../ffi/tree.ts";
import { makeDirectory } from "../../ffi/tree_change.ts";
import { type ImageReference, mangleReference } from "../reference/reference.ts";
import { IMAGES } from "./layout.ts";
import { placeOf } from "./lock.ts";
import { replaceImage } from "./replace.ts";
import { Scratch, type ScratchPlace } from "./scratch.ts";

const ROOT = "root";

/** An image in the making. Dispose without commit removes everything. */
export class ImageTransaction implements Disposable {
  readonly #scratch: Scratch;
  readonly #root: Descriptor;

  constructor(
    readonly reference: ImageReference,
    place: ScratchPlace,
  ) {
    this.#scratch = new Scratch(place);
    makeDirectory(place.fd, `${this.#scratch.name}/${ROOT}`, 0o755);
    this.#root = openDirectory(place.fd, `${this.#scratch.name}/${ROOT}`);
  }

  /** Path of the image's root directory, empty at first. */
  get rootPath(): string {
    return `${this.#scratch.path}/${ROOT}`;
  }

  /** Descriptor of the image's root directory; the transaction closes it. */
  get rootFd(): number {
    return this.#root.fd;
  }

  /** An empty directory on the same file system, e.g. an overlay's upper; returns its path. */
  newDirectory(name: string): string {
    makeDirectory(this.#scratch.place.fd, `${this.#scratch.name}/${name}`, 0o755);
    return `${this.#scratch.path}/${name}`;
  }

  /** The image takes its name, or the place of the image that has it. Returns its path. */
  commit(): string {
    const { place: { path, fd, locks }, name: scratch } = this.#scratch;
    const name = mangleReference(this.reference.text);
    {
      using _swap = locks.lockBriefly(placeOf("image", name));
      replaceImage(fd, scratch, ROOT, name);
    }
    this[Symbol.dispose]();
    return `${path}/${IMAGES}/${name}`;
  }

  [Symbol.dispose](): void {
    this.#root[Symbol.dispose]();
    this.#scratch[Symbol.dispose]();
  }
}
