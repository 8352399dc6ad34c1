// The build cache of one storage directory: states, and the images that name them (spec build-cache).
// Several processes may use it at once: what is there never changes, what is new gets its name when it
// is whole, and only removing keeps others from adding for a moment.

import { checkOutTree, commitTree, type TreeCommitted } from "../../ffi/cache.ts";
import type { Descriptor } from "../../ffi/descriptor.ts";
import { displayOsString } from "../../ffi/os_string.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { openDirectory, openRoot } from "../../ffi/tree.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { type ImageReference, mangleReference } from "../reference/reference.ts";
import { CACHE, LARGE_FILES } from "../store/layout.ts";
import { CACHE_PLACE, placeOf } from "../store/lock.ts";
import { defaultMetadata } from "../store/metadata.ts";
import { readMetadata } from "../store/metadata_files.ts";
import { Scratch } from "../store/scratch.ts";
import type { Store } from "../store/store.ts";
import type { ImageTransaction } from "../store/transaction.ts";
import { DamagedStateError } from "./damaged_state.ts";
import { explainMiss } from "./explain.ts";
import { listHistory } from "./history.ts";
import { findPlacedState, prepareToPlace } from "./image_directory.ts";
import { DELETED, NAMES, UNREADY } from "./layout.ts";
import { findRecord, prepareRecord, removeRecord, setRecord } from "./names.ts";
import { reportNotices } from "./notices.ts";
import { keepSpareTree, takeSpareTree } from "./spare_trees.ts";
import { findState, findStates, hasState, publishState, removeState } from "./state_files.ts";
import type { StoredState } from "./state_files.ts";
import { deriveSid, ROOT_SID, toHex } from "./state_id.ts";
import type {
  CacheMode,
  Change,
  NewImage,
  NewState,
  State,
  StateKey,
  StateStore,
} from "./state_store.ts";

export interface CacheOptions {
  readonly mode: CacheMode;
  /** Extended attributes are saved with states, and restored. */
  readonly xattrs: boolean;
  /** Bytes from which on a file is listed as a large one; undefined: none is. */
  readonly largeFile?: number | undefined;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
}

/** More lines than that are not kept for explanations: only their digest counts then. */
const KEPT_INPUTS = 20_000;

export class Cache implements StateStore, Disposable {
  readonly root: State;
  readonly #directory: Descriptor;

  /** Made by {@linkcode openCache}. */
  constructor(readonly store: Store, readonly options: CacheOptions) {
    this.#directory = openDirectory(store.fd, CACHE);
    this.root = { name: "", sid: ROOT_SID, label: "ROOT", metadata: defaultMetadata() };
  }

  get mode(): CacheMode {
    return this.options.mode;
  }

  /** For ffi/cache.ts. */
  get fd(): number {
    return this.#directory.fd;
  }

  findNamed(reference: ImageReference): StoredState | undefined {
    if (this.mode === "disabled") return undefined;
    const record = findRecord(this.store, NAMES, mangleReference(reference.text));
    const state = record && this.#findIntact(record.state);
    if (state !== undefined && this.store.hasImage(reference) && !this.isPlaced(reference)) {
      this.options.log.warning("base image also exists non-cached; using cache");
    }
    return state;
  }

  isPlaced(reference: ImageReference): boolean {
    return findPlacedState(this.store, mangleReference(reference.text)) !== undefined;
  }

  lookUp(parent: State, key: StateKey, owner: ImageReference): StoredState | undefined {
    if (this.mode !== "enabled") return undefined;
    const candidates = findStates(this.store, deriveSid(parent.sid, key));
    if (candidates.length > 1) {
      const own = new Set(listHistory(this.store, mangleReference(owner.text)));
      candidates.sort((one, other) => Number(own.has(other)) - Number(own.has(one)));
    }
    for (const name of candidates) {
      const state = this.#findIntact(name);
      if (state !== undefined) return state;
    }
    return undefined;
  }

  explainMiss(parent: State, key: StateKey, owner: ImageReference): string {
    if (this.mode !== "enabled") return `build cache mode: ${this.mode}`;
    return explainMiss(this.store, parent, key, mangleReference(owner.text));
  }

