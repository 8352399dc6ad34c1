// RUN made ready: its command, its mounts, and the script that a here-document is.

import type { Run } from "../dockerfile/instruction.ts";
import { printJsonList } from "../dockerfile/print.ts";
import type { Prepared } from "./action.ts";
import type { ForceMode } from "./force.ts";
import { checkSecurity, type FoundMount, type Mount, parseMounts, parseNetwork } from "./mount.ts";
import type { StageState } from "./state.ts";

const MODE_LETTERS: Readonly<Record<ForceMode, string>> = {
  seccomp: "S",
  fakeroot: "F",
  none: "N",
};

/** Where a here-document that names its own interpreter is put for the time of its RUN. */
export const SCRIPT = "/ch/run.script";

/** Finds what MOUNT takes from the host. */
export type FindMount = (mount: Mount) => Promise<FoundMount>;

/** Throws a ChError for mounts that do not make sense or cannot be found. */
export async function prepareRun(
  run: Run,
  mode: ForceMode,
  state: StageState,
  findMount: FindMount,
): Promise<Prepared> {
  checkSecurity(run.options);
  const mounts = parseMounts(run.options, state.cwd, (text) => state.substitute(text));
  const { argv, script } = chooseCommand(run, state);
  const found: FoundMount[] = [];
  for (const mount of mounts) found.push(await findMount(mount));
  return {
    text: {
      name: `RUN.${MODE_LETTERS[mode]}`,
      ...describeOptions(run),
      operands: run.form === "list" ? printJsonList(argv) : run.command,
      ...run.heredocs.length === 0
        ? {}
        : { hidden: run.heredocs.map(({ content }) => content).join("\0") },
    },
    action: {
      op: "run",
      run: { form: run.form, argv, script, mounts: found, network: parseNetwork(run.options) },
    },
  };
}

function describeOptions({ options }: Run): { readonly options?: string } {
  if (options.length === 0) return {};
  return { options: options.map(({ name, value }) => `--${name}=${value}`).join(" ") };
}

interface Command {
  readonly argv: readonly string[];
  readonly script: string | undefined;
}

function chooseCommand(run: Run, state: StageState): Command {
  if (run.form === "list") {
    // Docker leaves lists to nobody; upstream replaces variables in them.
    const isDocker = state.dialect.rules === "docker";
    const argv = isDocker ? run.argv : run.argv.map((item) => state.substitute(item));
    return { argv, script: undefined };
  }
  const [first] = run.heredocs;
  if (first === undefined) return { argv: [...state.shell, run.command], script: undefined };
  // Nothing but a here-document: it is the command itself.
  if (run.heredocs.length === 1 && run.command.trim() === first.word) {
    return first.content.startsWith("#!")
      ? { argv: [SCRIPT], script: first.content }
      : { argv: [...state.shell, first.content], script: undefined };
  }
  const bodies = run.heredocs.map(({ content, name }) => `${content}${name}\n`).join("");
  return { argv: [...state.shell, `${run.command}\n${bodies}`], script: undefined };
}
