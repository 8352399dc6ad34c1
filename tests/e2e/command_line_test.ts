// The names of the one program, and ch-run's command line.

import assert from "node:assert/strict";
import { expect, rig, test, type Workplace } from "../rig.ts";
import { testRuns } from "./run_cases.ts";

const VERSION = /^0\.\d+(\.\d+)?(~pre\S*)?\n$/;

testRuns("ch-run command line", [
  {
    name: "no arguments: help on stderr",
    args: [],
    expected: { code: 1, stdout: "", stderr: /Usage:/ },
  },
  {
    name: "only --: help on stderr",
    args: ["--"],
    expected: { code: 1, stdout: "", stderr: /Usage:/ },
  },
  { name: "only -v: help on stderr", args: ["-v"], expected: { code: 1, stderr: /Usage:/ } },
  {
    name: "--help",
    args: ["--help"],
    expected: { code: 0, stdout: /Usage:[^]*--write-fake/, stderr: "" },
  },
  { name: "-?", args: ["-?"], expected: { code: 0, stdout: /Usage:/ } },
  { name: "--usage", args: ["--usage"], expected: { code: 0, stdout: /Usage:/ } },
  { name: "--version", args: ["--version"], expected: { code: 0, stdout: "", stderr: VERSION } },
  { name: "-V", args: ["-V"], expected: { code: 0, stdout: "", stderr: VERSION } },
  {
    name: "--version without USER",
    args: ["--version"],
    env: { USER: undefined },
    expected: { code: 31, stderr: /error: \$USER not set/ },
  },
  {
    name: "--version with empty USER",
    args: ["--version"],
    env: { USER: "" },
    expected: { code: 0 },
  },
  {
    name: "only IMAGE",
    args: ["{D}"],
    expected: {
      code: 31,
      stdout: "usage: ch-run [OPTION...] IMAGE -- COMMAND [ARG...]\n",
      stderr: /IMAGE and\/or COMMAND not specified/,
    },
  },
  {
    name: "unknown option",
    args: ["--nosuch", "{D}", "--", "true"],
    expected: { code: 64, stderr: /unrecognized option '--nosuch'\nTry `ch-run --help'/ },
  },
  {
    name: "unknown option with value",
    args: ["--nosuch=1", "{D}", "--", "true"],
    expected: { code: 64, stderr: /unrecognized option '--nosuch=1'\n/ },
  },
  {
    name: "unknown letter",
    args: ["{D}", "echo", "-n"],
    expected: { code: 64, stderr: /invalid option -- 'n'\nTry / },
  },
  {
    name: "-h is no option",
    args: ["-h"],
    expected: { code: 64, stderr: /invalid option -- 'h'/ },
  },
  {
    name: "-b without argument",
    args: ["{D}", "true", "-b"],
    expected: { code: 64, stderr: /option requires an argument -- 'b'/ },
  },
  {
    name: "--uid without argument",
    args: ["{D}", "true", "--uid"],
    expected: { code: 64, stderr: /option '--uid' requires an argument/ },
  },
  {
    name: "--version with argument",
    args: ["--version=1"],
    expected: { code: 64, stderr: /option '--version' doesn't allow an argument/ },
  },
  {
    name: "ambiguous --set",
    args: ["--set", "{D}", "--", "true"],
    expected: { code: 64, stderr: /option '--set' is ambiguous; possibilities:/ },
  },
  {
    name: "-v after IMAGE",
    args: ["{D}", "-v", "--", "true"],
    expected: { code: 0, stderr: /executing: true/ },
  },
  {
    name: "-v after COMMAND",
    args: ["{D}", "true", "-v"],
    expected: { code: 0, stderr: /executing: true/ },
  },
  {
    name: "-v of COMMAND",
    args: ["{D}", "--", "echo", "-v"],
    expected: { code: 0, stdout: "-v\n", stderr: "" },
  },
  {
    name: "-- as COMMAND",
    args: ["{D}", "--", "--", "x"],
    expected: { code: 49, stderr: /can't execve\(2\): --: / },
  },
  { name: "-- first", args: ["--", "{D}", "echo", "-n", "x"], expected: { code: 0, stdout: "x" } },
  {
    name: "late --",
    args: ["{D}", "echo", "a", "--", "-b", "c"],
    expected: { code: 0, stdout: "a -b c\n" },
  },
  {
    name: "POSIXLY_CORRECT: -- is COMMAND",
    args: ["{D}", "--", "true"],
    env: { POSIXLY_CORRECT: "1" },
    expected: { code: 49, stderr: /can't execve\(2\): --/ },
  },
  {
    name: "abbreviations",
    args: ["--private", "--no-p", "--ui=0", "{D}", "--", "id", "-u"],
    expected: { code: 0, stdout: "0\n" },
  },
  {
    name: "bundle",
    args: ["-tu0", "-g0", "{D}", "--", "id", "-u"],
    expected: { code: 0, stdout: "0\n" },
  },
  {
    name: "-W takes no next word",
    args: ["-W", "50%", "{D}"],
    expected: { code: 31, stderr: /can't stat: 50%: No such file or directory/ },
  },
  { name: "-u x", args: ["-u", "x"], expected: { code: 31, stderr: /--uid: no digits found/ } },
  { name: "-u ''", args: ["-u", ""], expected: { code: 31, stderr: /--uid: no digits found/ } },
  {
    name: "-u 1x",
    args: ["-u", "1x"],
    expected: { code: 31, stderr: /--uid: extra characters after digits/ },
  },
  {
    name: "-u -1",
    args: ["-u", "-1"],
    expected: { code: 31, stderr: /--uid: must be non-negative/ },
  },
  {
    name: "-u 2147483648",
    args: ["-u", "2147483648"],
    expected: { code: 31, stderr: /--uid: out of range/ },
  },
  {
    name: "-g -1",
    args: ["-g", "-1"],
    expected: { code: 31, stderr: /--gid: must be non-negative/ },
  },
  {
    name: "-u ' +5'",
    args: ["-u", " +5", "{D}", "--", "id", "-u"],
    expected: { code: 0, stdout: "5\n" },
  },
  {
    name: "the last -u counts",
    args: ["-u5", "-u6", "{D}", "--", "id", "-u"],
    expected: { code: 0, stdout: "6\n" },
  },
  { name: "-b ''", args: ["-b", ""], expected: { code: 31, stderr: /--bind: no source provided/ } },
  {
    name: "-b :/x",
    args: ["-b", ":/x"],
    expected: { code: 31, stderr: /--bind: no source provided/ },
  },
  {
    name: "-b x:",
    args: ["-b", "x:"],
    expected: { code: 31, stderr: /--bind: no destination provided/ },
  },
  {
    name: "-b x:/",
    args: ["-b", "x:/"],
    expected: { code: 31, stderr: /--bind: destination can't be \// },
  },
  {
    name: "-b x:y",
    args: ["-b", "x:y"],
    expected: { code: 31, stderr: /--bind: destination must be absolute/ },
  },
  {
    name: "-b x",
    args: ["-b", "x"],
    expected: { code: 31, stderr: /--bind: destination must be absolute/ },
  },
  {
    name: "-v -q",
    args: ["-v", "-q"],
    expected: { code: 31, stderr: /--quiet incompatible with --verbose/ },
  },
  {
    name: "-q -v",
    args: ["-q", "-v"],
    expected: { code: 31, stderr: /--verbose incompatible with --quiet/ },
  },
  {
    name: "-vvvv",
    args: ["-vvvv"],
    expected: { code: 31, stderr: /--verbose can be specified at most thrice/ },
  },
  { name: "-qqqq", args: ["-qqqq"], expected: { code: 31 } },
  {
    name: "--unset-env=",
    args: ["--unset-env="],
    expected: { code: 31, stderr: /--unset-env: GLOB must have non-zero length/ },
  },
  {
    name: "--home without HOME",
    args: ["--home", "{D}", "--", "true"],
    env: { HOME: undefined },
    expected: { code: 31, stderr: /--home failed: \$HOME not set/ },
  },
  {
    name: "an early error beats a late --version",
    args: ["-u", "x", "--version"],
    expected: { code: 31, stderr: /no digits found/ },
  },
  {
    name: "an early --version beats a late error",
    args: ["--version", "-u", "x"],
    expected: { code: 0 },
  },
]);

/** The program under a name of its own, in a directory of its own. */
function named(work: Workplace, name: string, how: "symlink" | "link" | "copy"): Promise<string> {
  const command = { symlink: "ln -s", link: "cp", copy: "cp" }[how];
  const target = `${work.path}/named`;
  // A hard link may not be had across file systems: made from a copy.
  const extra = how === "link" ? `ln "$2/copy" "$2/$3"` : `${command} "$1" "$2/$3"`;
  return work.must(
    `mkdir -p "$2"; ${how === "link" ? `cp "$1" "$2/copy";` : ""} ${extra}; printf %s "$2/$3"`,
    [`${rig.bin}/ch`, target, name],
  );
}

for (const how of ["symlink", "link", "copy"] as const) {
  test(`ch runs as ch-run through a ${how}`, async (work) => {
    const program = await named(work, "ch-run", how);
    expect(await work.run([program, work.image(), "--", "echo", "hi"]), {
      code: 0,
      stdout: "hi\n",
      stderr: "",
    });
  });
}

for (const [name, ...words] of [["ch-run"], ["ch", "run"]]) {
  test(`the command line "${[name, ...words].join(" ")} …" is ch-run's`, async (work) => {
    const version = await work.run([name as string, ...words, "--version"]);
    expect(version, { code: 0, stderr: VERSION });
  });
}

test("ch refuses a tool that it does not have", async (work) => {
  const result = await work.run(["ch", "nosuch"]);
  assert.notEqual(result.code, 0);
  expect(result, { stdout: "", stderr: /nosuch/ });
});

test("ch without arguments tells its tools", async (work) => {
  const result = await work.run(["ch"]);
  assert.match(result.stdout + result.stderr, /run[^]*image[^]*convert|convert[^]*image[^]*run/);
});
