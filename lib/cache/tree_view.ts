// The states of the build cache as a tree, the newest first (spec build-cache §8.2).

import { displayOsString } from "../../ffi/os_string.ts";
import type { Graph, GraphState } from "./graph.ts";
import { identifyState } from "./state_files.ts";
import { formatSid, ROOT_SID } from "./state_id.ts";

const WIDTH = 77;

export interface TreeViewOptions {
  /** Identifiers as well, and nothing cut off. */
  readonly verbose: boolean;
}

/** A line for each state, and lines between them where branches join. */
export function formatTree(graph: Graph, { verbose }: TreeViewOptions): string[] {
  const lines: string[] = [];
  /** What is still to be written, the next at the end; no recursion, as lines of descent are long. */
  const work: (GraphState | string | Level)[] = [{ state: graph.root, depth: 0 }];
  for (let next = work.pop(); next !== undefined; next = work.pop()) {
    if (typeof next === "string") {
      lines.push(next);
    } else if ("state" in next) {
      const { state, depth } = next;
      const bars = "| ".repeat(depth);
      const line = formatNode(`${bars}*`, state, verbose);
      // In reverse: the newest child's branch is written first, on the same level.
      work.push(line);
      state.children.toReversed().forEach((child, index, { length }) => {
        const isFirst = index === length - 1;
        if (!isFirst) work.push(`${bars}|/`);
        else if (verbose) work.push(`${bars}|`);
        work.push({ state: child, depth: isFirst ? depth : depth + 1 });
      });
    }
  }
  return lines;
}

interface Level {
  readonly state: GraphState;
  readonly depth: number;
}

function formatNode(prefix: string, state: GraphState, verbose: boolean): string {
  const names = state.names.length > 0 ? `(${state.names.join(", ")}) ` : "";
  const label = displayOsString(state.label.replaceAll("\n", " "));
  if (!verbose) return cut(`${prefix}  ${names}${label}`);
  const id = identifyState(state.name).slice(0, 7);
  return `${prefix}  ${names}${id} ${label} ${formatSid(state.sid ?? ROOT_SID)}`;
}

function cut(line: string): string {
  return line.length > WIDTH ? `${line.slice(0, WIDTH - 2)}..` : line.padEnd(WIDTH);
}
