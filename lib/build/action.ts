// An instruction made ready: variables replaced, operands checked, sources found. It is data; what it
// does to the state is StageState.apply(), what it does to the files is executeAction().

import type { Run } from "../dockerfile/instruction.ts";
import type { CopySource, SourceTree } from "./source_tree.ts";

export type Action =
  /** Without a value it only declares the name. */
  | { readonly op: "arg"; readonly name: string; readonly value: string | undefined }
  | { readonly op: "copy"; readonly copy: CopyAction }
  | { readonly op: "env"; readonly name: string; readonly value: string }
  | { readonly op: "label"; readonly name: string; readonly value: string }
  | { readonly op: "run"; readonly run: RunAction }
  | { readonly op: "shell"; readonly argv: readonly string[] }
  /** PATH is absolute. */
  | { readonly op: "workdir"; readonly path: string };

export interface CopyAction {
  /** Undefined in a dry run only. */
  readonly tree: SourceTree | undefined;
  /** At least one, but in a dry run. */
  readonly sources: readonly CopySource[];
  /** Absolute in the image; a trailing slash asks for a directory. */
  readonly destination: string;
}

export interface RunAction {
  readonly form: Run["form"];
  /** Before any root emulation. */
  readonly argv: readonly string[];
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
}

export function formatAnnounced({ name, options, operands }: InstructionText): string {
  return [name, options, operands].filter((part) => part !== undefined).join(" ");
}

export function formatForHistory({ name, operands }: InstructionText): string {
  return `${name} ${operands}`;
}
