// Many things in an image tree, made in one call by another thread (c/shim/tree_batch.c): packs the
// steps, calls, and tells how far it came. What is put in the way of whom is lib/layer's.

import { holding } from "./in_flight.ts";
import { openLibrary } from "./library.ts";
import { encodeCString } from "./os_string.ts";
import { TREE_BATCH } from "./symbols.ts";
import { checkResult, newErrorBlock, readSystemError } from "./system_error.ts";
import type { SystemError } from "./system_error.ts";

/** As c/api/tree_batch.h explains them, in its order. */
const KINDS = [
  "enter",
  "directory",
  "file",
  "symlink",
  "node",
  "link",
  "open",
  "write",
  "copy",
  "xattr",
  "close",
] as const;
export type StepKind = typeof KINDS[number];

const CODES = Object.fromEntries(KINDS.map((kind, code) => [kind, code])) as Readonly<
  Record<StepKind, number>
>;
const RESOLVED = 256;

/** Numbers of a step; which of them count depends on its kind. */
export interface StepNumbers {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtime?: number;
  readonly mtimeNsec?: number;
  /** Of the file or the data, or a device's major number. */
  readonly size?: number;
  /** Where in the file, or a device's minor number. */
  readonly offset?: number;
  /** Where in {@linkcode StepBatch.data}, or a descriptor. */
  readonly data?: number;
}

// struct ch_tree_step
const STEP_SIZE = 64, KIND_AT = 48, PARENT_AT = 52;
const MAX_STEPS = 1024;
const TEXTS_SIZE = 1 << 16;
export const DATA_SIZE = 1 << 20;

/** Steps to be taken one after the other. */
export class StepBatch {
  readonly steps = new Uint8Array(new ArrayBuffer(MAX_STEPS * STEP_SIZE));
  readonly #view = new DataView(this.steps.buffer);
  texts = new Uint8Array(new ArrayBuffer(TEXTS_SIZE));
  readonly data = new Uint8Array(new ArrayBuffer(DATA_SIZE));
  #count = 0;
  #textsEnd = 0;
  #dataEnd = 0;
  #parent: string | undefined;
  #parentAt = 0;

  get count(): number {
    return this.#count;
  }

  /** Bytes of data that there is still room for. */
  get room(): number {
    return DATA_SIZE - this.#dataEnd;
  }

  /** Whether a step with so many characters in its texts can be added. An empty batch takes any. */
  hasRoom(characters: number): boolean {
    const needed = this.#textsEnd + maxBytes(characters);
    return this.#count === 0 || this.#count < MAX_STEPS && needed <= this.texts.length;
  }

  /** BYTES for the step to be added next, which there must be room for. Returns where they are. */
  addData(bytes: Uint8Array): number {
    const at = this.#dataEnd;
    this.data.set(bytes, at);
    this.#dataEnd += bytes.length;
    return at;
  }

  /** NAME in the directory PARENT; all texts are OsStrings. Throws a TypeError if one has a NUL. */
  add(
    kind: StepKind,
    parent: string,
    name: string,
    numbers: StepNumbers,
    target = "",
  ): void {
    this.#growTexts(parent.length + name.length + target.length);
    const at = this.#count * STEP_SIZE, view = this.#view;
    if (parent !== this.#parent) {
      this.#parentAt = this.#addText(parent);
      this.#parent = parent;
    }
    setNumber(view, at, numbers.data ?? 0);
    setNumber(view, at + 8, numbers.size ?? 0);
    setNumber(view, at + 16, numbers.offset ?? 0);
    setNumber(view, at + 24, numbers.mtime ?? 0);
    view.setUint32(at + 32, numbers.mtimeNsec ?? 0, true);
    view.setUint32(at + 36, numbers.mode ?? 0, true);
    view.setUint32(at + 40, numbers.uid ?? 0, true);
    view.setUint32(at + 44, numbers.gid ?? 0, true);
    view.setUint32(at + KIND_AT, CODES[kind], true);
    view.setUint32(at + PARENT_AT, this.#parentAt, true);
    view.setUint32(at + 56, this.#addText(name), true);
    view.setUint32(at + 60, target === "" ? 0 : this.#addText(target), true);
    this.#count++;
  }

  /** Step INDEX, and those behind it that are about the same directory, have PARENT as that, which is
   * known to be there. Returns the index behind them. */
  setParent(index: number, parent: string): number {
    this.#growTexts(parent.length);
    const view = this.#view, at = this.#addText(parent);
    const before = view.getUint32(index * STEP_SIZE + PARENT_AT, true);
    let end = index;
    for (; end < this.#count; end++) {
      const step = end * STEP_SIZE;
      if (view.getUint32(step + PARENT_AT, true) !== before) break;
      view.setUint32(step + PARENT_AT, at, true);
      view.setUint32(step + KIND_AT, view.getUint32(step + KIND_AT, true) | RESOLVED, true);
    }
    return end;
  }

  clear(): void {
    this.#count = this.#textsEnd = this.#dataEnd = 0;
    this.#parent = undefined;
  }

  #addText(text: string): number {
    const at = this.#textsEnd, texts = this.texts;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === 0 || code > 0x7f) return this.#addEncoded(encodeCString(text));
      texts[at + i] = code;
    }
    texts[at + text.length] = 0;
    this.#textsEnd = at + text.length + 1;
    return at;
  }

  #addEncoded(bytes: Uint8Array): number {
    const at = this.#textsEnd;
    this.texts.set(bytes, at);
    this.#textsEnd += bytes.length;
    return at;
  }

