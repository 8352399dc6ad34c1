// Instructions made ready for execution: the pure half of a build. Nothing is changed here, and
// whatever is wrong with an instruction by itself shows here.

import type {
  Arg,
  Env,
  Instruction,
  Label,
  Run,
  Shell,
  Workdir,
} from "../dockerfile/instruction.ts";
import { printJsonList, printList } from "../dockerfile/print.ts";
import { substituteVariables } from "../dockerfile/substitute.ts";
import type { InstructionText, Prepared } from "./action.ts";
import type { ForceMode } from "./force.ts";
import { joinPath, type StageState } from "./state.ts";
import { PASSED_THROUGH } from "./variables.ts";

/** ARG; GIVEN are the values of `--build-arg`, which are substituted as well. */
export function prepareArg(
  arg: Arg,
  given: ReadonlyMap<string, string>,
  state: StageState,
): Prepared {
  const raw = given.get(arg.name) ?? arg.value;
  const value = raw === undefined ? undefined : substitute(raw, state);
  return { text: describeArg(arg.name, value), action: { op: "arg", name: arg.name, value } };
}

export function describeArg(name: string, value: string | undefined): InstructionText {
  const special = PASSED_THROUGH.has(name) ? " [special]" : "";
  const shown = value === undefined ? "" : `'${value}'`;
  return { name: "ARG", operands: `${name}=${shown}${special}` };
}

/** ENV or LABEL with one pair, see {@linkcode splitPairs}. */
export function preparePair({ kind, pairs: [pair] }: Env | Label, state: StageState): Prepared {
  const { name, value: raw } = pair!;
  const value = substitute(raw, state);
  return {
    text: { name: kind.toUpperCase(), operands: `${name}='${value}'` },
    action: { op: kind, name, value },
  };
}

/** Each pair of ENV and LABEL is an instruction of its own, and sees the ones before. */
export function splitPairs(instruction: Instruction): Instruction[] {
  if (instruction.kind !== "env" && instruction.kind !== "label") return [instruction];
  return instruction.pairs.map((pair) => ({ ...instruction, pairs: [pair] }));
}

const MODE_LETTERS: Readonly<Record<ForceMode, string>> = {
  seccomp: "S",
  fakeroot: "F",
  none: "N",
};

export function prepareRun(run: Run, mode: ForceMode, state: StageState): Prepared {
  const argv = run.form === "list"
    ? run.argv.map((item) => substitute(item, state))
    : [...state.shell, run.command];
  return {
    text: {
      name: `RUN.${MODE_LETTERS[mode]}`,
      operands: run.form === "list" ? printJsonList(argv) : run.command,
    },
    action: { op: "run", run: { form: run.form, argv } },
  };
}

export function prepareShell(shell: Shell, state: StageState): Prepared {
  const argv = shell.argv.map((item) => substitute(item, state));
  return { text: { name: "SHELL", operands: printList(argv) }, action: { op: "shell", argv } };
}

export function prepareWorkdir(workdir: Workdir, state: StageState): Prepared {
  const path = substitute(workdir.path, state).replace(/\/{2,}/g, "/").replace(/^(?:\.\/)+/, "");
  return {
    text: { name: "WORKDIR", operands: path },
    action: { op: "workdir", path: joinPath(state.cwd, path) },
  };
}

/** TEXT with the stage's variables. */
export function substitute(text: string, state: StageState): string {
  return substituteVariables(text, (name) => state.variables.find(name));
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
    case "copy":
      return `${printList(instruction.paths.slice(0, -1))} -> ${instruction.paths.at(-1)}`;
    case "directive":
    case "ignored":
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
