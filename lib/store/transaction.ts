// Making an image: it grows in a scratch directory and takes its name in one step when it is complete,
// so that nobody ever sees half an image, and the one it replaces is there until then.

import type { Descriptor } from "../../ffi/descriptor.ts";
import { openDirectory } from "../../ffi/tree.ts";
import { makeDirectory, renameEntry } from "../../ffi/tree_change.ts";
import { type ImageReference, mangleReference } from "../reference/reference.ts";
import { IMAGES } from "./layout.ts";
import { placeOf } from "./lock.ts";
import { replaceImage } from "./replace.ts";
import { Scratch, type ScratchPlace } from "./scratch.ts";
import { keepIfUsed } from "./used_trees.ts";

const ROOT = "root";

/** An image in the making. Dispose without commit removes everything. */
export class ImageTransaction implements Disposable {
  readonly #scratch: Scratch;
  #root: Descriptor;
  #spoilt = 0;

  constructor(
    readonly reference: ImageReference,
    place: ScratchPlace,
  ) {
    this.#scratch = new Scratch(place);
    makeDirectory(place.fd, this.#rootName, 0o755);
    this.#root = openDirectory(place.fd, this.#rootName);
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

  /** The root directory, empty so far, becomes the directory TREE (relative to the storage), which moves. */
  adopt(tree: string): void {
    const { fd } = this.#scratch.place;
    renameEntry(fd, tree, fd, this.#rootName);
    this.#openRoot();
  }

  /** Begins anew with an empty root directory. */
  startOver(): void {
    const { place: { fd }, name } = this.#scratch;
    renameEntry(fd, this.#rootName, fd, `${name}/spoilt.${++this.#spoilt}`);
    makeDirectory(fd, this.#rootName, 0o755);
    this.#openRoot();
  }

  /**
   * The image takes its name, or the place of the image that has it. That goes, unless REPLACED takes it:
   * it is called with the path, relative to the storage; or unless a container runs in it. Returns the image's path.
   */
  commit(replaced?: (tree: string) => void): string {
    const { place: { path, fd, locks }, name: scratch } = this.#scratch;
    const name = mangleReference(this.reference.text);
    {
      using _swap = locks.lockBriefly(placeOf("image", name));
      const old = replaceImage(fd, scratch, ROOT, name);
      if (old !== undefined) {
        replaced?.(old);
        keepIfUsed(this.#scratch.place, old);
      }
    }
    this[Symbol.dispose]();
    return `${path}/${IMAGES}/${name}`;
  }

  /** Nothing comes of it, and TAKE gets its root directory: the path, relative to the storage. */
  giveUp(take: (tree: string) => void): void {
    take(this.#rootName);
    this[Symbol.dispose]();
  }

  get #rootName(): string {
    return `${this.#scratch.name}/${ROOT}`;
  }

  #openRoot(): void {
    this.#root[Symbol.dispose]();
    this.#root = openDirectory(this.#scratch.place.fd, this.#rootName);
  }

  [Symbol.dispose](): void {
    this.#root[Symbol.dispose]();
    this.#scratch[Symbol.dispose]();
  }
}
