// What one conversion is asked to do.

import type { Log } from "../log/log.ts";
import type { Format } from "./format.ts";

/** One side of a conversion. */
export interface Endpoint<F extends Format = Format> {
  readonly format: F;
  /** Path or image reference, an OsString, as the user wrote it. */
  readonly descriptor: string;
}

/** Formats this version converts. */
export type OwnFormat = Exclude<Format, "docker" | "podman">;

export interface ConvertSettings {
  /** Whether to fail where the output exists. */
  readonly noClobber: boolean;
  /** user.* attributes and ACLs come along. */
  readonly xattrs: boolean;
  /** Storage directory of ch-image; called where one is needed. */
  readonly findStorage: () => string;
  /** Whether devices can be made and owners set. */
  readonly isPrivileged: boolean;
  readonly log: Log;
  /** Aborted: the conversion stops with the signal's reason and leaves nothing. */
  readonly signal: AbortSignal;
}

export interface ConvertRequest extends ConvertSettings {
  readonly input: Endpoint<OwnFormat>;
  readonly output: Endpoint<OwnFormat>;
}
