// Instructions made ready for execution: the pure half of a build. Nothing is changed here, and
// whatever is wrong with an instruction by itself shows here.

import type { Arg, Env, Instruction, Label, Shell, Workdir } from "../dockerfile/instruction.ts";
import { printJsonList, printList } from "../dockerfile/print.ts";
import type { InstructionText, Prepared } from "./action.ts";
import { describeSetting } from "./settings.ts";
import { joinPath, type StageState } from "./state.ts";
import { PASSED_THROUGH } from "./variables.ts";

/** ARG; GIVEN are the values of `--build-arg`, which are substituted as well. */
export function prepareArg(
  arg: Arg,
  given: ReadonlyMap<string, string>,
  state: StageState,
): Prepared {
  const raw = given.get(arg.name) ?? arg.value;
  const value = raw === undefined ? state.variables.findOffered(arg.name) : state.substitute(raw);
  return { text: describeArg(arg.name, value), action: { op: "arg", name: arg.name, value } };
}

export function describeArg(name: string, value: string | undefined): InstructionText {
  const special = PASSED_THROUGH.has(name) ? " [special]" : "";
  const shown = value === undefined ? "" : `'${value}'`;
  return { name: "ARG", operands: `${name}=${shown}${special}` };
}

/** ENV or LABEL with one pair, see {@linkcode splitPairs}. Values may have been substituted already. */
export function preparePair(instruction: Env | Label, state: StageState): Prepared {
  const { kind, pairs: [pair] } = instruction;
  const isDone = state.dialect.rules === "docker" ||
    (kind === "label" && instruction.isLiteral === true);
  const { name } = pair!;
  const value = isDone ? pair!.value : state.substitute(pair!.value);
  return {
    text: { name: kind.toUpperCase(), operands: `${name}='${value}'` },
    action: { op: kind, name, value },
  };
}

/**
 * Each pair of ENV and LABEL is an instruction of its own. By upstream's rules it sees the ones before;
 * by Docker's none of them, so all are substituted here.
 */
export function splitPairs(instruction: Instruction, state: StageState): Instruction[] {
  if (instruction.kind !== "env" && instruction.kind !== "label") return [instruction];
  const isDocker = state.dialect.rules === "docker";
  const isLiteral = instruction.kind === "label" && instruction.isLiteral === true;
  return instruction.pairs.map(({ name, value }) => {
    const pair = isDocker && !isLiteral
      ? { name: state.substitute(name), value: state.substitute(value) }
      : { name, value };
    return { ...instruction, pairs: [pair] };
  });
}

export function prepareShell(shell: Shell, state: StageState): Prepared {
  const argv = shell.argv.map((item) => state.substitute(item));
  return { text: { name: "SHELL", operands: printList(argv) }, action: { op: "shell", argv } };
}

export function prepareWorkdir(workdir: Workdir, state: StageState): Prepared {
  const path = state.substitute(workdir.path).replace(/\/{2,}/g, "/").replace(/^(?:\.\/)+/, "");
  return {
    text: { name: "WORKDIR", operands: path },
    action: { op: "workdir", path: joinPath(state.cwd, path) },
  };
}

/** An instruction as it is announced when preparing it failed: as written. */
export function describeUnprepared(instruction: Instruction): InstructionText {
  const name = instruction.keyword.toUpperCase();
  return { name, operands: describeOperands(instruction) };
}

function describeOperands(instruction: Instruction): string {
  switch (instruction.kind) {
    case "arg":
      return describeArg(instruction.name, instruction.value).operands;
    case "add":
    case "copy":
      return `${printList(instruction.paths.slice(0, -1))} -> ${instruction.paths.at(-1)}`;
    case "configure":
      return describeSetting(instruction.setting);
    case "directive":
      return "(unsupported)";
    case "env":
    case "label":
      return instruction.pairs.map(({ name, value }) => `${name}='${value}'`).join(" ");
    case "from":
      return instruction.image +
        (instruction.alias === undefined ? "" : ` AS ${instruction.alias}`);
    case "rsync":
      return `+${instruction.plus ?? "l"} ${instruction.words.join(" ")}`;
    case "run":
      return instruction.form === "list" ? printJsonList(instruction.argv) : instruction.command;
    case "shell":
      return printList(instruction.argv);
    case "workdir":
      return instruction.path;
    default:
      return instruction satisfies never;
  }
}
