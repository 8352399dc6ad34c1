// Transcripts in documents: what is typed and what appears. They read
//
//   $ COMMAND          a line for the host's shell; it goes on after "\" and in a here-document
//   > INPUT            a line typed into that command, for example a shell in a container
//   OUTPUT             what standard output and error have then; none shown means none
//
// In output, "…" is any text within a line, and a line "[…]" any number of lines. A progress meter, which a
// terminal shows in one line, stands as that terminal shows it in the end.

export interface Step {
  /** Of the document. */
  readonly line: number;
  readonly command: string;
  readonly input: string;
  readonly output: readonly string[];
}

/** TEXT begins at line FIRST of its document. Throws an Error where output comes before any command. */
export function parseTranscript(text: string, first: number): readonly Step[] {
  const steps: { line: number; command: string; input: string; output: string[] }[] = [];
  let unfinished: ((line: string) => boolean) | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const step = steps.at(-1);
    if (unfinished !== undefined) {
      step!.command += `\n${line}`;
      if (!unfinished(line)) unfinished = undefined;
    } else if (line.startsWith("$ ")) {
      const command = line.slice(2);
      steps.push({ line: first + index, command, input: "", output: [] });
      unfinished = findContinuation(command);
    } else if (step === undefined) {
      if (line !== "") throw new Error(`line ${first + index}: output without a command`);
    } else if (line.startsWith("> ")) {
      step.input += `${line.slice(2)}\n`;
    } else {
      step.output.push(line);
    }
  }
  return steps.map((step) => ({ ...step, output: trimEnd(step.output) }));
}

/** Whether a command goes on after its first line; if so, says of each further line whether it still does. */
function findContinuation(command: string): ((line: string) => boolean) | undefined {
  const delimiter = /<<-?\s*(['"]?)(\w+)\1/.exec(command)?.[2];
  if (delimiter !== undefined) return (line) => line !== delimiter;
  const endsOpen = (line: string) => line.endsWith("\\");
  return endsOpen(command) ? endsOpen : undefined;
}

/** Blank lines between an output and the next command are for the eye. */
function trimEnd(lines: readonly string[]): readonly string[] {
  const last = lines.findLastIndex((line) => line !== "");
  return lines.slice(0, last + 1);
}

/** Whether an output is what a transcript shows. */
export function matchesOutput(expected: readonly string[], actual: string): boolean {
  const source = expected.map((line) =>
    line === ANY_LINES ? "(?:.*\n)*?" : line.split("…").map(RegExp.escape).join(".*") + "\n"
  ).join("");
  const lines = trimEnd(foldMeters(actual.split("\n").map(overwrite)));
  return new RegExp(`^${source}$`).test(lines.map((line) => `${line}\n`).join(""));
}

const ANY_LINES = "[…]";

/** What a terminal shows of a line after its carriage returns, roughly. */
function overwrite(line: string): string {
  return line.replace(/\r$/, "").replace(/^.*\r/s, "");
}

/** Of successive lines that differ only in how far something is, the last. */
function foldMeters(lines: readonly string[]): readonly string[] {
  const meter = (line: string | undefined) =>
    /^(.*: )(?:[\d.]+\/[\d.]+ .iB \()?\d+%\)?$/.exec(line ?? "")?.[1];
  return lines.filter((line, index) => {
    const subject = meter(line);
    return subject === undefined || meter(lines[index + 1]) !== subject;
  });
}

/** What the command's exit status should be, as far as the transcript tells. Failing is shown by an error
 * message or by asking for the status next. */
export function wantedStatus(step: Step, next: Step | undefined): "success" | "failure" | "any" {
  if (next?.command === "echo $?") return "any";
  return step.output.some((line) => /\berror: /.test(line)) ? "failure" : "success";
}
