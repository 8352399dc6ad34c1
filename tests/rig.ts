// The end-to-end tests' rig: runs the built binary as an ordinary user, in a directory of its own,
// and looks at what came of it. tools/rig.sh prepares the machine.

import assert from "node:assert/strict";
import { ask, asUser, exists, rig, setpriv } from "./rig/host.ts";
import { type Need, NEEDS } from "./rig/needs.ts";
import { busyboxTree, makeFile, type Tree } from "./rig/tree.ts";

export { exists, rig } from "./rig/host.ts";
export type { Need } from "./rig/needs.ts";
export type { Tree, TreeFile } from "./rig/tree.ts";

const encoder = new TextEncoder();

/** Registers a test; what the machine lacks skips it by name, or fails it where CH_MUST_WORK=1. */
export function test(
  name: string,
  body: (work: Workplace) => Promise<void> | void,
  ...needs: Need[]
): void {
  const lacking = needs.filter((need) => !NEEDS[need].met()).map((need) => NEEDS[need].reason);
  const mustWork = Deno.env.get("CH_MUST_WORK") === "1";
  Deno.test({
    name: lacking.length === 0 ? name : `${name} [lacking: ${lacking.join(", ")}]`,
    ignore: lacking.length > 0 && !mustWork,
    fn: async () => {
      assert.deepEqual(lacking, [], "CH_MUST_WORK=1, but this machine lacks something");
      using work = new Workplace();
      await body(work);
    },
  });
}

export interface Result {
  /** Exit status, or undefined if a signal ended it. */
  readonly code: number | undefined;
  readonly signal: Deno.Signal | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** Added to the environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string;
  /** Run as root instead of the ordinary user. */
  readonly root?: boolean;
  /** Milliseconds after which the command is taken to hang. */
  readonly limit?: number;
}

/** A test's own directory, owned by the ordinary user. Removed with all that is in it. */
export class Workplace implements Disposable {
  readonly path: string;
  /** Variables that all commands get, unless they say otherwise. */
  readonly environment: Record<string, string> = {};

  constructor() {
    // Not in /tmp, which containers see.
    this.path = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "ch-test." });
    Deno.chmodSync(this.path, 0o755);
    Deno.mkdirSync(`${this.path}/home`);
    this.#own(this.path);
  }

  /** Makes a file tree at PATH (relative to the directory), owned by the ordinary user. */
  tree(path: string, tree: Tree): string {
    const root = `${this.path}/${path}`;
    Deno.mkdirSync(root, { recursive: true });
    for (const [name, file] of Object.entries(tree)) makeFile(`${root}/${name}`, file);
    this.#own(`${this.path}/${path.split("/")[0]}`);
    return root;
  }

  /** A small image directory: busybox under all its names and the mount points ch-run needs. */
  image(path = "image", extra: Tree = {}): string {
    return this.tree(path, { ...busyboxTree(), ...extra });
  }

  /** Runs COMMAND, by default as the ordinary user with an environment of its own. */
  async run(command: readonly string[], options: RunOptions = {}): Promise<Result> {
    const child = this.spawn(command, options);
    const limit = options.limit ?? 120_000;
    let hung = false;
    const timer = setTimeout(() => {
      hung = true;
      // The whole process group: what it left in the background holds the pipes open.
      Deno.kill(-child.pid, "SIGKILL");
    }, limit);
    try {
      if (options.stdin !== undefined) await send(child.stdin, options.stdin);
      const { code, signal, stdout, stderr } = await child.output();
      const result = {
        code: signal === null ? code : undefined,
        signal: signal ?? undefined,
        stdout: new TextDecoder().decode(stdout),
        stderr: new TextDecoder().decode(stderr),
      };
      assert.ok(!hung, `hangs after ${limit} ms: ${command.join(" ")}\n${describe(result)}`);
      return result;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs a shell SCRIPT, whose words $1 … are ARGS. */
  sh(script: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Result> {
    return this.run(["sh", "-c", script, "sh", ...args], options);
  }

  /** The same for scripts that set something up: fails unless they succeed. Returns their output. */
  async must(script: string, args: readonly string[] = [], options: RunOptions = {}) {
    const result = await this.sh(`set -e; ${script}`, args, options);
    assert.equal(result.code, 0, `${script}\n${describe(result)}`);
    return result.stdout;
  }

  spawn(command: readonly string[], options: RunOptions = {}): Deno.ChildProcess {
    const wrapped = options.root ? command : [setpriv, ...asUser(), ...command];
    return new Deno.Command(wrapped[0] as string, {
      args: wrapped.slice(1),
      cwd: options.cwd ?? this.path,
      clearEnv: true,
      env: this.#environment(options.env ?? {}),
      detached: true,
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
  }

  /** The host's mounts that have to do with this test; none should remain. */
  findMounts(): string[] {
    return Deno.readTextFileSync("/proc/self/mounts").split("\n")
      .filter((line) => line.includes(this.path) || line.includes(`/var/tmp/${rig.user}.ch/`));
  }

  #environment(added: Readonly<Record<string, string | undefined>>): Record<string, string> {
    const all = {
      HOME: `${this.path}/home`,
      USER: rig.user,
      PATH: `${rig.bin}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`,
      CH_IMAGE_STORAGE: `${this.path}/storage`,
      LC_ALL: "C.UTF-8",
      ...this.environment,
      ...added,
    };
    const kept = Object.entries(all).filter((pair): pair is [string, string] =>
      pair[1] !== undefined
    );
    return Object.fromEntries(kept);
  }

  #own(path: string): void {
    if (rig.isRoot) ask("chown", "-Rh", `${rig.uid}:${rig.gid}`, path);
  }

  [Symbol.dispose](): void {
    endPodman(`${this.path}/home`);
    if (!rig.isRoot) ask("chmod", "-R", "u+rwx", this.path);
    ask("rm", "-rf", "--one-file-system", this.path);
  }
}

/** For an ordinary user podman leaves a process that keeps its namespaces; HOME is the user's. */
function endPodman(home: string): void {
  const file = `${home}/tmp/podman-run-${rig.uid}/libpod/tmp/pause.pid`;
  if (!exists(file)) return;
  try {
    Deno.kill(Number(Deno.readTextFileSync(file)), "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function send(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(encoder.encode(text));
    await writer.close();
  } catch (error) {
    // The command may end without reading it all.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** What a command should have done; what is not given is not looked at. */
export interface Expected {
  readonly code?: number;
  readonly signal?: Deno.Signal;
  /** Text: the whole output. */
  readonly stdout?: string | RegExp;
  readonly stderr?: string | RegExp;
}

export function expect(result: Result, expected: Expected): void {
  const all = `\n${describe(result)}`;
  if (expected.code !== undefined) {
    assert.equal(result.code, expected.code, `exit status ${result.code}${all}`);
  }
  if (expected.signal !== undefined) assert.equal(result.signal, expected.signal, all);
  for (const stream of ["stdout", "stderr"] as const) {
    const want = expected[stream];
    if (typeof want === "string") assert.equal(result[stream], want, `${stream} differs${all}`);
    else if (want !== undefined) assert.match(result[stream], want, `${stream} differs${all}`);
  }
}

function describe({ code, signal, stdout, stderr }: Result): string {
  return `ended with ${signal ?? code}\n--- stdout\n${stdout}--- stderr\n${stderr}---`;
}
