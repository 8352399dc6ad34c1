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
import type { PathFilter } from "./path_filter.ts";

/** One thing to copy. */
export interface CopySource {
  /** As the pattern gave it, without trailing slashes. */
  readonly given: string;
  /** Canonical, for the tree's descriptor; links followed. */
  readonly path: string;
  readonly stat: Stat;
  /** Path from the sources' root, links followed: what filters go by. */
  readonly relative: string;
}

export interface ExpandOptions {
  /** Directories come along: `**` is any number of them. */
  readonly parents?: boolean;
  readonly exclude?: PathFilter | undefined;
}

export class SourceTree implements Disposable {
  readonly #root: Descriptor;
  /** Canonical path of the sources' root below the descriptor's directory; no slash at either end. */
  readonly #prefix: string;
  readonly #isContext: boolean;
  /** `.dockerignore`: what it leaves out is not there. */
  readonly ignore: PathFilter | undefined;

  /** Where the descriptor's directory is. */
  readonly #path: string;

  private constructor(
    root: Descriptor,
    path: string,
    prefix: string,
    isContext: boolean,
    ignore?: PathFilter,
  ) {
    this.#root = root;
    this.#path = path;
    this.#prefix = prefix;
    this.#isContext = isContext;
    this.ignore = ignore;
  }

  /** Directory PATH of the host, absolute. Links in it lead where they do on the host. */
  static ofContext(path: string, ignore?: PathFilter): SourceTree {
    const root = openRoot("/");
    try {
      return new SourceTree(root, "/", resolveInRoot(root.fd, path).path, true, ignore);
    } catch (error) {
      root[Symbol.dispose]();
      throw error;
    }
  }

  /** An image. Links in it lead where they do in a container. */
  static ofImage(path: string): SourceTree {
    return new SourceTree(openRoot(path), path, "", false);
  }

  /** Whether it is an image, not the context. */
  get isImage(): boolean {
    return !this.#isContext;
  }

  /** Paths of sources are relative to its directory. */
  get fd(): number {
    return this.#root.fd;
  }

  /** What PATTERNS name, each in order. Throws a ChError at the first that names nothing. */
  expand(patterns: readonly string[], options: ExpandOptions = {}): CopySource[] {
    return patterns.flatMap((pattern) => {
      const sources = expandGlob(pattern, this.#globTree, { recursive: options.parents === true })
        .map((path) => this.#findSource(path))
        .filter((source) => !this.#isLeftOut(source, options));
      if (sources.length === 0) throw new ChError(`source not found: ${pattern}`);
      return sources;
    });
  }

  /** Path on the host, without links, of PATH in the tree. Throws a ChError if it is not there, or outside. */
  hostPath(path: string): string {
    const { path: canonical } = this.#findSource(path.replace(/^\/+/, ""));
    return canonical === "" ? this.#path : `${this.#path.replace(/\/$/, "")}/${canonical}`;
  }

  /** A directory is looked through by whoever copies it, if something in it may be let in. */
  #isLeftOut({ relative, stat }: CopySource, { exclude }: ExpandOptions): boolean {
    return [this.ignore, exclude].some((filter) =>
      filter !== undefined && filter.excludes(relative) &&
      !(filter.hasExceptions && stat.type === "directory")
    );
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
    const relative = this.#prefix === "" || !this.#isContext
      ? canonical
      : canonical.slice(this.#prefix.length + 1);
    return { given, path: canonical, stat: readEntry(this.fd, canonical), relative };
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
