// Completing ch-fromhost.

import { FROMHOST } from "../fromhost_options.ts";
import { ALL_FILES, completeFiles, DIRECTORIES } from "./files.ts";
import { readLine } from "./line.ts";
import { optionsOf, type Request, withPrefix } from "./tool.ts";

export function completeFromhost({ words, world }: Request): string[] {
  const line = readLine(FROMHOST, words);
  switch (line.pending?.long) {
    case undefined:
      return [
        ...optionsOf(FROMHOST),
        ...line.positionals.length > 0 ? [] : completeFiles(line.word, DIRECTORIES, world),
      ];
    case "file":
    case "path":
      return withPrefix(line, completeFiles(line.word, ALL_FILES, world));
    default:
      return [];
  }
}