  #growTexts(characters: number): void {
    const needed = this.#textsEnd + maxBytes(characters);
    if (needed <= this.texts.length) return;
    const grown = new Uint8Array(new ArrayBuffer(needed * 2));
    grown.set(this.texts.subarray(0, this.#textsEnd));
    this.texts = grown;
  }
}

/** Why a batch went no further, though nothing failed (c/api/tree_batch.h). */
export type StepStop = "parent" | "occupied" | "target";
const STOPS: readonly (StepStop | undefined)[] = [undefined, "parent", "occupied", "target"];

export interface BatchProgress {
  /** Steps taken, in all; the next is what the rest is about. */
  readonly done: number;
  readonly stop: StepStop | undefined;
  readonly error: SystemError | undefined;
  /** Whether the file system has no extended attributes. */
  readonly lacksXattrs: boolean;
}

/** Takes steps below a directory. */
export class StepRunner implements Disposable {
  readonly #handle: bigint;
  #running: Promise<unknown> | undefined;
  #closed = false;

  /** OWNED: what is made gets uid and gid. ROOT_FD stays the caller's. Throws a SystemError. */
  constructor(rootFd: number, owned: boolean) {
    const handle = new BigUint64Array(new ArrayBuffer(8)), error = newErrorBlock();
    checkResult(library().ch_tree_batch_open(rootFd, owned ? 1 : 0, toBytes(handle), error), error);
    this.#handle = handle[0]!;
  }

  /** The steps of BATCH, which may not be touched meanwhile, from index FROM on. One call at a time; none
   * after disposal. */
  async run(batch: StepBatch, from: number): Promise<BatchProgress> {
    if (this.#closed) throw new TypeError("the steps’ tree is closed");
    const { steps, texts, data } = batch;
    const progress = new Uint32Array(new ArrayBuffer(12)), error = newErrorBlock();
    const call = library().ch_tree_batch_run(
      this.#handle,
      steps,
      from,
      batch.count,
      texts,
      data,
      toBytes(progress),
      error,
    );
    this.#running = call;
    const result = await holding(call, steps, texts, data, progress, error);
    this.#running = undefined;
    return {
      done: progress[0]!,
      stop: STOPS[progress[1]!],
      error: result < 0 ? readSystemError(result, error) : undefined,
      lacksXattrs: progress[2] !== 0,
    };
  }

  /** A call under way ends early; when this returns it touches nothing any more. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    library().ch_tree_batch_cancel(this.#handle);
    const close = () => void library().ch_tree_batch_close(this.#handle);
    if (this.#running === undefined) close();
    else this.#running.then(close, close);
  }
}

let symbols: ReturnType<typeof openLibrary<typeof TREE_BATCH>> | undefined;

function library() {
  return symbols ??= openLibrary(TREE_BATCH);
}

/** Of up to three texts: UTF-8 has at most three bytes for a character, and there are the NULs. */
function maxBytes(characters: number): number {
  return 3 * (characters + 1);
}

/** 64 bits of a safe integer. */
function setNumber(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setInt32(at + 4, Math.floor(value / 2 ** 32), true);
}

function toBytes(array: BigUint64Array<ArrayBuffer> | Uint32Array<ArrayBuffer>) {
  return new Uint8Array(array.buffer);
}
