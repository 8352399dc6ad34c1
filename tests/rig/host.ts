// Where the rig is on this machine, and who the ordinary user is.

import assert from "node:assert/strict";

const projectRoot = new URL("../..", import.meta.url).pathname;
const isRoot = Deno.uid() === 0;

/** The rig's directory, which tools/rig.sh fills and an ordinary user can read. */
const rigDirectory = ask("tools/rig.sh", "where");
const user = ask("tools/rig.sh", "user");
const uid = Number(ask("id", "-u", user));
const gid = Number(ask("id", "-g", user));
// By path: a test may change PATH.
export const setpriv = ask("sh", "-c", "command -v setpriv");

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

/** What COMMAND prints, without the white space at its ends; tools/… are the project's. It must succeed. */
export function ask(command: string, ...args: string[]): string {
  const path = command.startsWith("tools/") ? projectRoot + command : command;
  const { code, stdout, stderr } = new Deno.Command(path, { args }).outputSync();
  assert.equal(code, 0, `${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trim();
}

/** Arguments of {@linkcode setpriv} that make a command the ordinary user's. */
export function asUser(): string[] {
  return isRoot ? [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups", "--"] : ["--"];
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
