// What COPY can take from in one build: the context and the finished stages, each opened once.

import { ChError } from "../error.ts";
import { SourceTree } from "./source_tree.ts";

export class Sources implements Disposable {
  readonly #open = new Map<string, SourceTree>();
  readonly #context: string | undefined;

  /** CONTEXT is an absolute path; undefined if the build has none. */
  constructor(context: string | undefined) {
    this.#context = context;
  }

  openContext(): SourceTree {
    const context = this.#context;
    if (context === undefined) throw new ChError("no context because “-” given");
    return this.#openOnce("context", () => SourceTree.ofContext(context));
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
