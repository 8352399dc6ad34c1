// The environment of the command: what ch-run changes, and --set-env, --set-env0, --unset-env.

import assert from "node:assert/strict";
import { expect, test } from "../rig.ts";
import { type RunCase, testRuns } from "./run_cases.ts";

testRuns("ch-run environment", [
  {
    name: "passes through, but HOME and CH_RUNNING",
    env: { FOO: "a b\nc", CH_RUNNING: "x" },
    args: ["{D}", "--", "sh", "-c", 'echo "$FOO|$HOME|$CH_RUNNING|$USER"'],
    expected: { code: 0, stdout: /^a b\nc\|\/root\|Weird Al Yankovic\|\w+\n$/ },
  },
  {
    name: "HOME without /root",
    before: "rmdir {D}/root",
    args: ["{D}", "--", "sh", "-c", 'echo "$HOME"'],
    expected: { code: 0, stdout: "/\n" },
  },
  {
    name: "CH_RUNNING cannot be changed",
    args: ["--set-env=CH_RUNNING=x", "{D}", "--", "sh", "-c", 'echo "$CH_RUNNING"'],
    expected: { code: 0, stdout: "Weird Al Yankovic\n" },
  },
  {
    name: "CH_RUNNING cannot be removed",
    args: ["--unset-env=*", "{D}", "--", "env"],
    expected: { code: 0, stdout: "CH_RUNNING=Weird Al Yankovic\n" },
  },
  {
    name: "a missing --set-env file",
    args: ["--set-env={W}/nosuch", "{D}", "--", "true"],
    expected: { code: 31, stderr: /error: can't open: .*\/nosuch: No such file or directory/ },
  },
  {
    name: "a directory as --set-env file",
    args: ["--set-env={W}", "{D}", "--", "true"],
    expected: { code: 31, stderr: /error: can't (open|read): .*: Is a directory/ },
  },
  {
    name: "/ch/environment",
    image: { "ch/environment": "FOO=from the image\nBAR='quoted'\n" },
    args: ["--set-env", "{D}", "--", "sh", "-c", 'echo "$FOO|$BAR"'],
    expected: { code: 0, stdout: "from the image|quoted\n" },
  },
  {
    name: "no /ch/environment",
    args: ["--set-env", "{D}", "--", "true"],
    expected: {
      code: 31,
      stderr: /error: can't open: \/ch\/environment: No such file or directory/,
    },
  },
  {
    name: "PATH from the image, then more",
    image: { "ch/environment": "PATH=/image:/bin\n" },
    args: ["--set-env", "--set-env=PATH=/x:$PATH", "{D}", "--", "sh", "-c", 'echo "$PATH"'],
    expected: { code: 0, stdout: "/x:/image:/bin\n" },
  },
  {
    name: "set, unset and set again, in order",
    args: [
      "--set-env=A=1",
      "--set-env=B=1",
      "--unset-env=[AB]",
      "--set-env=A=2",
      "{D}",
      "--",
      "sh",
      "-c",
      "echo ${A-unset} ${B-unset}",
    ],
    expected: { code: 0, stdout: "2 unset\n" },
  },
  {
    name: "--env-no-expand counts wherever it stands",
    args: ["--set-env=A=$HOME", "--env-no-expand", "{D}", "--", "sh", "-c", 'echo "$A"'],
    expected: { code: 0, stdout: "$HOME\n" },
  },
  {
    name: "the note at -v",
    args: ["-v", "--set-env=A=1", "--unset-env=A", "{D}", "--", "true"],
    expected: { code: 0, stderr: /environment: A=1[^]*environment: unset A/ },
  },
  {
    name: "after --unset-env=* a bare name is found",
    args: ["--unset-env=*", "{D}", "--", "echo", "found"],
    expected: { code: 0, stdout: "found\n" },
  },
  {
    name: "a record without =",
    files: { "vars": "A=1\n\nnonsense\n" },
    args: ["--set-env={W}/vars", "{D}", "--", "true"],
    expected: { code: 31, stderr: /error: can't parse variable: no delimiter: .*\/vars:3/ },
  },
  {
    name: "a record without a name",
    files: { "vars": "=1\n" },
    args: ["--set-env={W}/vars", "{D}", "--", "true"],
    expected: { code: 31, stderr: /error: can't parse variable: empty name: .*\/vars:1/ },
  },
  {
    name: "an argument without a name",
    args: ["--set-env==1", "{D}", "--", "true"],
    expected: { code: 31, stderr: /can't parse variable: empty name: =1/ },
  },
  {
    name: "--set-env0 keeps newlines",
    before: "printf 'A=1\\n2\\0B=3' > vars",
    args: ["--set-env0={W}/vars", "{D}", "--", "sh", "-c", 'echo "$A|$B"'],
    expected: { code: 0, stdout: "1\n2|3\n" },
  },
]);

/** --set-env=VALUE for X (or another name) with the variables of spec §5.3, and what X becomes. */
const EXPANSIONS: readonly (readonly [string, string, string?])[] = [
  ["X=$BAR", "bar"],
  ["X='$BAR'", "bar"],
  ["X=$BAR:baz", "bar:baz"],
  ["X=${BAR}", ""],
  ["X=baz:$UNSET:qux", "baz:qux"],
  ["X=baz:$EMPTY:qux", "baz:qux"],
  ["X=$BAR baz:qux", "qux"],
  ["X=$UNSET", ""],
  ["X=a$BAR", "a$BAR"],
  ["X=:bar:baz::", ":bar:baz::"],
  ["X=$", "$"],
  ["X=bar:$", "bar:$"],
  ["X=$CO:x", "a:b:x"],
  ["X=foo:$UNSET:", "foo:"],
  ["X=:$UNSET", ""],
  ["X=::$UNSET", ":"],
  ["X=$UNSET::", ":"],
  ["X=''", ""],
  ["X=''''", "''"],
  ['X="q"', '"q"'],
  ["X= 'a' ", " 'a' "],
  ["$F=x", "x", "$F"],
  [" F=x", "x", " F"],
  ["'B=q'", "q'", "'B"],
  ["X='", "'"],
];

testRuns(
  "ch-run --set-env",
  EXPANSIONS.map(([argument, value, name = "X"]): RunCase => ({
    name: argument,
    env: { BAR: "bar", CO: "a:b", EMPTY: "" },
    args: [`--set-env=${argument}`, "{D}", "--", "env"],
    // env prints the whole environment; the line must be there.
    expected: { code: 0, stdout: new RegExp(`^${escape(`${name}=${value}`)}$`, "m") },
  })),
);

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

const GLOBS: readonly (readonly [string, string])[] = [
  ["A_1", "A_2 A_12 B"],
  ["A_*", "B"],
  ["A_?", "A_12 B"],
  ["A_@(1|2)", "A_12 B"],
  ["!(A_*)", "A_1 A_2 A_12"],
  ["+([A-Z_])", "A_1 A_2 A_12"],
  ["[!A]", "A_1 A_2 A_12"],
  ["a_*", "A_1 A_2 A_12 B"],
  ["[", "A_1 A_2 A_12 B"],
  ["\\B", "A_1 A_2 A_12"],
];

testRuns(
  "ch-run --unset-env",
  GLOBS.map(([glob, left]): RunCase => ({
    name: `${glob} leaves ${left}`,
    env: { A_1: "x", A_2: "x", A_12: "x", B: "x" },
    args: [
      `--unset-env=${glob}`,
      "{D}",
      "--",
      "/bin/sh",
      "-c",
      'for v in A_1 A_2 A_12 B; do eval test -n \\"\\$$v\\" && echo $v; done; true',
    ],
    expected: { code: 0, stdout: left.split(" ").join("\n") + "\n" },
  })),
);

test("ch-run appends /bin to a PATH that lacks it", async (work) => {
  const image = work.image();
  const paths = [
    ["/usr/bin", "/usr/bin:/bin"],
    ["/usr/bin:/bin", "/usr/bin:/bin"],
    ["/binfoo", "/binfoo"],
    ["", ":/bin"],
  ] as const;
  const program = (await work.must("command -v ch-run")).trim();
  for (const [before, after] of paths) {
    const result = await work.run([
      "env",
      `PATH=${before}`,
      program,
      image,
      "--",
      "/bin/sh",
      "-c",
      'echo "$PATH"',
    ]);
    expect(result, { code: 0, stdout: `${after}\n`, stderr: "" });
  }
  const unset = await work.run(["env", "-u", "PATH", program, image, "--", "/bin/env"]);
  expect(unset, { code: 0, stderr: /warning: \$PATH not set/ });
  assert.doesNotMatch(unset.stdout, /^PATH=/m);
});

test("ch-run --set-env reads blank lines, quotes, # and CR as they are", async (work) => {
  const image = work.image();
  work.tree(".", { "vars": "A=1\n\nB='x y'\n#C=3\nD=\"q\"\nE=a=b\r\n F=2 \nG=''" });
  const result = await work.run([
    "ch-run",
    "--unset-env=*",
    "--set-env=vars",
    image,
    "--",
    "/bin/env",
  ]);
  expect(result, {
    code: 0,
    stdout: 'A=1\nB=x y\n#C=3\nD="q"\nE=a=b\r\n F=2 \nG=\nCH_RUNNING=Weird Al Yankovic\n',
  });
});

test("ch-run --set-env reads from a pipe", async (work) => {
  const image = work.image();
  const result = await work.sh(
    'echo A=piped | ch-run --set-env=/dev/stdin "$1" -- sh -c "echo \\$A"',
    [
      image,
    ],
  );
  expect(result, { code: 0, stdout: "piped\n" });
});
