// An instruction made ready: variables replaced, operands checked, sources found. It is data; what it
// does to the state is StageState.apply(), what it does to the files is executeAction().

import type { CommandForm } from "../dockerfile/instruction.ts";
import type { FoundMount, Network } from "./mount.ts";
import type { ModeChange } from "./mode.ts";
import type { PathFilter } from "./path_filter.ts";
import type { RemoteSource } from "./remote.ts";
import type { SettingChange } from "./settings.ts";
import type { CopySource, SourceTree } from "./source_tree.ts";

export type Action =
  /** Without a value it only declares the name. */
  | { readonly op: "arg"; readonly name: string; readonly value: string | undefined }
  | { readonly op: "configure"; readonly change: SettingChange }
  | { readonly op: "copy"; readonly copy: CopyAction }
  | { readonly op: "env"; readonly name: string; readonly value: string }
  | { readonly op: "label"; readonly name: string; readonly value: string }
  | { readonly op: "rsync"; readonly rsync: RsyncAction }
  | { readonly op: "run"; readonly run: RunAction }
  | { readonly op: "shell"; readonly argv: readonly string[] }
  /** PATH is absolute. */
  | { readonly op: "workdir"; readonly path: string };

/** COPY and ADD. */
export interface CopyAction {
  readonly keyword: "COPY" | "ADD";
  /** Undefined in a dry run, and where no source is in a tree. */
  readonly tree: SourceTree | undefined;
  readonly sources: readonly CopySource[];
  /** What is not in a tree, and comes after it. With `sources` at least one, but in a dry run. */
  readonly others: readonly OtherSource[];
  /** What servers have of `others` at the moment, as far as the instruction leaves that to them. */
  readonly versions: readonly string[];
  /** Absolute in the image; a trailing slash asks for a directory. */
  readonly destination: string;
  readonly mode: ModeChange | undefined;
  /** `--chown`, variables replaced. */
  readonly owner: string | undefined;
  /** Left out of directories. */
  readonly exclude: PathFilter | undefined;
  /** The sources' directories come along. */
  readonly parents: boolean;
  /** Archives are unpacked: those of the tree, those from elsewhere. */
  readonly unpack: { readonly local: boolean; readonly remote: boolean };
}

/** A source that becomes a file or directory when the instruction is executed. */
export type OtherSource =
  | { readonly kind: "text"; readonly name: string; readonly content: string }
  | RemoteSource;

export interface RsyncAction {
  /** Arguments of rsync(1) up to the sources. */
  readonly options: readonly string[];
  /** Absolute paths on the host. */
  readonly sources: readonly string[];
  /** Absolute in the image, with its trailing slash. */
  readonly destination: string;
}

export interface RunAction {
  readonly form: CommandForm["form"];
  /** Before any root emulation. */
  readonly argv: readonly string[];
  /** Script that the last word of `argv` is the place of, if it is one. */
  readonly script: string | undefined;
  readonly mounts: readonly FoundMount[];
  readonly network: Network;
}

export interface Prepared {
  readonly text: InstructionText;
  readonly action: Action;
}

/** An instruction as it is announced; without line number its identity for a build cache. */
export interface InstructionText {
  /** E.g. "RUN.S". */
  readonly name: string;
  /** E.g. "--from=0"; not part of the history. */
  readonly options?: string;
  readonly operands: string;
  /** What else tells one instruction from another: here-documents. Not shown. */
  readonly hidden?: string;
}

export function formatAnnounced({ name, options, operands }: InstructionText): string {
  return [name, options, operands].filter((part) => part !== undefined).join(" ");
}

export function formatForHistory({ name, operands }: InstructionText): string {
  return `${name} ${operands}`;
}
