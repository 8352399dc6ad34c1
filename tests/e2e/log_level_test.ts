// What all tools have in common: versions, levels of messages, where these go; by the numbers of spec other-tools
// §11.

import assert from "node:assert/strict";
import { expect, test } from "../rig.ts";

const WARNING = "warning: not supported, ignored: parser directives";

test("20, 21: the log goes to CH_LOG_FILE, festooned if asked", async (work) => {
  await work.must('ch-image import "$1" a', [work.image()]);
  const log = `${work.path}/log`;
  expect(await work.run(["ch-image", "list"], { env: { CH_LOG_FILE: log } }), {
    code: 0,
    stdout: "a\n",
    stderr: "",
  });
  assert.match(Deno.readTextFileSync(log), /^found storage dir /m);
  expect(await work.run(["ch-image", "delete", "a"], { env: { CH_LOG_FESTOON: "" } }), {
    code: 0,
    stderr: /^ *\d+ \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} {2}deleting image: a\n$/,
  });
});

test("22: all tools report one version", async (work) => {
  const names = ["run", "image", "convert", "fromhost", "checkns", "run-oci", "test"];
  const tools = [
    "ch --version",
    "ch doctor",
    ...names.flatMap((name) => [`ch-${name}`, `ch ${name}`]),
  ];
  const versions = await work.must(tools.map((tool) => `${tool} --version 2>&1\n`).join(""));
  const lines = versions.trim().split("\n");
  assert.equal(lines.length, tools.length);
  assert.equal(new Set(lines).size, 1, versions);
});

test("23: ch-image list prints at -q, not at -qq", async (work) => {
  await work.must('ch-image import "$1" a', [work.image()]);
  const silent = { code: 0, stderr: "" };
  expect(await work.run(["ch-image", "-q", "list"]), { ...silent, stdout: "a\n" });
  expect(await work.run(["ch-image", "-qq", "list"]), { ...silent, stdout: "" });
});

test("24: ch-run -q silences the command's output, -qqq its errors too", async (work) => {
  const command = [work.image(), "--", "sh", "-c", "echo a; echo b >&2"];
  expect(await work.run(["ch-run", ...command]), { code: 0, stdout: "a\n", stderr: "b\n" });
  expect(await work.run(["ch-run", "-q", ...command]), { code: 0, stdout: "", stderr: "b\n" });
  expect(await work.run(["ch-run", "-qqq", ...command]), { code: 0, stdout: "", stderr: "" });
});

test("25: a warning of a build appears at -q, not at -qq, and again at the end", async (work) => {
  await work.must('ch-image import "$1" base', [work.image()]);
  work.tree("context", { Dockerfile: "# syntax=x\nFROM base\n" });
  const build = (...quiet: string[]) => work.run(["ch-image", ...quiet, "build", "context"]);
  const twice = new RegExp(`${WARNING}[^]*reprinting 1 warning\\(s\\)\\n${WARNING}`);
  for (const quiet of [[], ["-q"]]) expect(await build(...quiet), { code: 0, stderr: twice });
  expect(await build("-qq"), { code: 0, stderr: "" });
});

for (
  const command of [
    ["ch-image", "list"],
    ["ch-image", "--auth", "list"],
    ["ch-convert", "a", "b"],
    ["ch-fromhost", "a"],
    ["ch-run", "a", "--", "true"],
  ]
) {
  test(`26: ${command.join(" ")} refuses a fourth -v and a fourth -q`, async (work) => {
    const [tool, ...rest] = command as [string, ...string[]];
    for (const [option, name] of [["-vvvv", "verbose"], ["-qqqq", "quiet"]] as const) {
      const result = await work.run([tool, option, ...rest]);
      assert.notEqual(result.code, 0);
      expect(result, {
        stdout: "",
        stderr: new RegExp(`error: --${name} can be specified at most thrice`),
      });
    }
  });
}
