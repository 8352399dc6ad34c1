// What a stage says when others are built at the same time: each line, its own and its commands', begins
// with the stage's name.

import type { Log } from "../log/log.ts";
import type { Output, WatchedOutput } from "./output.ts";
import type { PlannedStage } from "./stages.ts";

/** A stage's name for people: that after AS, else its number. */
export function nameStage(
  { from: { alias }, number }: Pick<PlannedStage, "from" | "number">,
): string {
  return alias ?? String(number);
}

/** What its lines begin with. */
export function voiceOf(stage: string): string {
  return `[${stage}] `;
}

export function prefixLog(log: Log, prefix: string): Log {
  const mark = (text: string) => text.split("\n").map((line) => prefix + line).join("\n");
  return {
    error: (message, hint) => log.error(mark(message), hint),
    warning: (message, hint) => log.warning(mark(message), hint),
    info: (message) => log.info(mark(message)),
    verbose: (message) => log.verbose(mark(message)),
    debug: (message) => log.debug(mark(message)),
    trace: (message) => log.trace(mark(message)),
    progress: (message, total) => log.progress(mark(message), total),
  };
}

/** Whole lines are written at once, so that no other stage writes into them. */
export function prefixOutput(output: Output, prefix: string): Output {
  const target = output.kind === "watched" ? output : output.watched;
  if (target === undefined) return output;
  const head = new TextEncoder().encode(prefix);
  return wholeLines(
    target.joined,
    (stream, lines) => target.write(stream, prefixLines(lines, head)),
  );
}

/** An output that PASSes whole lines on. */
export function wholeLines(joined: boolean, pass: WatchedOutput["write"]): WatchedOutput {
  const rest = { stdout: new Uint8Array(), stderr: new Uint8Array() };
  const write: WatchedOutput["write"] = (stream, bytes) => {
    const all = join([rest[stream], bytes]);
    const end = all.lastIndexOf(NEWLINE) + 1;
    rest[stream] = all.slice(end);
    if (end > 0) pass(stream, all.subarray(0, end));
  };
  const flush = () => {
    for (const stream of ["stdout", "stderr"] as const) {
      if (rest[stream].length > 0) write(stream, Uint8Array.of(NEWLINE));
    }
  };
  return { kind: "watched", joined, write, flush };
}

const NEWLINE = 10;

/** BYTES end with a line's end. */
function prefixLines(bytes: Uint8Array, head: Uint8Array): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, at) + 1;
    parts.push(head, bytes.subarray(at, end));
    at = end;
  }
  return join(parts);
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
