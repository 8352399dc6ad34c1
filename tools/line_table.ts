// The table by which the small engine's stack traces find their source: for each line of the script one of
// equal width, "FILE:LINE". Reading it takes no source map and no JSON when something has failed.
//   deno run -A tools/line_table.ts SCRIPT.js.map OUTPUT

import { findSegment, TABLE_WIDTH } from "../cli/source_place.ts";

/** One line for each line of the script that the source map MAP is of. */
export function formatLineTable(map: { sources: readonly string[]; mappings: string }): string {
  let source = 0, line = 0;
  const rows = map.mappings.split(";").map((segments) => {
    const found = findSegment(segments, 0, Infinity, { source, line });
    if (found === undefined) return "".padEnd(TABLE_WIDTH);
    ({ source, line } = found);
    const name = map.sources[source]?.split("/").at(-1) ?? "?";
    return `${name}:${line + 1}`.slice(0, TABLE_WIDTH).padEnd(TABLE_WIDTH);
  });
  return rows.join("");
}

if (import.meta.main) {
  const [map, output] = Deno.args;
  const table = formatLineTable(JSON.parse(Deno.readTextFileSync(map!)));
  Deno.writeTextFileSync(output!, table);
}
