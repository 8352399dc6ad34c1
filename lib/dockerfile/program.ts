// What a file must hold beyond its grammar, checked before anything is done.

import { ChError } from "../error.ts";
import type {
  Arg,
  Directive,
  Dockerfile,
  From,
  Instruction,
  InstructionOption,
} from "./instruction.ts";

/** One FROM and what follows it. */
export interface Stage {
  readonly from: From;
  readonly instructions: readonly Instruction[];
}

/** A file in the order of its execution. */
export interface Program {
  /** What stands before the first FROM. */
  readonly preamble: readonly (Arg | Directive)[];
  /** At least one. */
  readonly stages: readonly Stage[];
}

/** Divides a parsed file into stages. Throws a ChError where they cannot be made out. */
export function divideIntoStages(dockerfile: Dockerfile): Program {
  const instructions = dockerfile.instructions;
  const effective = instructions.filter((instruction) => instruction.kind !== "directive");
  if (effective.length === 0) throw new ChError(`no instructions found: ${dockerfile.file}`);
  const firstOther = effective.findIndex((instruction) => instruction.kind !== "arg");
  if (effective[firstOther]?.kind !== "from") {
    throw new ChError("first instruction must be ARG or FROM");
  }
  instructions.forEach(checkOptions);

  const fromAt = instructions.flatMap(({ kind }, index) => kind === "from" ? [index] : []);
  return {
    preamble: instructions.slice(0, fromAt[0]) as (Arg | Directive)[],
    stages: fromAt.map((at, number) => ({
      from: instructions[at] as From,
      instructions: instructions.slice(at + 1, fromAt[number + 1]),
    })),
  };
}

const COPY_OPTIONS: Readonly<Record<"copy" | "add", readonly string[]>> = {
  copy: ["from", "chown", "chmod", "link", "parents", "exclude"],
  add: ["checksum", "chown", "chmod", "exclude", "keep-git-dir", "link", "unpack"],
};
/** May be given more than once. */
const REPEATED: readonly string[] = ["arg", "exclude", "mount"];

function checkOptions(instruction: Instruction): void {
  switch (instruction.kind) {
    case "add":
    case "copy": {
      const keyword = instruction.kind.toUpperCase();
      return checkEach(instruction, keyword, instruction.options, ({ name }) => {
        if (COPY_OPTIONS[instruction.kind].includes(name)) return;
        throw new ChError(`${keyword}: invalid option --${name}`);
      });
    }
    case "from":
      return checkEach(instruction, "FROM", instruction.options, (option) => {
        if (option.name === "platform" && option.key === undefined) return;
        if (option.name !== "arg") throw new ChError(`FROM: invalid option --${option.name}`);
        if (option.key === undefined) {
          throw new ChError(`FROM: --arg: not NAME=VALUE: ${option.value}`);
        }
      });
    case "run":
      return checkEach(instruction, "RUN", instruction.options, () => {});
    case "arg":
    case "configure":
    case "directive":
    case "env":
    case "label":
    case "rsync":
    case "shell":
    case "workdir":
      return;
    default:
      return instruction satisfies never;
  }
}

function checkEach(
  instruction: Instruction,
  name: string,
  options: readonly InstructionOption[],
  check: (option: InstructionOption) => void,
): void {
  options.forEach((option, index) => {
    const isRepeated = !REPEATED.includes(option.name) &&
      options.slice(0, index).some((earlier) => earlier.name === option.name);
    if (isRepeated) {
      const line = String(instruction.position.line).padStart(3);
      throw new ChError(`${line} ${name}: repeated option --${option.name}`);
    }
    check(option);
  });
}
