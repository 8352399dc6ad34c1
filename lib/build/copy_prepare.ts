// COPY made ready: its sources found, its destination put together.

import type { Copy, InstructionOption } from "../dockerfile/instruction.ts";
import { printList } from "../dockerfile/print.ts";
import { ChError } from "../error.ts";
import type { Prepared } from "./action.ts";
import { substitute } from "./prepare.ts";
import type { SourceTree } from "./source_tree.ts";
import { climbsOut } from "./source_tree.ts";
import { joinPath, type StageState } from "./state.ts";

/** Gives the tree that COPY takes from; undefined if it does not exist because this is a dry run. */
export type OpenSources = () => SourceTree | undefined;

export function prepareCopy(copy: Copy, openSources: OpenSources, state: StageState): Prepared {
  const from = findOption(copy.options, "from");
  const tree = openSources();
  if (copy.paths.length < 2) throw new ChError("source or destination missing");
  const patterns = copy.paths.slice(0, -1);
  const destination = substitute(copy.paths.at(-1)!, state);
  if (destination === "") throw new ChError("can’t COPY: destination is empty");
  const absolute = joinPath(state.cwd, destination);
  if (climbsOut(absolute)) {
    throw new ChError(`can’t COPY: destination not in image: ${destination}`);
  }
  const sources = tree?.expand(patterns.map((pattern) => substitute(pattern, state))) ?? [];
  return {
    text: {
      name: "COPY",
      ...from === undefined ? {} : { options: `--from=${from}` },
      operands: `${printList(patterns)} -> ${printList([destination]).slice(1, -1)}`,
    },
    action: { op: "copy", copy: { tree, sources, destination: absolute } },
  };
}

export function findOption(
  options: readonly InstructionOption[],
  name: string,
): string | undefined {
  return options.find((option) => option.name === name)?.value;
}
