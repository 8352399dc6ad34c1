// One run of a sub-command: what it shares with the rest of the process, from storage to signals.

import type { Cache } from "../../lib/cache/cache.ts";
import { openCache } from "../../lib/cache/open.ts";
import { ChError } from "../../lib/error.ts";
import { openStore, type Store } from "../../lib/store/store.ts";
import { VERSION } from "../../lib/version.ts";
import type { Logger } from "../logger.ts";
import { writeText } from "../standard_stream.ts";
import type { Context, Settings } from "./sub_command.ts";

/** For -3 to 3. */
const LEVEL_NAMES = ["QUIET_STDERR", "STDERR", "WARNING", "INFO", "VERBOSE", "DEBUG", "TRACE"];
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Dispose ends it: the storage is unlocked, signals do again what they did. */
export class Session implements Context, Disposable {
  readonly #abort = new AbortController();
  readonly #listeners = SIGNALS.map((name) => [name, () => this.#receive(name)] as const);
  #store: Store | undefined;
  #leavesInterrupts = false;
  #cache: Cache | undefined;
  #onSignal: () => void = () => {};

  constructor(
    readonly settings: Settings,
    readonly environment: ReadonlyMap<string, string>,
    readonly log: Logger,
  ) {
    for (const [name, listener] of this.#listeners) Deno.addSignalListener(name, listener);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** What -v shows first. */
  announce(): void {
    const { verbosity, xattrs } = this.settings;
    this.log.verbose(`version: ${VERSION}`);
    // The second parenthesis is not a slip: scripts may know this line.
    this.log.verbose(`verbose level: ${verbosity} (${LEVEL_NAMES[verbosity + 3]}))`);
    this.log.verbose(`save xattrs: ${xattrs ? "True" : "False"}`);
    this.log.verbose(`build cache mode: ${describeCacheMode(this.settings)}`);
  }

  print(line: string): void {
    if (this.settings.verbosity < -1) return;
    try {
      writeText(Deno.stdout, line + "\n");
    } catch (error) {
      throw new ChError("can’t write to standard output", { cause: error });
    }
  }

  onSignal(listener: () => void): void {
    this.#onSignal = listener;
  }

  leaveInterrupts(): Disposable {
    this.#leavesInterrupts = true;
    return { [Symbol.dispose]: () => this.#leavesInterrupts = false };
  }

  openStore(): Store {
    const { storagePath, lock } = this.settings;
    return this.#store ??= openStore(storagePath, { lock }, this.log);
  }

  openCache(): Cache {
    const { cacheMode: mode, xattrs, largeFile } = this.settings;
    const { log, signal } = this;
    return this.#cache ??= openCache(this.openStore(), { mode, xattrs, largeFile, log, signal });
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) Deno.removeSignalListener(name, listener);
    this.#cache?.[Symbol.dispose]();
    this.#cache = undefined;
    this.#store?.[Symbol.dispose]();
    this.#store = undefined;
  }

  #receive(name: string): void {
    if (this.signal.aborted || (this.#leavesInterrupts && name === "SIGINT")) return;
    this.#onSignal();
    // A progress line may stand there.
    writeText(Deno.stdout, "\n");
    this.log.error(`received ${name}, exiting`);
    this.#abort.abort(new ChError(`received ${name}`));
  }
}

function describeCacheMode({ cacheMode, largeFile }: Settings): string {
  if (cacheMode === "disabled") return cacheMode;
  return `${cacheMode} (large=${largeFile ?? "inf"})`;
}
