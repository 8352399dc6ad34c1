// What PAX headers say about the members behind them: which records count, and how they apply.

import { decodeOsString } from "../../ffi/os_string.ts";
import { parsePaxRecords, parsePaxTime, PaxError } from "./pax_records.ts";
import type { TarHeader } from "./tar_header.ts";

const XATTR_PREFIX = "SCHILY.xattr.";
const KNOWN = new Set(["path", "linkpath", "size", "mtime", "uid", "gid"]);

/** Records that count, by key; everything else is forgotten, so a header cannot fill memory. */
export type Extension = ReadonlyMap<string, Uint8Array>;

export const NO_EXTENSION: Extension = new Map();

/**
 * The records of one extended header, added to BEFORE, what held till now; an empty value takes an earlier
 * one back. The pairs of sparse format 0.0, whose keys repeat, become one map as 0.1 has it.
 */
export function parseExtension(
  data: Uint8Array,
  scope: "global" | "local",
  before: Extension,
): Extension {
  const records = new Map(before);
  const pairs: string[] = [];
  parsePaxRecords(data, (key, value) => {
    if (key === "GNU.sparse.offset" || key === "GNU.sparse.numbytes") {
      pairs.push(decodeOsString(value));
    } else if (counts(key, scope)) {
      if (value.length === 0 && !key.startsWith(XATTR_PREFIX)) records.delete(key);
      else records.set(key, value);
    }
  });
  if (pairs.length > 0) records.set("GNU.sparse.map", new TextEncoder().encode(pairs.join(",")));
  return records;
}

/** A value as text. */
export function findText(extension: Extension, key: string): string | undefined {
  const value = extension.get(key);
  return value === undefined ? undefined : decodeOsString(value);
}

/** A decimal value; throws PaxError if it is none. */
export function findNumber(extension: Extension, key: string): number | undefined {
  const text = findText(extension, key);
  if (text === undefined) return undefined;
  const value = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new PaxError(`malformed extended header: ${key}`);
  }
  return value;
}

/** HEADER as the extension has it, with the time's fraction. */
export function applyExtension(
  header: TarHeader,
  extension: Extension,
): TarHeader & { mtimeNsec: number } {
  if (extension.size === 0) return { ...header, mtimeNsec: 0 };
  const time = findText(extension, "mtime");
  const parsed = time === undefined ? { mtime: header.mtime, mtimeNsec: 0 } : parsePaxTime(time);
  if (parsed === undefined) throw new PaxError("malformed extended header: mtime");
  return {
    ...header,
    ...parsed,
    name: findName(extension, "GNU.sparse.name") ?? findName(extension, "path") ?? header.name,
    linkName: findName(extension, "linkpath") ?? header.linkName,
    size: findNumber(extension, "size") ?? header.size,
    uid: findNumber(extension, "uid") ?? header.uid,
    gid: findNumber(extension, "gid") ?? header.gid,
  };
}

/** A value that is to be a file's name: a NUL in it has no way into the system. */
function findName(extension: Extension, key: string): string | undefined {
  const name = findText(extension, key);
  if (name?.includes("\0")) throw new PaxError(`malformed extended header: ${key}`);
  return name;
}

/** The member's extended attributes; undefined if it has none. */
export function findXattrs(extension: Extension): Map<string, Uint8Array> | undefined {
  let xattrs: Map<string, Uint8Array> | undefined;
  for (const [key, value] of extension) {
    if (key.startsWith(XATTR_PREFIX)) {
      (xattrs ??= new Map()).set(key.slice(XATTR_PREFIX.length), value);
    }
  }
  return xattrs;
}

function counts(key: string, scope: "global" | "local"): boolean {
  if (KNOWN.has(key)) return true;
  return scope === "local" && (key.startsWith(XATTR_PREFIX) || key.startsWith("GNU.sparse."));
}
