// The tree of states as a drawing (spec build-cache §8.5).

import { ChError } from "../../lib/error.ts";
import { formatDot } from "../../lib/cache/dot.ts";
import { findProgram } from "../program_search.ts";
import type { Graph } from "../../lib/cache/graph.ts";

/** Writes BASE.gv, and has graphviz make BASE.pdf of it. Throws a ChError if it can't. SEARCH: $PATH. */
export function writeDot(graph: Graph, base: string, search: string): void {
  const file = `${base}.gv`;
  try {
    Deno.writeTextFileSync(file, formatDot(graph));
  } catch (error) {
    throw new ChError(`can’t write: ${file}`, { cause: error });
  }
  const dot = findProgram("dot", search);
  if (dot === undefined) {
    throw new ChError("dot failed with exit code 127, assuming not present", {
      hint: `${file} is there; graphviz makes a drawing of it`,
    });
  }
  const { code } = new Deno.Command(dot, {
    args: ["-Tpdf", `-o${base}.pdf`, file],
    env: { PATH: search },
    stdin: "null",
  }).outputSync();
  if (code !== 0) throw new ChError(`dot failed with exit code ${code}`);
}
