// A Dockerfile from its text: comments and blank lines left out, the rest in order as instructions.

import { Cursor } from "./cursor.ts";
import { readInstruction } from "./grammar.ts";
import type { Directive, Dockerfile, Instruction } from "./instruction.ts";
import { LogicalLine } from "./logical_line.ts";
import { type DockerfileSource, positionOf } from "./source.ts";

const BLANK = /^[ \t]*$/;
const COMMENT = /^[ \t]*#/;
const DIRECTIVE = /^[ \t]*(#)[ \t]*(escape|syntax)=/;

/** Parses SOURCE. Throws a DockerfileError at the first mistake of form; meaning is not looked at. */
export function parseDockerfile(source: DockerfileSource): Dockerfile {
  const instructions: Instruction[] = [];
  let isBegun = false;
  let offset = 0;
  while (offset < source.text.length) {
    const newline = source.text.indexOf("\n", offset);
    const end = newline < 0 ? source.text.length : newline;
    const line = source.text.slice(offset, end);
    if (BLANK.test(line)) {
      offset = end + 1;
    } else if (COMMENT.test(line)) {
      const directive = isBegun ? undefined : findDirective(source, offset, line);
      if (directive !== undefined) instructions.push(directive);
      offset = end + 1;
    } else {
      isBegun = true;
      const logical = new LogicalLine(source.text, offset);
      instructions.push(readInstruction(new Cursor(source, logical)));
      offset = logical.next;
    }
  }
  return { file: source.file, instructions };
}

function findDirective(
  source: DockerfileSource,
  offset: number,
  line: string,
): Directive | undefined {
  const found = DIRECTIVE.exec(line);
  if (found === null) return undefined;
  const position = positionOf(source.text, offset + line.indexOf("#"));
  return { kind: "directive", position, keyword: `#${found[2]}`, name: found[2]! };
}
