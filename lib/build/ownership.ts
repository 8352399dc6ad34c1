// Whose is what COPY and ADD write: taken down for ch/owners. On disk everything is the user's.

import { findEntry } from "../../ffi/tree.ts";
import type { Owner } from "../layer/entry.ts";
import { Owners } from "../store/owners.ts";
import type { CopyOrigin } from "./copy.ts";
import { resolveOwner } from "./owner.ts";

/** To be told of everything that is written. */
export class Ownership {
  readonly #rootFd: number;
  /** `--chown` */
  readonly #owner: Owner | undefined;
  readonly #known: Owners;
  readonly #ofOrigin: Owners | undefined;
  #isChanged = false;

  /** TEXT: of `--chown`. IMAGE_FD: root directory of the image copied from, if it is from one. Throws a
   * ChError if there is no such user. */
  constructor(rootFd: number, text: string | undefined, imageFd: number | undefined) {
    this.#rootFd = rootFd;
    this.#owner = text === undefined ? undefined : resolveOwner(text, rootFd);
    this.#known = Owners.read(rootFd);
    this.#ofOrigin = imageFd === undefined ? undefined : Owners.read(imageFd);
  }

  /** PATH was made or replaced, as a copy of ORIGIN if there is one. */
  note(path: string, origin: Pick<CopyOrigin, "path" | "stat"> | undefined): void {
    const owner = this.#owner ??
      (origin && this.#ofOrigin?.find(origin.path, measured(origin.stat)));
    if (owner === undefined && this.#known.count === 0) return;
    const entry = findEntry(this.#rootFd, path);
    if (entry === undefined) return;
    this.#known.set(path, measured(entry), owner);
    this.#isChanged = true;
  }

  /** Writes ch/owners, if it has to change. */
  save(now: Date): void {
    if (this.#isChanged) this.#known.write(this.#rootFd, now);
  }
}

function measured(stat: CopyOrigin["stat"]) {
  return { ...stat, size: stat.type === "file" ? stat.size : 0 };
}
