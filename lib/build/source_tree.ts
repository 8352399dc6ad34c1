// Where COPY's sources are: the context, or an earlier stage. Nothing outside of it is ever taken, be
// it named by `..` or reached through a link.

import type { Descriptor } from "../../ffi/descriptor.ts";
import { displayOsString } from "../../ffi/os_string.ts";
import { SystemError } from "../../ffi/system_error.ts";
import {
  findEntry,
  listDirectory,
  openDirectory,
  openRoot,
  readEntry,
  resolveInRoot,
  type Stat,
} from "../../ffi/tree.ts";
import { ChError } from "../error.ts";
import { expandGlob, type GlobTree } from "./glob.ts";

/** One thing to copy. */
export interface CopySource {
  /** As the pattern gave it, without trailing slashes. */
  readonly given: string;
  /** Canonical, for the tree's descriptor; links followed. */
  readonly path: string;
  readonly stat: Stat;
}

export class SourceTree implements Disposable {
  readonly #root: Descriptor;
  /** Canonical path of the sources' root below the descriptor's directory; no slash at either end. */
  readonly #prefix: string;
  readonly #isContext: boolean;

  private constructor(root: Descriptor, prefix: string, isContext: boolean) {
    this.#root = root;
    this.#prefix = prefix;
    this.#isContext = isContext;
  }

  /** Directory PATH of the host, absolute. Links in it lead where they do on the host. */
  static ofContext(path: string): SourceTree {
    const root = openRoot("/");
    try {
      return new SourceTree(root, resolveInRoot(root.fd, path).path, true);
    } catch (error) {
      root[Symbol.dispose]();
      throw error;
    }
  }

  /** An image. Links in it lead where they do in a container. */
  static ofImage(path: string): SourceTree {
    return new SourceTree(openRoot(path), "", false);
  }

  /** Paths of sources are relative to its directory. */
  get fd(): number {
    return this.#root.fd;
  }

  /** What PATTERNS name, each in order. Throws a ChError at the first that names nothing. */
  expand(patterns: readonly string[]): CopySource[] {
    const found = patterns.map((pattern) => {
      const paths = expandGlob(pattern, this.#globTree);
      if (paths.length === 0) throw new ChError(`source not found: ${pattern}`);
      return paths;
    });
    return found.flat().map((path) => this.#findSource(path));
  }

  [Symbol.dispose](): void {
    this.#root[Symbol.dispose]();
  }

  #findSource(path: string): CopySource {
    const given = path.replace(/\/+$/, "");
    const canonical = this.#resolve(given);
    if (canonical === undefined) {
      throw new ChError(`can’t stat: ${displayOsString(given)}: No such file or directory`);
    }
    if (!this.#isInside(given, canonical)) {
      throw new ChError(`can’t copy from outside context: ${displayOsString(given)}`);
    }
    return { given, path: canonical, stat: readEntry(this.fd, canonical) };
  }

  readonly #globTree: GlobTree = {
    listNames: (path) => {
      const canonical = this.#resolve(path);
      if (canonical === undefined) return undefined;
      if (findEntry(this.fd, canonical)?.type !== "directory") return undefined;
      using directory = openDirectory(this.fd, canonical);
      return listDirectory(directory.fd).map(({ name }) => name);
    },
    exists: (path) => this.#resolve(path, "keep") !== undefined,
  };

  /** Canonical path of PATH, which is relative to the sources' root; undefined if it does not exist. */
  #resolve(path: string, last: "follow" | "keep" = "follow"): string | undefined {
    try {
      return resolveInRoot(this.fd, `${this.#prefix}/${path}`, { last }).path;
    } catch (error) {
      const isAbsent = error instanceof SystemError &&
        (error.code === "ENOENT" || error.code === "ENOTDIR");
      if (isAbsent) return undefined;
      throw error;
    }
  }

  #isInside(given: string, canonical: string): boolean {
    // In an image nothing leads outside but “..”, which would stop at the root and name something else.
    if (!this.#isContext) return !climbsOut(given);
    return this.#prefix === "" || canonical === this.#prefix ||
      canonical.startsWith(`${this.#prefix}/`);
  }
}

/** Does PATH, its links aside, go above where it starts? */
export function climbsOut(path: string): boolean {
  let depth = 0;
  for (const component of path.split("/")) {
    if (component === "" || component === ".") continue;
    depth += component === ".." ? -1 : 1;
    if (depth < 0) return true;
  }
  return false;
}
