// Runs the built ch-image as an ordinary user, in a directory of its own. The rig has it where any user
// can reach it, wherever the clone lies.

import assert from "node:assert/strict";
import { rig } from "../rig.ts";

/** Anybody but root: nothing here depends on who. */
const NOBODY = 65534;

export interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Runner {
  /** Its directory, which the ordinary user owns. */
  readonly path: string;
  /** The storage directory it uses unless told otherwise; not made yet. */
  readonly storage: string;
  run(
    words: readonly string[],
    env?: Readonly<Record<string, string | undefined>>,
  ): Promise<Result>;
  start(
    words: readonly string[],
    env?: Readonly<Record<string, string | undefined>>,
  ): Deno.ChildProcess;
  /** Runs a shell script in the directory, as the same user. */
  sh(script: string): string;
}

/** A test body with a runner of its own. */
export function withRunner(body: (runner: Runner) => Promise<void>): () => Promise<void> {
  return async () => {
    const path = makeDirectory();
    try {
      await body(newRunner(path));
    } finally {
      removeDirectory(path);
    }
  };
}

/** Owned by the ordinary user. */
function makeDirectory(): string {
  const path = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "ch-test." });
  if (Deno.uid() === 0) Deno.chownSync(path, NOBODY, NOBODY);
  return path;
}

function removeDirectory(path: string): void {
  new Deno.Command("sh", { args: ["-c", `chmod -R u+rwx ${path}; rm -rf ${path}`] }).outputSync();
}

function newRunner(path: string): Runner {
  const storage = `${path}/storage`;
  const start: Runner["start"] = (words, env = {}) => {
    return new Deno.Command("setpriv", {
      args: [...asUser(), `${rig.bin}/ch-image`, ...words],
      cwd: path,
      clearEnv: true,
      env: definedOnly({
        PATH: "/usr/bin:/bin",
        USER: "tester",
        LC_ALL: "C.UTF-8",
        CH_IMAGE_STORAGE: storage,
        ...env,
      }),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  };
  return {
    path,
    storage,
    start,
    async run(words, env) {
      const { code, stdout, stderr } = await start(words, env).output();
      const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      return { code, stdout: decode(stdout), stderr: decode(stderr) };
    },
    sh(script) {
      const { code, stdout, stderr } = new Deno.Command("setpriv", {
        args: [...asUser(), "sh", "-ec", script],
        cwd: path,
      }).outputSync();
      assert.equal(code, 0, `${script}\n${new TextDecoder().decode(stderr)}`);
      return new TextDecoder().decode(stdout);
    },
  };
}

function asUser(): string[] {
  return Deno.uid() === 0
    ? [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", "--"]
    : ["--"];
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
}
