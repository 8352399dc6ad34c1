// What a build asks of the build cache. A state is the complete content of an image after one instruction,
// metadata included; it never changes (spec build-cache §1). lib/cache/cache.ts implements this.

import type { Metadata } from "../store/metadata.ts";
import type { ImageReference } from "../reference/reference.ts";
import type { ImageTransaction } from "../store/transaction.ts";

/** `enabled`: results are used and stored; `rebuild`: stored only, but for FROM; `disabled`: neither. */
export const CACHE_MODES = ["enabled", "rebuild", "disabled"] as const;

export type CacheMode = typeof CACHE_MODES[number];

/** One stored result of an instruction. */
export interface State {
  /** Tells this result from all others, also from others of the same instruction; "" for the root. */
  readonly name: string;
  /** How it was made: 32 upper-case hexadecimal digits (spec build-cache §3). */
  readonly sid: string;
  /** What a tree of states shows, e.g. "RUN.S echo foo". */
  readonly label: string;
  /** Variables, working directory, shell, history and so on, as ch/metadata.json has them. */
  readonly metadata: Metadata;
}

/** What an instruction's result depends on beside the state before it. */
export interface StateKey {
  /** The instruction as announced, without its line number: `RUN.S echo foo`. */
  readonly text: string;
  /**
   * Whatever else decides: a line for each file that COPY takes (path relative to the source's root, type
   * and mode, size, mtime: see `describeSources` in lib/cache/source_key.ts), a value that the text
   * does not show. In a fixed order.
   */
  readonly inputs?: readonly string[];
}

/** How the files of the new state differ from those of the one before. */
export type Change =
  /** By what is in an overlay's upper directory; to be committed before it is merged into the tree. */
  | { readonly kind: "overlay"; readonly upperFd: number }
  /** At most at and below PATHS of the tree ROOT_FD; [] if no file differs, [""] if all may. */
  | {
    readonly kind: "paths";
    readonly rootFd: number;
    readonly paths: readonly string[];
    /** Whether files of the tree may be written to in place, see {@linkcode StateStore.checkOut}. */
    readonly files: "shared" | "copied";
    /** In a copied tree: time of status of a file made before the instruction was executed. What is older
     * is not read again. */
    readonly since?: { readonly sec: number; readonly nsec: number };
  };

/** A new state to be stored. */
export interface NewState {
  readonly parent: State;
  readonly key: StateKey;
  /** `key.text` unless given. */
  readonly label?: string;
  /** Metadata of the new state: what ch/metadata.json says in the tree or upper directory. */
  readonly metadata: Metadata;
  readonly change: Change;
}

/** An image's tree that is not the result of an instruction. */
export interface NewImage {
  /** E.g. "IMPORT debian". */
  readonly label: string;
  /** What tells it from others; "content": its label and what is in the tree. */
  readonly key: StateKey | "content";
}

/** The build cache as a build sees it. All of this may be called by several stages in turn or at once. */
export interface StateStore {
  readonly mode: CacheMode;
  /** The empty state that FROM scratch and pulled and imported images begin with. */
  readonly root: State;

  /** What FROM means by a name: the state that the name points at. Undefined also if disabled. */
  findNamed(reference: ImageReference): State | undefined;

  /** Whether the directory of an image holds a state, and nothing else. */
  isPlaced(reference: ImageReference): boolean;

  /** An image that is in storage but not in the cache becomes a state: as if it had been imported, unless
   * it is known to be of another ORIGIN. */
  adopt(reference: ImageReference, origin?: NewImage): Promise<State>;

  /**
   * The stored result of an instruction after PARENT; undefined is a miss, which it always is in rebuild
   * mode. Of several results one of OWNER's own history is preferred, else the newest (spec §4.1).
   */
  lookUp(parent: State, key: StateKey, owner: ImageReference): State | undefined;

  /** Why {@linkcode lookUp} found nothing, for people: "COPY: src/main.c changed" (`--explain`). */
  explainMiss(parent: State, key: StateKey, owner: ImageReference): string;

  /** Stores a result. It is there for look-ups once this returns. Throws a ChError; then nothing is. */
  commit(state: NewState): Promise<State>;

  /** Fills the empty directory of IMAGE with the files of STATE. Shared: files are hard links that must not
   * be written to in place; otherwise they are copies. */
  checkOut(state: State, image: ImageTransaction, files: "shared" | "copied"): Promise<void>;

  /** IMAGE, of shared files, comes to nothing; what it holds is exactly STATE, so others may begin with it. */
  giveBack(image: ImageTransaction, state: State): void;

  /** `NAME#` (spec §1): protects the newest state of a build that is not finished. */
  setUnready(reference: ImageReference, state: State): void;

  /**
   * The end of a stage: the name points at STATE, and the directory img/NAME holds its files. IMAGE is the
   * tree that grew, if one did; without it the directory is left alone if it is at STATE already,
   * else switched there.
   */
  finish(
    reference: ImageReference,
    state: State,
    image: ImageTransaction | undefined,
  ): Promise<void>;
}
