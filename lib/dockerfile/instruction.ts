// The instructions of a Dockerfile as the grammar hands them over: operands separated and unquoted,
// variables not yet replaced, nothing checked that needs more than the one line.

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

export interface Copy extends Common {
  readonly kind: "copy";
  readonly options: readonly InstructionOption[];
  /** Sources, and last the destination. The list form may have fewer than two. */
  readonly paths: readonly string[];
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
}

/** RSYNC and its other name NSYNC. */
export interface Rsync extends Common {
  readonly kind: "rsync";
  /** The letter after `+`. */
  readonly plus: string | undefined;
  readonly words: readonly string[];
}

/** RUN: list form has ARGV, shell form has COMMAND. */
export type Run =
  & Common
  & { readonly kind: "run" }
  & (
    | { readonly form: "list"; readonly argv: readonly string[] }
    | { readonly form: "shell"; readonly command: string }
  );

export interface Shell extends Common {
  readonly kind: "shell";
  readonly argv: readonly string[];
}

export interface Workdir extends Common {
  readonly kind: "workdir";
  readonly path: string;
}

/** Known instructions that do nothing but warn. */
export const IGNORED_KEYWORDS = [
  "ADD",
  "CMD",
  "ENTRYPOINT",
  "EXPOSE",
  "HEALTHCHECK",
  "MAINTAINER",
  "ONBUILD",
  "STOPSIGNAL",
  "USER",
  "VOLUME",
] as const;

export type IgnoredKeyword = typeof IGNORED_KEYWORDS[number];

export interface Ignored extends Common {
  readonly kind: "ignored";
  readonly name: IgnoredKeyword;
}

/** `# escape=…` or `# syntax=…` before the first instruction. */
export interface Directive extends Common {
  readonly kind: "directive";
  readonly name: string;
}

export type Instruction =
  | Arg
  | Copy
  | Directive
  | Env
  | From
  | Ignored
  | Label
  | Rsync
  | Run
  | Shell
  | Workdir;

/** A parsed file, in its order. */
export interface Dockerfile {
  /** As messages name it. */
  readonly file: string;
  readonly instructions: readonly Instruction[];
}
