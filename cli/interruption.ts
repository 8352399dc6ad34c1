// SIGINT and SIGTERM while there is something to clean up.

import { ChError } from "../lib/error.ts";
import type { Log } from "../lib/log/log.ts";

const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

/** Listens until it is disposed of: the first signal aborts what is going on. */
export class Interruption implements Disposable {
  readonly #abort = new AbortController();
  readonly #listeners: (readonly [keyof typeof SIGNALS, () => void])[];
  /** Exit status, as shells give it to what a signal killed; undefined if none came. */
  status: number | undefined;

  constructor(log: Log) {
    const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
    this.#listeners = names.map((name) => [name, () => {
      if (this.status !== undefined) return;
      this.status = 128 + SIGNALS[name];
      log.error(`received ${name}, exiting`);
      this.#abort.abort(new ChError(`received ${name}`));
    }]);
    for (const [name, listener] of this.#listeners) Deno.addSignalListener(name, listener);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) Deno.removeSignalListener(name, listener);
  }
}
