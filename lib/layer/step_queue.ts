// Entries on their way into a tree: what makes them is gathered into batches, which another thread takes
// one after the other while the next is gathered. All is done in the order it was asked for.

import { StepBatch, type StepKind, type StepNumbers, StepRunner } from "../../ffi/tree_batch.ts";
import type { BatchProgress, StepStop } from "../../ffi/tree_batch.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../error.ts";
import type { Entry } from "./entry.ts";
import { displayPath, isWithin, joinPath } from "./member_path.ts";

/** Where an entry goes. */
export interface Place {
  /** Path of the directory: as the entry has it, canonical when the entry is being made. */
  readonly parent: string;
  readonly name: string;
}

/** What the queue does not decide itself. All may throw, a SystemError being put down to the entry. */
export interface StepHandler {
  /** The directory PATH is not there, or not without following links. Its canonical path, now that it
   * is there. */
  findParent(path: string, entry: Entry): string;
  /** A directory is at PATH, where something else shall be. */
  removeDirectory(path: string): void;
  /** A hard link that is not made by just linking. */
  makeHardLink(entry: Entry & { readonly type: "hardlink" }, place: Place): void;
  /** The file system turned out to have no extended attributes. */
  noteXattrsLacking(): void;
  /** ENTRY is at the canonical path PATH. */
  noteWritten(entry: Entry, path: string): void;
}

/** A step as it was asked for. */
interface Item {
  readonly entry: Entry;
  readonly kind: StepKind;
  readonly given: string;
  parent: string;
  readonly name: string;
}

interface Batch {
  readonly steps: StepBatch;
  readonly items: Item[];
  /** Resolves when all in it is done. */
  done: Promise<void>;
}

/** One is gathered, one is being taken, and one waits. */
const BATCHES = 3;

export class StepQueue implements Disposable {
  readonly #runner: StepRunner;
  readonly #handler: StepHandler;
  readonly #ring: Batch[] = [];
  #at = 0;
  #last: Promise<void> = Promise.resolve();
  #isClosed = false;
  /** What the directory of the last step was found to be: it holds for those behind it that are about
   * the same. */
  #known: { readonly given: string; readonly path: string } | undefined;

  constructor(rootFd: number, owned: boolean, handler: StepHandler) {
    this.#runner = new StepRunner(rootFd, owned);
    this.#handler = handler;
  }

  /** A batch with room for a step with so many CHARACTERS in its texts and so many bytes of DATA, which no
   * batch has more of than DATA_SIZE; to be used at once. Throws what kept earlier steps from being
   * taken. */
  async reserve(characters: number, data: number): Promise<StepBatch> {
    const { steps } = this.#filling;
    if (steps.hasRoom(characters) && (data <= steps.room || steps.count === 0)) return steps;
    this.#submit();
    await this.#filling.done;
    return this.#filling.steps;
  }

  /** The room for it has been reserved. */
  add(entry: Entry, kind: StepKind, place: Place, numbers: StepNumbers, target = ""): void {
    const { steps, items } = this.#filling;
    const { parent, name } = place;
    steps.add(kind, parent, name, numbers, target);
    items.push({ entry, kind, given: parent, parent, name });
  }

  /** Resolves when all has been done that was asked for. */
  async flush(): Promise<void> {
    if (this.#filling.items.length > 0) this.#submit();
    await this.#last;
  }

  /** What was known of PATH and what is below does not hold any more. */
  forget(path: string): void {
    if (this.#known !== undefined && isWithin(this.#known.path, path)) this.#known = undefined;
  }

  /** What has not been done by then is not done any more. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#runner[Symbol.dispose]();
  }

  get #filling(): Batch {
    return this.#ring[this.#at] ??= {
      steps: new StepBatch(),
      items: [],
      done: Promise.resolve(),
    };
  }

  #submit(): void {
    const batch = this.#filling;
    this.#last = this.#last.then(() => this.#take(batch));
    this.#last.catch(() => {}); // told to who asks next
    batch.done = this.#last;
    this.#at = (this.#at + 1) % BATCHES;
  }

  async #take(batch: Batch): Promise<void> {
    const { steps, items } = batch;
    this.#useKnown(batch);
    for (let from = 0; from < items.length && !this.#isClosed;) {
      const progress = await this.#runner.run(steps, from);
      if (this.#isClosed) return;
      this.#report(items, from, progress);
      from = progress.done;
      if (from === items.length) break;
      this.#attempt(items[from]!.entry, () => {
        if (progress.error !== undefined) throw progress.error;
        from = this.#resolve(batch, from, progress.stop!);
      });
    }
    this.#noteKnown(items);
    items.length = 0;
    steps.clear();
  }

  #report(items: readonly Item[], from: number, { done, lacksXattrs }: BatchProgress): void {
    if (lacksXattrs) this.#handler.noteXattrsLacking();
    for (let index = from; index < done; index++) this.#noteDone(items[index]!);
  }

  #noteDone({ entry, kind, parent, name }: Item): void {
    const isPart = kind === "open" || kind === "write" || kind === "copy" || kind === "xattr";
    if (!isPart) this.#handler.noteWritten(entry, joinPath(parent, name));
  }

  /** Step INDEX is not to be taken as it stands. Returns the index of the next. */
  #resolve(batch: Batch, index: number, stop: StepStop): number {
    const item = batch.items[index]!;
    switch (stop) {
      case "parent":
        this.#setParent(batch, index, this.#handler.findParent(item.parent, item.entry));
        return index;
      case "occupied":
        this.#handler.removeDirectory(joinPath(item.parent, item.name));
        return index;
      case "target":
        if (item.entry.type === "hardlink") this.#handler.makeHardLink(item.entry, item);
        this.#noteDone(item);
        return index + 1;
      default:
        return stop satisfies never;
    }
  }

  #attempt(entry: Entry, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      throw new ChError(`can’t write: ${displayPath(entry.path)}`, { cause: error });
    }
  }

  #setParent({ steps, items }: Batch, from: number, path: string): void {
    const end = steps.setParent(from, path);
    for (let index = from; index < end; index++) items[index]!.parent = path;
  }

  #useKnown(batch: Batch): void {
    const known = this.#known;
    if (known !== undefined && batch.items[0]?.given === known.given) {
      this.#setParent(batch, 0, known.path);
    }
  }

  #noteKnown(items: readonly Item[]): void {
    const { given, parent } = items.at(-1)!;
    this.#known = given === parent ? undefined : { given, path: parent };
  }
}
