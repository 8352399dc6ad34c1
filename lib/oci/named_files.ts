// What images are kept in: files with names, in a directory or in an archive.

import { displayOsString } from "../../ffi/os_string.ts";
import { findMode } from "../../ffi/path.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../error.ts";
import { openFileChunks } from "../layer/codec.ts";
import { MAX_DOCUMENT } from "./model.ts";

export interface NamedFiles {
  /** How messages name the whole. */
  readonly name: string;
  has(path: string): boolean;
  /** Throws a ChError if there is no such file. */
  read(path: string): AsyncIterable<Uint8Array>;
}

const S_IFMT = 0o170000, S_IFREG = 0o100000;

/** Those below a directory of the host. */
export class DirectoryFiles implements NamedFiles {
  readonly name: string;
  readonly #path: string;

  /** PATH is an OsString. */
  constructor(path: string) {
    this.#path = path;
    this.name = displayOsString(path);
  }

  has(path: string): boolean {
    try {
      // Anything else might never end, or never begin.
      return ((findMode(`${this.#path}/${path}`, "follow") ?? 0) & S_IFMT) === S_IFREG;
    } catch (error) {
      if (error instanceof SystemError) return false;
      throw error;
    }
  }

  read(path: string): AsyncIterable<Uint8Array> {
    if (!this.has(path)) throw missingFile(this, path);
    return openFileChunks(`${this.#path}/${path}`);
  }
}

/** All of a file that is a document. Throws a ChError if it is too large for one. */
export async function readSmallFile(files: NamedFiles, path: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of files.read(path)) {
    size += chunk.length;
    if (size > MAX_DOCUMENT) throw new ChError(`too large: ${files.name}: ${path}`);
    parts.push(chunk.slice());
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function missingFile(files: NamedFiles, path: string): ChError {
  return new ChError(`file missing: ${files.name}: ${displayOsString(path)}`);
}
