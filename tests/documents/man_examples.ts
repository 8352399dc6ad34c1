// The examples of a man page as parts of a document (markdown.ts): each block between .EX and .EE of its section
// EXAMPLES. Man pages show little output, so a command that shows none may have any. Comments of the source say
// what readers need not know:
//
//   .\" run: COMMANDS          what the next examples take for granted
//   .\" not run: REASON        the next block is not run
//   .\" needs: NAME...         what the machine must have

import type { MarkdownDocument, Part } from "./markdown.ts";

export function parseManExamples(source: string): MarkdownDocument {
  const needs: string[] = [];
  const parts: Part[] = [];
  let section = "", reason: string | undefined, block: string[] | undefined;
  for (const [index, raw] of source.split("\n").entries()) {
    const line = index + 1;
    const [, key, text = ""] = /^\.\\" (needs|run|not run): (.*)$/.exec(raw) ?? [];
    if (key === "needs") needs.push(...text.split(" "));
    else if (key === "run") parts.push({ type: "hidden", text, line });
    else if (key === "not run") reason = text;
    else if (raw.startsWith(".SH ")) section = raw.slice(4);
    else if (raw === ".EX" && section === "EXAMPLES") block = [];
    else if (raw === ".EE" && block !== undefined) {
      const first = line - block.length;
      parts.push(
        reason === undefined
          ? { type: "examples", text: `${block.join("\n")}\n`, line: first }
          : { type: "skipped", reason, line: first },
      );
      block = reason = undefined;
    } else block?.push(typed(raw));
  }
  return { needs, parts };
}

/** What roff makes of a line of text. */
function typed(line: string): string {
  return line.replaceAll("\\-", "-").replaceAll("\\e", "\\").replaceAll("\\(aq", "'");
}
