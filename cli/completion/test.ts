// Completing ch-test.

import { CHECKED_PHASES } from "../../lib/selftest/check.ts";
import { CH_TEST, PHASES } from "../test_table.ts";
import { completeFiles, DIRECTORIES } from "./files.ts";
import { readLine } from "./line.ts";
import { optionsOf, type Request, withPrefix } from "./tool.ts";

export function completeTest({ words, world }: Request): string[] {
  const line = readLine(CH_TEST, words);
  switch (line.pending?.long) {
    case undefined:
      return [...optionsOf(CH_TEST), ...line.positionals.length > 0 ? [] : PHASES];
    case "file":
      return withPrefix(line, CHECKED_PHASES);
    case "pack-dir":
    case "img-dir":
      return withPrefix(line, completeFiles(line.word, DIRECTORIES, world));
    default:
      return withPrefix(line, line.pending?.choices ?? []);
  }
}
