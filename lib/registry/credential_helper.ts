// Programs that keep logins, docker-credential-NAME: asked on standard input, they answer with JSON
// (Docker's "credential helper protocol").

import { ChError } from "../error.ts";
import type { Credentials } from "./credentials.ts";

export type CallerEnvironment = ReadonlyMap<string, string>;

/** The login that HELPER keeps for KEY; undefined if none. Throws a ChError if it cannot be asked. */
export async function getFromHelper(
  helper: string,
  key: string,
  environment: CallerEnvironment,
): Promise<Credentials | undefined> {
  const { success, text } = await runHelper(helper, "get", key, environment);
  if (!success) {
    if (/not found|no credentials/i.test(text)) return undefined;
    throw failure(helper, text);
  }
  try {
    const { Username: username, Secret: password } = JSON.parse(text) as Record<string, unknown>;
    if (typeof username !== "string" || typeof password !== "string") throw new SyntaxError();
    if (username === "<token>") return { kind: "identity", token: password };
    return username === "" ? undefined : { kind: "password", username, password };
  } catch {
    throw failure(helper, "answer is not the expected JSON");
  }
}

/** Throws a ChError if it did not. */
export async function storeInHelper(
  helper: string,
  key: string,
  username: string,
  password: string,
  environment: CallerEnvironment,
): Promise<void> {
  const input = JSON.stringify({ ServerURL: key, Username: username, Secret: password });
  const { success, text } = await runHelper(helper, "store", input, environment);
  if (!success) throw failure(helper, text);
}

/** Whether there was one. */
export async function eraseFromHelper(
  helper: string,
  key: string,
  environment: CallerEnvironment,
): Promise<boolean> {
  const known = await getFromHelper(helper, key, environment);
  if (known === undefined) return false;
  const { success, text } = await runHelper(helper, "erase", key, environment);
  if (!success) throw failure(helper, text);
  return true;
}

async function runHelper(
  helper: string,
  verb: "get" | "store" | "erase",
  input: string,
  environment: CallerEnvironment,
): Promise<{ success: boolean; text: string }> {
  if (!/^[A-Za-z0-9_.-]+$/.test(helper)) throw failure(helper, "not a name");
  const program = findProgram(`docker-credential-${helper}`, environment.get("PATH") ?? "");
  if (program === undefined) throw failure(helper, "no such program in PATH");
  const child = new Deno.Command(program, {
    args: [verb],
    clearEnv: true,
    // Values that are no text cannot be passed on, and no helper looks for any.
    env: Object.fromEntries([...environment].filter(([, value]) => value.isWellFormed())),
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const writer = child.stdin.getWriter();
  // A helper that ends without reading has its reasons, which it tells.
  await writer.write(new TextEncoder().encode(input)).catch(() => {});
  await writer.close().catch(() => {});
  const { success, stdout } = await child.output();
  return { success, text: new TextDecoder().decode(stdout).trim() };
}

function findProgram(name: string, path: string): string | undefined {
  for (const directory of path.split(":")) {
    if (!directory.startsWith("/")) continue; // never a program of the current directory
    try {
      const { isFile, mode } = Deno.statSync(`${directory}/${name}`);
      if (isFile && ((mode ?? 0) & 0o111) !== 0) return `${directory}/${name}`;
    } catch {
      // the next
    }
  }
  return undefined;
}

function failure(helper: string, reason: string): ChError {
  return new ChError(`credential helper docker-credential-${helper} failed: ${reason}`);
}
