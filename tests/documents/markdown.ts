// What a document holds for its test: the fenced blocks of a Markdown text, and comments that readers of the
// rendered page do not see. A block is
//
//   ```console             a transcript, which is run (transcript.ts)
//   ```LANGUAGE            a file that the reader types in, if "<!-- file: PATH -->" stands before it
//   ```text, or none       a drawing or a format: no example
//
// and any block may have "<!-- not run: REASON -->" before it. Between blocks, "<!-- run: COMMANDS -->" does what
// the text takes for granted, and "<!-- needs: NAME... -->" says what the machine must have (tests/rig.ts).

/** A thing to do, in the order of the document; `line` is where it begins. */
export type Part =
  & { readonly line: number }
  & (
    | { readonly type: "transcript"; readonly text: string }
    /** The same, but a command that shows no output may have any. */
    | { readonly type: "examples"; readonly text: string }
    | { readonly type: "file"; readonly path: string; readonly text: string }
    | { readonly type: "hidden"; readonly text: string }
    | { readonly type: "skipped"; readonly reason: string }
  );

export interface MarkdownDocument {
  readonly needs: readonly string[];
  readonly parts: readonly Part[];
}

/** Throws an Error with the line of what is not of these forms. */
export function parseMarkdown(source: string): MarkdownDocument {
  const needs: string[] = [];
  const parts: Part[] = [];
  let pending: Comment | undefined;
  for (const token of tokenize(source)) {
    if (token.type === "block") {
      const part = toPart(token, pending);
      if (part !== undefined) parts.push(part);
      pending = undefined;
      continue;
    }
    if (pending !== undefined) throw wrong(pending.line, `no block after "${pending.key}:"`);
    switch (token.key) {
      case "needs":
        needs.push(...token.text.split(/\s+/));
        break;
      case "run":
        parts.push({ type: "hidden", text: token.text, line: token.line });
        break;
      case "file":
      case "not run":
        pending = token;
        break;
      default:
        token.key satisfies never;
    }
  }
  if (pending !== undefined) throw wrong(pending.line, `no block after "${pending.key}:"`);
  return { needs, parts };
}

interface Block {
  readonly type: "block";
  readonly language: string;
  readonly text: string;
  readonly line: number;
}

const KEYS = ["needs", "run", "file", "not run"] as const;

interface Comment {
  readonly type: "comment";
  readonly key: typeof KEYS[number];
  readonly text: string;
  readonly line: number;
}

function* tokenize(source: string): Generator<Block | Comment> {
  const pattern = /^```(.*)\n([^]*?)^```$|^<!-- ([a-z ]+): ([^]*?) ?-->$/gm;
  for (const { index, 0: all, 1: language, 2: body, 3: key, 4: text } of source.matchAll(pattern)) {
    const line = source.slice(0, index).split("\n").length;
    if (language !== undefined) {
      yield { type: "block", language, text: body ?? "", line: line + 1 };
      continue;
    }
    const known = KEYS.find((each) => each === key);
    if (known === undefined) throw wrong(line, `unknown comment: ${all}`);
    yield { type: "comment", key: known, text: (text ?? "").trim(), line };
  }
}

function toPart({ language, text, line }: Block, before: Comment | undefined): Part | undefined {
  if (before?.key === "not run") return { type: "skipped", reason: before.text, line };
  if (before?.key === "file") return { type: "file", path: before.text, text, line };
  if (language === "console") return { type: "transcript", text, line };
  if (language !== "text" && language !== "") {
    throw wrong(line, `a block of ${language} that is neither a file nor marked as not run`);
  }
  if (/^\$ /m.test(text)) throw wrong(line, "a transcript that is not marked as console");
}

function wrong(line: number, what: string): Error {
  return new Error(`line ${line}: ${what}`);
}
