// Carries a document out: all its commands, in one shell of an ordinary user in an empty home directory, as a
// reader who types them would.

import { rig, type Workplace } from "../rig.ts";
import type { Part } from "./markdown.ts";
import { matchesOutput, parseTranscript, type Step, wantedStatus } from "./transcript.ts";

/** What readers of the documents are called. Stands for the user of the test in commands and output. */
const READER = /\bcharlie\b/g;

const LIMIT = 600_000;

/** Returns what differs from the document, with lines and outputs; none if all is as it says. */
export async function carryOut(
  parts: readonly Part[],
  work: Workplace,
  environment: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const steps = parts.flatMap(toSteps).map((step) => asUser(step));
  const files = Object.fromEntries(steps.flatMap((step, index) => [
    [`${index}.sh`, `${step.command}\n`],
    [`${index}.in`, step.input],
  ]));
  const directory = work.tree("steps", files);
  const home = `${work.path}/home`;
  const { stderr } = await work.run(["bash", "-c", SHELL, "bash", directory, `${steps.length}`], {
    cwd: home,
    env: environment,
    limit: LIMIT,
  });
  const differences = steps.flatMap((step, index) => {
    const status = findText(`${directory}/${index}.status`);
    if (status === undefined) return [`line ${step.line}: not reached: ${step.command}\n${stderr}`];
    const output = findText(`${directory}/${index}.out`) ?? "";
    return compare(step, steps[index + 1], Number(status), output);
  });
  // What comes after the first ones mostly follows from them.
  return differences.slice(0, 3);
}

/** Runs each step with the exit status of the one before in $?, and goes on whatever that is. */
const SHELL = `
status=0
trap 'kill $(jobs -p) 2>/dev/null' EXIT
take() {
    (exit "$status")
    . "$1.sh" <"$1.in" >"$1.out" 2>&1
}
for ((step = 0; step < $2; step++)); do
    take "$1/$step"
    status=$?
    echo "$status" >"$1/$step.status"
done
`;

/** A step is hidden if its output is not compared. */
type Task = Step & { readonly isHidden: boolean };

function toSteps(part: Part): readonly Task[] {
  const { line } = part;
  const hidden = { line, input: "", output: [], isHidden: true };
  switch (part.type) {
    case "transcript":
      return parseTranscript(part.text, line).map((step) => ({ ...step, isHidden: false }));
    case "examples":
      return parseTranscript(part.text, line)
        .map((step) => ({ ...step, isHidden: step.output.length === 0 }));
    case "hidden":
      return [{ ...hidden, command: part.text }];
    case "file": {
      const command = `mkdir -p "$(dirname '${part.path}')"; cat >'${part.path}'`;
      return [{ ...hidden, command, input: part.text }];
    }
    case "skipped":
      return [];
    default:
      return part satisfies never;
  }
}

function asUser(step: Task): Task {
  const rename = (text: string) => text.replace(READER, rig.user);
  return { ...step, command: rename(step.command), output: step.output.map(rename) };
}

function compare(step: Task, next: Task | undefined, status: number, output: string): string[] {
  const wanted = step.isHidden ? "success" : wantedStatus(step, next);
  const isStatusRight = wanted === "any" || (wanted === "success") === (status === 0);
  if (isStatusRight && (step.isHidden || matchesOutput(step.output, output))) return [];
  return [
    [
      `line ${step.line}: $ ${step.command}`,
      `--- exit status ${status}; in the document:`,
      ...step.output,
      "--- in fact:",
      output,
    ].join("\n"),
  ];
}

function findText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
