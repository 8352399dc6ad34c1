// The instructions of a Dockerfile as the grammar hands them over: operands separated and unquoted,
// variables not yet replaced, nothing checked that needs more than the one line.

import type { Dialect } from "./dialect.ts";
import type { Heredoc } from "./heredoc.ts";

/** Place of a character in the file, counted from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** `--name=value`, or `--name=key=value` where KEY is given. */
export interface InstructionOption {
  readonly name: string;
  readonly key: string | undefined;
  readonly value: string;
}

/** `NAME=VALUE` of ENV and LABEL. */
export interface Pair {
  readonly name: string;
  readonly value: string;
}

interface Common {
  /** Where the keyword begins. */
  readonly position: Position;
  /** The keyword as written. */
  readonly keyword: string;
}

/** ARG, before or after the first FROM. Without VALUE it has no default. */
export interface Arg extends Common {
  readonly kind: "arg";
  readonly name: string;
  readonly value: string | undefined;
}

/** COPY and ADD. */
export interface Copy extends Common {
  readonly kind: "copy" | "add";
  readonly options: readonly InstructionOption[];
  /** Sources, and last the destination. The list form may have fewer than two. */
  readonly paths: readonly string[];
  /** Whose words are among the paths. */
  readonly heredocs: readonly Heredoc[];
}

/** A command as JSON list, or a line for a shell. */
export type CommandForm =
  | { readonly form: "list"; readonly argv: readonly string[] }
  | { readonly form: "shell"; readonly command: string };

/** What goes into the image's configuration, and has no effect on the build. */
export type Setting =
  | { readonly name: "CMD" | "ENTRYPOINT"; readonly command: CommandForm }
  | { readonly name: "EXPOSE" | "VOLUME"; readonly words: readonly string[] }
  | {
    readonly name: "HEALTHCHECK";
    readonly options: readonly InstructionOption[];
    /** Undefined: none, not even the base image's. */
    readonly command: CommandForm | undefined;
  }
  | {
    readonly name: "MAINTAINER" | "ONBUILD" | "STOPSIGNAL" | "USER";
    readonly text: string;
  };

export interface Configure extends Common {
  readonly kind: "configure";
  readonly setting: Setting;
}

export interface Env extends Common {
  readonly kind: "env";
  readonly pairs: readonly Pair[];
}

export interface From extends Common {
  readonly kind: "from";
  readonly options: readonly InstructionOption[];
  readonly image: string;
  readonly alias: string | undefined;
}

export interface Label extends Common {
  readonly kind: "label";
  readonly pairs: readonly Pair[];
  /** Of the command line: what looks like a variable is none. */
  readonly isLiteral?: true;
}

/** RSYNC and its other name NSYNC. */
export interface Rsync extends Common {
  readonly kind: "rsync";
  /** The letter after `+`. */
  readonly plus: string | undefined;
  readonly words: readonly string[];
}

/** RUN, with the options that ch understands itself. */
export type Run =
  & Common
  & {
    readonly kind: "run";
    readonly options: readonly InstructionOption[];
    /** The documents that its command asks for. */
    readonly heredocs: readonly Heredoc[];
  }
  & CommandForm;

export interface Shell extends Common {
  readonly kind: "shell";
  readonly argv: readonly string[];
}

export interface Workdir extends Common {
  readonly kind: "workdir";
  readonly path: string;
}

/** `# escape=…`, `# syntax=…` before the first instruction. */
export interface Directive extends Common {
  readonly kind: "directive";
  readonly name: string;
  readonly value: string;
}

export type Instruction =
  | Arg
  | Configure
  | Copy
  | Directive
  | Env
  | From
  | Label
  | Rsync
  | Run
  | Shell
  | Workdir;

/** A parsed file, in its order. */
export interface Dockerfile {
  /** As messages name it. */
  readonly file: string;
  readonly dialect: Dialect;
  readonly instructions: readonly Instruction[];
}
