// The tree of states in the language of graphviz.

import { displayOsString } from "../../ffi/os_string.ts";
import type { Graph, GraphState } from "./graph.ts";

/** States are boxes "XXXX|LABEL" with the first digits of the SID, names are grey ones. */
export function formatDot({ root, states }: Graph): string {
  const all = [root, ...states];
  const ids = new Map(all.map((state, index) => [state, `s${index}`]));
  const lines = all.flatMap((state) => {
    const id = ids.get(state)!;
    return [
      `  ${id} [label=${quote(`${state.sid.slice(0, 4)}|${describe(state)}`)}]`,
      ...state.names.flatMap((name, index) => [
        `  ${id}n${index} [label=${quote(name)}, style=filled, fillcolor=grey]`,
        `  ${id}n${index} -> ${id}`,
      ]),
      ...state.children.map((child) => `  ${ids.get(child)} -> ${id}`),
    ];
  });
  return ["digraph {", "  rankdir=TB", "  node [shape=box]", ...lines, "}", ""].join("\n");
}

function describe({ label }: GraphState): string {
  return displayOsString(label.replaceAll("\n", " "));
}

function quote(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
