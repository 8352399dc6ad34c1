// What one conversion is asked to do.

import type { Cache } from "../cache/cache.ts";
import type { Log } from "../log/log.ts";
import type { Store } from "../store/store.ts";
import type { BuilderProgram } from "./builder.ts";
import type { Format } from "./format.ts";
import type { OutputWishes } from "./output_options.ts";

/** One side of a conversion. */
export interface Endpoint<F extends Format = Format> {
  readonly format: F;
  /** Path or image reference, an OsString, as the user wrote it. */
  readonly descriptor: string;
}

export interface ConvertSettings {
  /** Whether to fail where the output exists. */
  readonly noClobber: boolean;
  /** user.* attributes and ACLs come along. */
  readonly xattrs: boolean;
  /** Storage directory of ch-image; called where one is needed. */
  readonly findStorage: () => string;
  /** The build cache of that storage, which images get into as well. */
  readonly openCache: (store: Store) => Cache;
  /** The host's docker or podman; called where it is needed. */
  readonly findBuilder: (name: "docker" | "podman") => Promise<BuilderProgram>;
  /** A directory for temporary files, which others can't enter. */
  readonly temporary: string;
  readonly wishes: OutputWishes;
  /** SOURCE_DATE_EPOCH: nothing in an output file is newer, and images are said to be made then. */
  readonly epoch: number | undefined;
  /** Whether devices can be made and owners set. */
  readonly isPrivileged: boolean;
  /** Called when all that can be told beforehand is in order, and work begins. */
  readonly onBegin?: () => void;
  readonly log: Log;
  /** Aborted: the conversion stops with the signal's reason and leaves nothing. */
  readonly signal: AbortSignal;
}

export interface ConvertRequest extends ConvertSettings {
  readonly input: Endpoint;
  readonly output: Endpoint;
}