  async commit({ parent, key, label = key.text, metadata, change }: NewState): Promise<State> {
    const inputs = key.inputs ?? [];
    return await this.#store(parent, change, (committed) => ({
      sid: deriveSid(parent.sid, key),
      label,
      ...parent.name === "" ? {} : { parent: parent.name },
      time: Math.floor(Date.now() / 1000),
      metadata,
      ...inputs.length > 0 && inputs.length <= KEPT_INPUTS ? { inputs } : {},
      tree: toHex(committed.digest),
    }));
  }

  /** Stores the whole tree ROOT_FD, metadata included, as a child of the root. */
  async commitImage(rootFd: number, path: string, { label, key }: NewImage): Promise<State> {
    const metadata = readMetadata(rootFd, path, this.options.log);
    const change: Change = { kind: "paths", rootFd, paths: [""], files: "shared" };
    return await this.#store(this.root, change, (committed) => ({
      sid: deriveSid(
        ROOT_SID,
        key === "content" ? { text: label, inputs: [toHex(committed.identity)] } : key,
      ),
      label,
      time: Math.floor(Date.now() / 1000),
      metadata,
      tree: toHex(committed.digest),
    }));
  }

  async adopt(reference: ImageReference, origin?: NewImage): Promise<State> {
    const name = mangleReference(reference.text);
    const { locks } = this.store;
    using _reading = await locks.lock(placeOf("image", name), this.options);
    const path = this.store.imagePath(reference);
    using root = openRoot(path);
    const state = await this.commitImage(
      root.fd,
      path,
      origin ?? { label: `IMPORT ${reference.text}`, key: "content" },
    );
    using scratch = new Scratch(this.store);
    setRecord(this.store, scratch, NAMES, name, { state: state.name });
    const { xattrs } = this.options;
    prepareToPlace(this.store, scratch, name, { state: state.name, xattrs })();
    return state;
  }

  async checkOut(
    state: State,
    image: ImageTransaction,
    files: "shared" | "copied",
  ): Promise<void> {
    const { xattrs } = this.options;
    const request = () => ({
      cacheFd: this.fd,
      state: state.name,
      toFd: image.rootFd,
      xattrs,
      isPrivate: files === "copied",
    });
    const from = files === "copied"
      ? undefined
      : takeSpareTree(this.store, { state: state.name, xattrs }, (tree) => image.adopt(tree));
    if (from !== undefined) {
      try {
        return await checkOutTree({ ...request(), from });
      } catch (error) {
        this.options.log.verbose(`can’t use spare tree: ${error}`);
        image.startOver();
      }
    }
    try {
      await checkOutTree(request());
    } catch (error) {
      throw this.#describe(error, state, "can’t copy image from cache");
    }
  }

  giveBack(image: ImageTransaction, state: State): void {
    const content = { state: state.name, xattrs: this.options.xattrs };
    if (state.name !== "") image.giveUp((tree) => keepSpareTree(this.store, tree, content));
  }

  setUnready(reference: ImageReference, state: State): void {
    if (state.name === "") return;
    using scratch = new Scratch(this.store);
    const name = mangleReference(reference.text);
    setRecord(this.store, scratch, UNREADY, name, { state: state.name });
    if (hasState(this.store, state.name)) return;
    throw new DamagedStateError(`build cache: state was removed meanwhile: ${state.label}`);
  }

  /** The name points at STATE from now on; its directory stays what it is. */
  setName(reference: ImageReference, state: State): void {
    using scratch = new Scratch(this.store);
    const name = mangleReference(reference.text);
    setRecord(this.store, scratch, NAMES, name, { state: state.name });
    removeRecord(this.store, UNREADY, name);
    removeRecord(this.store, DELETED, name);
  }

  async finish(
    reference: ImageReference,
    state: State,
    image: ImageTransaction | undefined,
  ): Promise<void> {
    const name = mangleReference(reference.text);
    if (image === undefined && this.#isFinished(name, state)) {
      removeRecord(this.store, UNREADY, name);
      return;
    }
    const { finishImage } = await import("./finish.ts");
    using scratch = new Scratch(this.store);
    // What may find the disk full comes first: then everything is as it was.
    const setName = prepareRecord(this.store, scratch, NAMES, name, { state: state.name });
    await finishImage(this, reference, state, image);
    setName();
    removeRecord(this.store, UNREADY, name);
    removeRecord(this.store, DELETED, name);
  }

  /** Whether name and directory are at STATE. */
  #isFinished(name: string, state: State): boolean {
    return findRecord(this.store, NAMES, name)?.state === state.name &&
      findPlacedState(this.store, name) === state.name;
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }

  async #store(
    parent: State,
    change: Change,
    describe: (committed: TreeCommitted) => Parameters<typeof publishState>[3],
  ): Promise<StoredState> {
    using scratch = new Scratch(this.store);
    using work = openRoot(scratch.path);
    // Nothing is removed from the cache between looking at an object and the state that needs it.
    using _adding = await this.store.locks.lock(CACHE_PLACE, {
      shared: true,
      signal: this.options.signal,
      onWait: () => this.options.log.info("waiting for build cache garbage collection ..."),
    });
    using large = openDirectory(this.store.fd, LARGE_FILES);
    const { largeFile, xattrs } = this.options;
    try {
      const committed = await commitTree({
        cacheFd: this.fd,
        workFd: work.fd,
        parent: parent.name === "" ? undefined : parent.name,
        fd: change.kind === "overlay" ? change.upperFd : change.rootFd,
        changed: change.kind === "overlay" ? "overlay" : change.paths,
        xattrs,
        large: largeFile === undefined ? undefined : { size: largeFile, fd: large.fd },
        isPrivate: change.kind === "paths" && change.files === "copied",
        since: change.kind === "paths" ? change.since : undefined,
      });
      reportNotices(committed.notices, this.options.log);
      return publishState(this.store, scratch.path, committed, describe(committed));
    } catch (error) {
      throw this.#describe(error, parent, "can’t store in build cache");
    }
  }

  /** What ERROR, of a call that needed STATE, means. */
  #describe(error: unknown, state: State, message: string): unknown {
    if (!(error instanceof SystemError)) {
      if (error instanceof ChError || error instanceof TypeError) return error;
      return new ChError(message, { cause: error });
    }
    if (error.code === "ENODEV" && error.call === "store device") {
      return new ChError(`device files invalid in image: ${displayOsString(error.path)}`);
    }
    if (error.code !== "EBADMSG") return new ChError(message, { cause: error });
    // It must not be found again. What it needed and is intact may still serve others.
    const isFile = error.call === "take cached file";
    removeState(this.store, isFile ? state.name : error.path || state.name);
    if (state.name !== "") removeState(this.store, state.name);
    return new DamagedStateError(
      `build cache: state is damaged: ${state.sid.slice(0, 4)} ${state.label}` +
        (isFile ? `: ${displayOsString(error.path)}` : ""),
    );
  }

  #findIntact(name: string): StoredState | undefined {
    try {
      return findState(this.store, name);
    } catch (error) {
      if (!(error instanceof ChError)) throw error;
      this.options.log.warning(error.message, error.hint);
      return undefined;
    }
  }
}
