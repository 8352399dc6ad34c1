// Layers applied to a directory, one after the other as they come: for pulling, where the next is still
// on its way. Two passes over layers at hand make one stream of them: layer_merge.ts.

import { findEntry, listDirectory, openDirectory } from "../../ffi/tree.ts";
import type { Source } from "../layer/entry.ts";
import { findDirectory } from "../layer/find_directory.ts";
import { joinPath, splitPath } from "../layer/member_path.ts";
import { TreeWriter, type TreeWriterOptions } from "../layer/tree_writer.ts";
import { parseWhiteout, type Whiteout } from "./whiteout.ts";

/** Writes below ROOT_FD, which stays open. Dispose without {@linkcode finish} leaves a tree whose
 * directories have no modes and times of their own yet. */
export class LayeredTree implements Disposable {
  readonly #rootFd: number;
  readonly #writer: TreeWriter;
  /** Canonical paths of the present layer's entries. */
  readonly #written: string[] = [];
  /** Those, and the directories that they are in, as far as anybody has asked. */
  readonly #own = new Set<string>();

  constructor(rootFd: number, options: TreeWriterOptions = {}) {
    this.#rootFd = rootFd;
    this.#writer = new TreeWriter(rootFd, {
      ...options,
      onWritten: (path) => void this.#written.push(path),
    });
  }

  /** Entries left out so far. */
  get skipped(): TreeWriter["skipped"] {
    return this.#writer.skipped;
  }

  /** The next layer, the lowest first. LAYER has been through applyImageRules(). Whiteouts concern the
   * layers below alone, wherever in the layer they stand. Throws a ChError. */
  async apply(layer: Source): Promise<void> {
    this.#own.clear();
    this.#written.length = 0;
    for await (const entry of layer) {
      const whiteout = parseWhiteout(entry.path);
      if (whiteout === undefined) {
        await this.#writer.write(entry);
      } else {
        await this.#writer.flush();
        this.#rememberWritten();
        this.#remove(whiteout);
      }
    }
    await this.#writer.flush();
  }

  /** To be called once, after the last layer. */
  async finish(): Promise<void> {
    await this.#writer.finish();
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]();
  }

  #rememberWritten(): void {
    for (const path of this.#written) {
      for (let own = path; own !== "" && !this.#own.has(own); [own] = splitPath(own)) {
        this.#own.add(own);
      }
    }
    this.#written.length = 0;
  }

  #remove(whiteout: Whiteout): void {
    switch (whiteout.kind) {
      case "entry":
        return this.#removeEntry(whiteout.path);
      case "contents":
        return this.#removeContents(whiteout.path);
      case "nothing":
        return;
      default:
        whiteout satisfies never;
    }
  }

  #removeEntry(path: string): void {
    const [parent, name] = splitPath(path);
    const directory = findDirectory(this.#rootFd, parent);
    if (directory !== undefined) this.#removeOthers(joinPath(directory, name));
  }

  #removeContents(path: string): void {
    const directory = findDirectory(this.#rootFd, path);
    if (directory !== undefined) this.#removeOthersIn(directory);
  }

  /** What is at PATH, except what the present layer has put there. */
  #removeOthers(path: string): void {
    const type = findEntry(this.#rootFd, path)?.type;
    if (type === undefined) return;
    if (!this.#own.has(path)) this.#writer.remove(path);
    else if (type === "directory") this.#removeOthersIn(path);
  }

  #removeOthersIn(path: string): void {
    using directory = openDirectory(this.#rootFd, path);
    for (const { name } of listDirectory(directory.fd)) this.#removeOthers(joinPath(path, name));
  }
}
