// A Dockerfile from its text: comments and blank lines left out, the rest in order as instructions.

import { Cursor } from "./cursor.ts";
import { CHARLIECLOUD, chooseDialect, type Dialect } from "./dialect.ts";
import { readInstructions } from "./grammar.ts";
import { findHeredocs, type Heredoc } from "./heredoc.ts";
import type { Directive, Dockerfile, Instruction } from "./instruction.ts";
import { LogicalLine } from "./logical_line.ts";
import { DockerfileError, type DockerfileSource, positionOf } from "./source.ts";

const BLANK = /^[ \t]*$/;
const COMMENT = /^[ \t]*#/;
const DIRECTIVE = /^[ \t]*#[ \t]*(escape|syntax)=(.*)$/;
const WITH_HEREDOCS = /^[ \t]*(?:RUN|COPY|ADD)(?=[ \t])/i;

/** Parses SOURCE. Throws a DockerfileError at the first mistake of form; meaning is not looked at. */
export function parseDockerfile(source: DockerfileSource): Dockerfile {
  const instructions: Instruction[] = [];
  let dialect: Dialect | undefined;
  let offset = 0;
  while (offset < source.text.length) {
    const newline = source.text.indexOf("\n", offset);
    const end = newline < 0 ? source.text.length : newline;
    const line = source.text.slice(offset, end);
    if (BLANK.test(line)) {
      offset = end + 1;
    } else if (COMMENT.test(line)) {
      const directive = dialect === undefined ? findDirective(source, offset, line) : undefined;
      if (directive !== undefined) instructions.push(directive);
      offset = end + 1;
    } else {
      dialect ??= chooseDialect(instructions as Directive[]);
      const logical = new LogicalLine(source.text, offset, dialect);
      const { heredocs, next } = readHeredocs(source, logical, dialect);
      instructions.push(...readInstructions(new Cursor(source, logical, dialect, heredocs)));
      offset = next;
    }
  }
  return { file: source.file, dialect: dialect ?? CHARLIECLOUD, instructions };
}

function readHeredocs(
  source: DockerfileSource,
  line: LogicalLine,
  { rules }: Dialect,
): { readonly heredocs: readonly Heredoc[]; readonly next: number } {
  const none = { heredocs: [], next: line.next };
  if (!WITH_HEREDOCS.test(line.text)) return none;
  const found = findHeredocs(line.text, source.text, line.next);
  if (!("unfinished" in found)) return found;
  // Upstream has no here-documents: there it may be anything.
  if (rules === "charliecloud") return none;
  throw new DockerfileError(source, source.text.length, `here-document’s end: ${found.unfinished}`);
}

function findDirective(
  source: DockerfileSource,
  offset: number,
  line: string,
): Directive | undefined {
  const found = DIRECTIVE.exec(line);
  if (found === null) return undefined;
  const position = positionOf(source.text, offset + line.indexOf("#"));
  const [, name, value] = found;
  return { kind: "directive", position, keyword: `#${name}`, name: name!, value: value!.trim() };
}
