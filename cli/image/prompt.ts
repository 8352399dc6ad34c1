// Asking for name and password on the terminal (spec ch-image §9.3).

import { ChError } from "../../lib/error.ts";
import type { Credentials } from "../../lib/registry/credentials.ts";
import { writeText } from "../standard_stream.ts";

const INTERRUPT = 3, END = 4, BACKSPACE = 8, ERASE_LINE = 21, DELETE = 127;

export function canPrompt(): boolean {
  return Deno.stdin.isTerminal();
}

/** Throws a ChError if the user does not want to, or SIGNAL's reason. USERNAME is not asked for if given. */
export async function promptCredentials(
  signal: AbortSignal,
  username?: string,
): Promise<Credentials & { readonly kind: "password" }> {
  writeText(Deno.stderr, "\n");
  const name = username ?? await readLine("Username: ", "shown", signal);
  const password = await readLine("Password: ", "hidden", signal);
  return { kind: "password", username: name, password };
}

/** All of standard input but for a newline at its end. */
export async function readPasswordFromInput(): Promise<string> {
  const text = await new Response(Deno.stdin.readable).text();
  return text.replace(/\r?\n$/, "");
}

async function readLine(
  question: string,
  echo: "shown" | "hidden",
  signal: AbortSignal,
): Promise<string> {
  writeText(Deno.stderr, question);
  // The terminal itself would echo, and take Ctrl-C for a signal.
  Deno.stdin.setRaw(true);
  const line: number[] = [];
  const buffer = new Uint8Array(256);
  try {
    for (;;) {
      const size = await readOrStop(buffer, signal);
      if (size === null) throw new ChError("end of input at prompt");
      for (const byte of buffer.subarray(0, size)) {
        switch (byte) {
          case 10:
          case 13:
            return new TextDecoder().decode(Uint8Array.from(line));
          case INTERRUPT:
            throw new ChError("authentication cancelled");
          case END:
            if (line.length === 0) throw new ChError("end of input at prompt");
            break;
          case BACKSPACE:
          case DELETE:
            eraseLast(line, echo);
            break;
          case ERASE_LINE:
            while (line.length > 0) eraseLast(line, echo);
            break;
          default:
            line.push(byte);
            if (echo === "shown") Deno.stderr.writeSync(Uint8Array.of(byte));
        }
      }
    }
  } finally {
    Deno.stdin.setRaw(false);
    writeText(Deno.stderr, "\n");
  }
}

async function readOrStop(buffer: Uint8Array, signal: AbortSignal): Promise<number | null> {
  const stopped = Promise.withResolvers<never>();
  const stop = () => stopped.reject(signal.reason);
  signal.addEventListener("abort", stop);
  try {
    signal.throwIfAborted();
    return await Promise.race([Deno.stdin.read(buffer), stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** A character of several bytes goes as a whole. */
function eraseLast(line: number[], echo: "shown" | "hidden"): void {
  let byte = line.pop();
  if (byte === undefined) return;
  while (byte !== undefined && (byte & 0xc0) === 0x80) byte = line.pop();
  if (echo === "shown") writeText(Deno.stderr, "\b \b");
}
