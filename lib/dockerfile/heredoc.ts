// Here-documents of RUN, COPY and ADD: `<<NAME` in a line, and the lines that follow up to NAME.

/** One here-document. */
export interface Heredoc {
  /** As it stands in the line, e.g. `<<-"EOF"`. */
  readonly word: string;
  readonly name: string;
  /** Lines, each with its newline. */
  readonly content: string;
  /** Whether variables in it are replaced: not if the name is quoted. */
  readonly expand: boolean;
}

/** What was found, and the offset behind it. */
export interface HeredocsFound {
  readonly heredocs: readonly Heredoc[];
  readonly next: number;
}

const WORD =
  /(?<![^ \t;|&(])(\d*)<<(-?)(?:"([^"<>\s]+)"|'([^'<>\s]+)'|([A-Za-z_][\w.-]*))(?=$|[\s;|&>)])/g;

/**
 * The here-documents that LINE asks for, which stand in TEXT from OFFSET on. One whose end is missing is
 * none: undefined then, with its name where there should have been an end.
 */
export function findHeredocs(
  line: string,
  text: string,
  offset: number,
): HeredocsFound | { readonly unfinished: string } {
  const heredocs: Heredoc[] = [];
  let next = offset;
  for (const found of line.matchAll(WORD)) {
    const [word, , dash, double, single, bare] = found;
    const name = (double ?? single ?? bare)!;
    const body = readBody(text, next, name, dash === "-");
    if (body === undefined) return { unfinished: name };
    heredocs.push({ word, name, content: body.content, expand: bare !== undefined });
    next = body.next;
  }
  return { heredocs, next };
}

function readBody(text: string, offset: number, name: string, stripTabs: boolean) {
  let content = "";
  let at = offset;
  while (at < text.length) {
    const newline = text.indexOf("\n", at);
    const end = newline < 0 ? text.length : newline;
    const raw = text.slice(at, end);
    const line = stripTabs ? raw.replace(/^\t+/, "") : raw;
    at = newline < 0 ? end : newline + 1;
    if (line === name) return { content, next: at };
    content += line + "\n";
  }
  return undefined;
}
