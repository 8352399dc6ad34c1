// Directories that are being filled: their modes and times are set when that is done, because a mode may
// forbid to fill them and each new entry changes the time.

import type { Entry } from "./entry.ts";
import { isWithin } from "./member_path.ts";

export class PendingDirectories {
  readonly #entries = new Map<string, Entry>();

  /** PATH is canonical. A later entry replaces an earlier one. */
  add(path: string, entry: Entry): void {
    this.#entries.set(path, entry);
  }

  /** Of what was removed: PATH and all below. */
  forget(path: string): void {
    for (const known of this.#entries.keys()) {
      if (isWithin(known, path)) this.#entries.delete(known);
    }
  }

  /** Backwards, so that a directory is done before the one it is in becomes unsearchable. */
  finish(finishOne: (path: string, entry: Entry) => void): void {
    for (const path of [...this.#entries.keys()].sort().reverse()) {
      finishOne(path, this.#entries.get(path)!);
    }
    this.#entries.clear();
  }
}
