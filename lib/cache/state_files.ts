// The files of states in the build cache: finding them, and what TypeScript says in them. Their trees are
// C's business (c/shim/cache.h).

import { sha256 } from "../../ffi/sha256.ts";
import { formatEnd, locateText, TRAILER_SIZE, type TreeCommitted } from "../../ffi/cache.ts";
import { encodeOsString } from "../../ffi/os_string.ts";
import { ChError } from "../error.ts";
import { type LockPlace, SEQUENCE_PLACE } from "../store/lock.ts";
import type { Metadata } from "../store/metadata.ts";
import { removeIfThere } from "../store/remove_if_there.ts";
import type { Store } from "../store/store.ts";
import { SEQUENCE_FILE, STATES } from "./layout.ts";
import { toHex } from "./state_id.ts";

/** What a state's file says beside its tree. */
export interface StateText {
  readonly sid: string;
  readonly label: string;
  /** Name of the file of the state that this one was made from; undefined for a child of the root. */
  readonly parent?: string | undefined;
  readonly time: number;
  readonly metadata: Metadata;
  /** What it depends on, as far as worth keeping, for explanations. */
  readonly inputs?: readonly string[];
  /** Of the whole tree, hexadecimal. */
  readonly tree: string;
}

/** A state as it is in the cache. */
export interface StoredState extends StateText {
  /** Of its file, below `states`. */
  readonly name: string;
  readonly sequence: number;
}

/** Name of the file of a state. */
function nameState(sid: string, sequence: number): string {
  return `${sid.slice(0, 2)}/${sid}-${String(sequence).padStart(8, "0")}`;
}

const NAME = /^[0-9A-F]{2}\/([0-9A-F]{32})-(\d{8,})$/;

export function isStateName(name: string): boolean {
  return NAME.test(name);
}

/** How the state NAME was made. */
export function sidOf(name: string): string {
  return NAME.exec(name)![1]!;
}

/** What people see of it: 40 hexadecimal digits, of which the first seven do. */
export function identifyState(name: string): string {
  return toHex(sha256(encodeOsString(name))).slice(0, 40);
}

/** Names of all states with that SID, the newest first. */
export function findStates(store: Store, sid: string): string[] {
  const directory = sid.slice(0, 2);
  return listNames(`${store.path}/${STATES}/${directory}`)
    .filter((name) => name.startsWith(`${sid}-`))
    .map((name) => `${directory}/${name}`)
    .sort((one, other) => sequenceOf(other) - sequenceOf(one));
}

/** Names of all states, in the order in which they were made. */
export function listStates(store: Store): string[] {
  return listNames(`${store.path}/${STATES}`)
    .flatMap((directory) =>
      listNames(`${store.path}/${STATES}/${directory}`).map((name) => `${directory}/${name}`)
    )
    .filter(isStateName)
    .sort((one, other) => sequenceOf(one) - sequenceOf(other));
}

/** Greater than that of all states that were there before. */
export function sequenceOf(name: string): number {
  return Number(NAME.exec(name)?.[2] ?? -1);
}

/** Undefined if there is no such state. Throws a ChError if its file is damaged. */
export function findState(store: Store, name: string): StoredState | undefined {
  const text = readText(`${store.path}/${STATES}/${name}`);
  if (text === undefined) return undefined;
  try {
    return { ...JSON.parse(text) as StateText, name, sequence: sequenceOf(name) };
  } catch {
    throw damaged(name);
  }
}

export function hasState(store: Store, name: string): boolean {
  try {
    return Deno.statSync(`${store.path}/${STATES}/${name}`).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Bytes on disk. */
export function sizeOfState(store: Store, name: string): number {
  return (Deno.statSync(`${store.path}/${STATES}/${name}`).blocks ?? 0) * 512;
}

export function removeState(store: Store, name: string): void {
  removeIfThere(`${store.path}/${STATES}/${name}`);
}

/** The file `state` in the directory WORK, whose tree is complete, becomes a state that can be found. */
export function publishState(
  store: Store,
  work: string,
  committed: TreeCommitted,
  text: StateText,
): StoredState {
  const sequence = nextSequence(store);
  const name = nameState(text.sid, sequence);
  const end = formatEnd(new TextEncoder().encode(JSON.stringify(text)), committed);
  Deno.writeFileSync(`${work}/state`, end, { append: true, create: false });
  Deno.mkdirSync(`${store.path}/${STATES}/${text.sid.slice(0, 2)}`, { recursive: true });
  Deno.renameSync(`${work}/state`, `${store.path}/${STATES}/${name}`);
  return { ...text, name, sequence };
}

/** Never given twice, except that a number may come again whose state has been removed. */
function nextSequence(store: Store): number {
  using _lock = store.locks.lockBriefly(SEQUENCE_PLACE satisfies LockPlace);
  const path = `${store.path}/${SEQUENCE_FILE}`;
  const last = Number(readSmall(path) ?? NaN);
  const next = (Number.isSafeInteger(last) ? last : highestSequence(store)) + 1;
  Deno.writeTextFileSync(path, String(next).padStart(12, "0"));
  return next;
}

function highestSequence(store: Store): number {
  return Math.max(0, ...listStates(store).map(sequenceOf));
}

/** A number cut off by a crash is none. */
function readSmall(path: string): string | undefined {
  try {
    const text = Deno.readTextFileSync(path);
    return /^\d{12}$/.test(text) ? text : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function readText(path: string): string | undefined {
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  using _file = file;
  const { size } = file.statSync();
  const trailer = readAt(file, size - TRAILER_SIZE, TRAILER_SIZE);
  const place = trailer && locateText(trailer, size);
  const text = place && readAt(file, place.at, place.length);
  if (text === undefined) throw damaged(path);
  return new TextDecoder().decode(text);
}

function readAt(
  file: Deno.FsFile,
  at: number,
  length: number,
): Uint8Array<ArrayBuffer> | undefined {
  if (at < 0) return undefined;
  const bytes = new Uint8Array(length);
  file.seekSync(at, Deno.SeekMode.Start);
  for (let got = 0; got < length;) {
    const count = file.readSync(bytes.subarray(got));
    if (count === null) return undefined;
    got += count;
  }
  return bytes;
}

function damaged(name: string): ChError {
  return new ChError(`build cache: damaged state: ${name}`, {
    hint: "“ch-image build-cache --gc” removes it",
  });
}

function listNames(path: string): string[] {
  try {
    return [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
