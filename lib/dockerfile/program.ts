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

function checkOptions(instruction: Instruction): void {
  switch (instruction.kind) {
    case "copy":
      return checkEach(instruction, "COPY", instruction.options, (option) => {
        if (option.name === "from" || option.name === "chown") return;
        throw new ChError(`COPY: invalid option --${option.name}`);
      });
    case "from":
      return checkEach(instruction, "FROM", instruction.options, (option) => {
        if (option.name === "platform") {
          throw new ChError("not yet supported: issue #778: FROM --platform");
        }
        if (option.name !== "arg") throw new ChError(`FROM: invalid option --${option.name}`);
        if (option.key === undefined) {
          throw new ChError(`FROM: --arg: not NAME=VALUE: ${option.value}`);
        }
      });
    case "arg":
    case "directive":
    case "env":
    case "ignored":
    case "label":
    case "rsync":
    case "run":
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
    const isRepeated = option.name !== "arg" &&
      options.slice(0, index).some((earlier) => earlier.name === option.name);
    if (isRepeated) {
      const line = String(instruction.position.line).padStart(3);
      throw new ChError(`${line} ${name}: repeated option --${option.name}`);
    }
    check(option);
  });
}
