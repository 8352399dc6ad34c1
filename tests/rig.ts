// The end-to-end tests' rig: runs the built binary as an ordinary user, in a directory of its own,
// and looks at what came of it. tools/rig.sh prepares the machine.

import assert from "node:assert/strict";

const encoder = new TextEncoder();
const projectRoot = new URL("..", import.meta.url).pathname;
const isRoot = Deno.uid() === 0;

/** The rig's directory, which tools/rig.sh fills and an ordinary user can read. */
const rigDirectory = ask("tools/rig.sh", "where");
const user = ask("tools/rig.sh", "user");
const uid = Number(ask("id", "-u", user));
const gid = Number(ask("id", "-g", user));
// By path: a test may change PATH.
const setpriv = ask("sh", "-c", "command -v setpriv");

export const rig = {
  directory: rigDirectory,
  /** Directory of the names ch-run, ch-image …; CH_TEST_BIN puts another in its place. */
  bin: Deno.env.get("CH_TEST_BIN") ?? `${rigDirectory}/bin`,
  debianTar: `${rigDirectory}/debian.tar`,
  /** Busybox for arm64. */
  foreignBusybox: `${rigDirectory}/foreign/bin/busybox`,
  /** The executable for arm64. */
  aarch64: `${rigDirectory}/aarch64/ch`,
  projectRoot,
  isRoot,
  user,
  uid,
  gid,
} as const;

