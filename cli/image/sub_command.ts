// What a sub-command of ch-image is, and what it gets to work with.

import type { Cache } from "../../lib/cache/cache.ts";
import type { CacheMode } from "../../lib/cache/state_store.ts";
import type { Store } from "../../lib/store/store.ts";
import type { Logger } from "../logger.ts";
import type { Arguments, Command } from "../options.ts";
import type { CommonOption } from "./common_options.ts";

/** From command line and environment, the same for every sub-command. */
export interface Settings {
  /** Storage directory; may not exist yet. */
  readonly storagePath: string;
  /** Whether to use locks. */
  readonly lock: boolean;
  readonly cacheMode: CacheMode;
  /** Bytes from which on a file is a large one; undefined: none is. */
  readonly largeFile: number | undefined;
  /** Whether extended attributes were asked for. */
  readonly xattrs: boolean;
  /** -3 to 3: how many -v, minus how many -q. */
  readonly verbosity: number;
}

export interface Context {
  readonly settings: Settings;
  /** The caller's environment. */
  readonly environment: ReadonlyMap<string, string>;
  readonly log: Logger;
  /** Aborted by SIGINT and SIGTERM, the reason being the ChError to end with: undo and throw it. */
  readonly signal: AbortSignal;
  /** LISTENER is called when a signal has come, before a word is said of it. */
  onSignal(listener: () => void): void;
  /** Prints a result on standard output, unless that was silenced. */
  print(line: string): void;
  /** Until it is disposed, SIGINT is the business of the command that has the terminal. */
  leaveInterrupts(): Disposable;
  /** The storage directory, opened (made, locked, checked) when first asked for. */
  openStore(): Store;
  /** Its build cache, made when first asked for; also if it is disabled. */
  openCache(): Cache;
}

export interface SubCommand<Name extends string = string> extends Command<Name> {
  /** Returns the exit status. */
  run(context: Context, args: Arguments<Name | CommonOption>): Promise<number>;
}
