// Layers applied to a directory, one after the other as they come: for pulling, where the next is still
// on its way. Two passes over layers at hand make one stream of them: layer_merge.ts.

import { findEntry, listDirectory, openDirectory } from "../../ffi/tree.ts";
import type { Source } from "../layer/entry.ts";
import { findDirectory } from "../layer/find_directory.ts";
import { splitPath } from "../layer/member_path.ts";
import { TreeWriter, type TreeWriterOptions } from "../layer/tree_writer.ts";
import { parseWhiteout } from "./whiteout.ts";

/** Writes below ROOT_FD, which stays open. Dispose without {@linkcode finish} leaves a tree whose
 * directories have no modes and times of their own yet. */
export class LayeredTree implements Disposable {
  readonly #rootFd: number;
  readonly #writer: TreeWriter;
  /** Canonical paths of the present layer's entries, and of the directories that these are in. */
  readonly #own = new Set<string>();

  constructor(rootFd: number, options: TreeWriterOptions = {}) {
    this.#rootFd = rootFd;
    this.#writer = new TreeWriter(rootFd, options);
  }

  /** Entries left out so far. */
  get skipped(): TreeWriter["skipped"] {
    return this.#writer.skipped;
  }

  /** The next layer, the lowest first. LAYER has been through applyImageRules(). Whiteouts concern the
   * layers below alone, wherever in the layer they stand. Throws a ChError. */
  async apply(layer: Source): Promise<void> {
    this.#own.clear();
    for await (const entry of layer) {
      const whiteout = parseWhiteout(entry.path);
      switch (whiteout?.kind) {
        case undefined:
          await this.#writer.write(entry);
          this.#remember(this.#writer.lastPath);
          break;
        case "entry":
          this.#removeEntry(whiteout.path);
          break;
        case "contents":
          this.#removeContents(whiteout.path);
          break;
        case "nothing":
          break;
        default:
          whiteout satisfies never;
      }
    }
  }

  /** To be called once, after the last layer. */
  async finish(): Promise<void> {
    await this.#writer.finish();
  }

  [Symbol.dispose](): void {
    this.#writer[Symbol.dispose]();
  }

  #remember(path: string): void {
    for (let own = path; own !== "" && !this.#own.has(own); [own] = splitPath(own)) {
      this.#own.add(own);
    }
  }

  #removeEntry(path: string): void {
    const [parent, name] = splitPath(path);
    const directory = findDirectory(this.#rootFd, parent);
    if (directory !== undefined) this.#removeOthers(join(directory, name));
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
    for (const { name } of listDirectory(directory.fd)) this.#removeOthers(join(path, name));
  }
}

function join(parent: string, name: string): string {
  return parent === "" ? name : `${parent}/${name}`;
}