function ask(command: string, ...args: string[]): string {
  const path = command.startsWith("tools/") ? projectRoot + command : command;
  const { code, stdout, stderr } = new Deno.Command(path, { args }).outputSync();
  assert.equal(code, 0, `${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trim();
}

/** What a test may need of the machine, and how to tell that it is there. */
const NEEDS = {
  root: { reason: "not root", met: () => isRoot },
  fuse: { reason: "no usable /dev/fuse", met: () => canOpen("/dev/fuse") },
  debian: { reason: "no Debian base image", met: () => exists(rig.debianTar) },
  mksquashfs: { reason: "no mksquashfs", met: () => hasProgram("mksquashfs") },
  unsquashfs: { reason: "no unsquashfs", met: () => hasProgram("unsquashfs") },
  squashfuse: { reason: "no squashfuse", met: () => hasProgram("squashfuse") },
  strace: { reason: "no strace", met: () => hasProgram("strace") },
  setfacl: { reason: "no setfacl", met: () => hasProgram("setfacl") },
  setfattr: { reason: "no setfattr", met: () => hasProgram("setfattr") },
  openmpi: { reason: "no mpirun of Open MPI", met: () => hasProgram("mpirun.openmpi") },
  mpich: { reason: "no mpirun of MPICH", met: () => hasProgram("mpirun.mpich") },
  buildah: { reason: "no buildah", met: () => hasProgram("buildah") },
  network: { reason: "no way to deb.debian.org", met: canReachDebian },
  cc: { reason: "no C compiler", met: () => hasProgram("cc") },
  skopeo: { reason: "no skopeo", met: () => hasProgram("skopeo") },
  umoci: { reason: "no umoci", met: () => hasProgram("umoci") },
  podman: { reason: "no podman that works for the ordinary user", met: () => hasPodman() },
  registry: {
    reason: "not root, or no docker-registry, skopeo, umoci, htpasswd or openssl",
    met: () =>
      isRoot &&
      ["docker-registry", "skopeo", "umoci", "htpasswd", "openssl"].every(hasProgram),
  },
  aarch64: {
    reason: "no executable for arm64, or no qemu-aarch64-static",
    met: () => exists(rig.aarch64) && hasProgram("qemu-aarch64-static"),
  },
  foreign: {
    reason: "no busybox for arm64, no QEMU, or no binfmt_misc in user namespaces (Linux 6.7)",
    met: () => exists(rig.foreignBusybox) && canRegisterQemu(),
  },
  bashCompletion: {
    reason: "no bash-completion",
    met: () => exists("/usr/share/bash-completion/bash_completion"),
  },
  bubblewrap: { reason: "no bubblewrap", met: () => hasProgram("bwrap") },
  zsh: { reason: "no zsh", met: () => hasProgram("zsh") },
  fish: { reason: "no fish", met: () => hasProgram("fish") },
  ssh: { reason: "no OpenSSH client", met: () => hasProgram("ssh-agent") && hasProgram("ssh-add") },
  xvfb: { reason: "no Xvfb or xdpyinfo", met: () => hasProgram("Xvfb") && hasProgram("xdpyinfo") },
  man: { reason: "no man", met: () => hasProgram("man") },
  sshd: { reason: "no SSH server", met: () => hasProgram("sshd") && hasProgram("ssh-keygen") },
  slurm: {
    reason: "not root, no Slurm, or no namespaces for its nodes",
    met: () =>
      isRoot && ["slurmctld", "slurmd", "srun", "munged"].every(hasProgram) && canMakeNodes(),
  },
} as const;
export type Need = keyof typeof NEEDS;

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

function canReachDebian(): boolean {
  const { code } = new Deno.Command("timeout", {
    args: ["10", "bash", "-c", "exec 3<>/dev/tcp/deb.debian.org/80"],
    stderr: "null",
  }).outputSync();
  return code === 0;
}

function hasProgram(name: string): boolean {
  return ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]
    .some((directory) => exists(`${directory}/${name}`));
}

export function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw error;
  }
}

/** Whether it works without root is a matter of IDs in /etc/subuid, and of the kernel. */
function hasPodman(): boolean {
  if (!hasProgram("podman")) return false;
  const home = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "ch-test." });
  Deno.chmodSync(home, 0o777);
  const { code } = new Deno.Command(setpriv, {
    args: [...asUser(), "podman", "image", "ls"],
    env: { HOME: home },
    cwd: home,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).outputSync();
  ask("rm", "-rf", home);
  return code === 0;
}

function canRegisterQemu(): boolean {
  const script =
    "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc && test -e /usr/lib/binfmt.d/qemu-aarch64.conf";
  const { code } = new Deno.Command(setpriv, {
    args: [...asUser(), "unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script],
    stderr: "null",
  }).outputSync();
  return code === 0;
}

function canMakeNodes(): boolean {
  const { success } = new Deno.Command("unshare", {
    args: ["--pid", "--mount", "--uts", "--ipc", "--fork", "--mount-proc", "true"],
    stderr: "null",
  }).outputSync();
  return success;
}

function canOpen(path: string): boolean {
  const { code } = new Deno.Command(setpriv, {
    args: [...asUser(), "sh", "-c", `: <>${path}`],
    stderr: "null",
  }).outputSync();
  return code === 0;
}

function asUser(): string[] {
  return isRoot ? [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--"] : ["--"];
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

/** What a file of a tree is: text of a regular file, or one of these. "NAME/" is a directory. */
export type TreeFile =
  | string
  | { readonly link: string }
  | { readonly content: string | Uint8Array; readonly mode: number };
export type Tree = Readonly<Record<string, TreeFile>>;

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
      .filter((line) => line.includes(this.path) || line.includes(`/var/tmp/${user}.ch/`));
  }

  #environment(added: Readonly<Record<string, string | undefined>>): Record<string, string> {
    const all = {
      HOME: `${this.path}/home`,
      USER: user,
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
    if (isRoot) ask("chown", "-Rh", `${uid}:${gid}`, path);
  }

  [Symbol.dispose](): void {
    if (!isRoot) ask("chmod", "-R", "u+rwx", this.path);
    ask("rm", "-rf", "--one-file-system", this.path);
  }
}

function makeFile(path: string, file: TreeFile): void {
  if (path.endsWith("/")) {
    Deno.mkdirSync(path, { recursive: true });
    return;
  }
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  if (typeof file === "string") {
    Deno.writeTextFileSync(path, file);
  } else if ("link" in file) {
    Deno.symlinkSync(file.link, path);
  } else {
    const { content, mode } = file;
    Deno.writeFileSync(path, typeof content === "string" ? encoder.encode(content) : content);
    Deno.chmodSync(path, mode);
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

/** Busybox has five times as many; these are used. */
const APPLETS = (
  "[ awk basename cat chmod chown chroot cmp cp cut date dd df du echo env expr false find grep head id " +
  "kill ln ls md5sum mkdir mkfifo mknod mount mv nice od printf ps pwd readlink rm rmdir sed seq sh " +
  "sleep sort stat tail tee test touch tr true umount uname wc xargs"
).split(" ");

let busybox: Tree | undefined;

function busyboxTree(): Tree {
  if (busybox === undefined) {
    busybox = {
      "bin/busybox": {
        content: Deno.readFileSync(ask("sh", "-c", "command -v busybox")),
        mode: 0o755,
      },
      ...Object.fromEntries(APPLETS.map((name) => [`bin/${name}`, { link: "busybox" }])),
      ...Object.fromEntries(
        ["dev", "proc", "sys", "tmp", "usr", "mnt/0", "mnt/1", "mnt/2", "root"]
          .map((name) => [`${name}/`, ""]),
      ),
      "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nimage:x:4242:4242::/:/bin/sh\n",
      "etc/group": "root:x:0:\n",
      "etc/hosts": "",
      "etc/resolv.conf": "",
    };
  }
  return busybox;
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
