// Records that point at states, by mangled image reference: a small file each, replaced as a whole.

import type { Scratch } from "../store/scratch.ts";
import { removeIfThere } from "../store/remove_if_there.ts";
import type { Store } from "../store/store.ts";
import type { DELETED, DIRECTORIES_AT, NAMES, UNREADY } from "./layout.ts";
import { isStateName } from "./state_files.ts";

/** A kind of record. */
export type RecordKind = typeof NAMES | typeof UNREADY | typeof DELETED | typeof DIRECTORIES_AT;

export interface StateRecord {
  /** Of the state's file. */
  readonly state: string;
  /** Seconds since 1970 when it was made. */
  readonly time: number;
  /** Tells the directory from others that were at its place. */
  readonly identity?: string;
  /** Of a directory: whether its files have the extended attributes that the state has. */
  readonly xattrs?: boolean;
}

/** Undefined also if it is damaged: the record is lost then, not what it pointed at. */
export function findRecord(store: Store, kind: RecordKind, name: string): StateRecord | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(`${store.path}/${kind}/${name}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  try {
    const record = JSON.parse(text) as StateRecord;
    return isStateName(record.state) ? record : undefined;
  } catch {
    return undefined;
  }
}

/** SCRATCH is where the new record is written. */
export function setRecord(...args: Parameters<typeof prepareRecord>): void {
  prepareRecord(...args)();
}

/** Writes the record, which needs room on disk; what is returned makes it count, which needs none. */
export function prepareRecord(
  store: Store,
  scratch: Pick<Scratch, "path">,
  kind: RecordKind,
  name: string,
  record: Omit<StateRecord, "time">,
): () => void {
  const time = Math.floor(Date.now() / 1000);
  const file = `${scratch.path}/record.${kind.replaceAll("/", ".")}`;
  Deno.writeTextFileSync(file, JSON.stringify({ ...record, time }) + "\n");
  return () => Deno.renameSync(file, `${store.path}/${kind}/${name}`);
}

/** The record becomes one of another kind, in place of what was there. Needs no room on disk. */
export function moveRecord(store: Store, from: RecordKind, to: RecordKind, name: string): void {
  const path = `${store.path}/${from}/${name}`;
  const now = Date.now() / 1000;
  try {
    Deno.utimeSync(path, now, now);
    Deno.renameSync(path, `${store.path}/${to}/${name}`);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** When the record became what it is. */
export function findRecordTime(store: Store, kind: RecordKind, name: string): Date | undefined {
  try {
    return Deno.statSync(`${store.path}/${kind}/${name}`).mtime ?? undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

export function removeRecord(store: Store, kind: RecordKind, name: string): void {
  removeIfThere(`${store.path}/${kind}/${name}`);
}

/** Mangled references of all records of a kind, sorted. */
export function listRecords(store: Store, kind: RecordKind): string[] {
  return [...Deno.readDirSync(`${store.path}/${kind}`)].map(({ name }) => name).sort();
}
