// What COPY can take from in one build: the context and the finished stages, each opened once.

import { ChError } from "../error.ts";
import type { PathFilter } from "./path_filter.ts";
import { SourceTree } from "./source_tree.ts";

export class Sources implements Disposable {
  readonly #open = new Map<string, SourceTree>();
  readonly #context: string | undefined;
  readonly #ignore: PathFilter | undefined;

  /** CONTEXT is an absolute path; undefined if the build has none. IGNORE leaves things out of it. */
  constructor(context: string | undefined, ignore?: PathFilter) {
    this.#context = context;
    this.#ignore = ignore;
  }

  /** Absolute path of the context. Throws a ChError if the build has none. */
  readContext(): string {
    if (this.#context === undefined) throw new ChError("no context because “-” given");
    return this.#context;
  }

  openContext(): SourceTree {
    const context = this.readContext();
    return this.#openOnce("context", () => SourceTree.ofContext(context, this.#ignore));
  }

  openImage(path: string): SourceTree {
    return this.#openOnce(`image ${path}`, () => SourceTree.ofImage(path));
  }

  [Symbol.dispose](): void {
    for (const tree of this.#open.values()) tree[Symbol.dispose]();
    this.#open.clear();
  }

  #openOnce(key: string, open: () => SourceTree): SourceTree {
    let tree = this.#open.get(key);
    if (tree === undefined) this.#open.set(key, tree = open());
    return tree;
  }
}
