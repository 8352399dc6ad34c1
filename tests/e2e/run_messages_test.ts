// ch-run's messages, their levels and the exit status that goes with them.

import assert from "node:assert/strict";
import { exists, expect, rig, test } from "../rig.ts";
import { testRuns } from "./run_cases.ts";

const BOTH = ["{D}", "--", "sh", "-c", "echo out; echo err >&2"];

testRuns("ch-run -q and -v", [
  { name: "neither", args: BOTH, expected: { code: 0, stdout: "out\n", stderr: "err\n" } },
  { name: "-q", args: ["-q", ...BOTH], expected: { code: 0, stdout: "", stderr: "err\n" } },
  { name: "-qq", args: ["-qq", ...BOTH], expected: { code: 0, stdout: "", stderr: "err\n" } },
  { name: "-qqq", args: ["-qqq", ...BOTH], expected: { code: 0, stdout: "", stderr: "" } },
  {
    name: "-qq keeps warnings down",
    args: ["-qq", "-s", "/nosuch", "{D}", "--", "true"],
    expected: { code: 0, stderr: "" },
  },
  {
    name: "-q shows warnings",
    args: ["-q", "-s", "/nosuch", "{D}", "--", "true"],
    expected: { code: 0, stderr: /warning: storage directory not found: \/nosuch/ },
  },
  {
    name: "-qqq shows errors of ch-run",
    args: ["-qqq", "/nosuch", "--", "true"],
    expected: { code: 31, stderr: /error: can't stat: \/nosuch/ },
  },
  {
    name: "-qqq with a missing command",
    args: ["-qqq", "{D}", "--", "nosuch"],
    expected: { code: 49, stdout: "" },
  },
  {
    name: "-v tells what is done",
    args: ["-v", "-u5", "-g6", "-t", "{D}", "--", "true"],
    expected: {
      code: 0,
      stderr:
        /verbosity: 1 [^]*image: \/.*[^]*storage: [^]*newroot: \/[^]*container uid: 5 [^]*container gid: 6 [^]*private \/tmp: 1 [^]*executing: true/,
    },
  },
  {
    name: "-v -v counts",
    args: ["-v", "-v", "{D}", "--", "true"],
    expected: { code: 0, stderr: /verbosity: 2 / },
  },
]);

testRuns("ch-run exit status", [
  {
    name: "a directory as command",
    args: ["{D}", "--", "/usr"],
    expected: { code: 49, stderr: /can't execve\(2\): \/usr: Permission denied/ },
  },
  {
    name: "an empty command",
    args: ["{D}", "--", ""],
    expected: { code: 49, stderr: /can't execve\(2\): / },
  },
  {
    name: "a file without x",
    image: { "script": "#!/bin/sh\necho hi\n" },
    args: ["{D}", "--", "/script"],
    expected: { code: 49, stderr: /can't execve\(2\): \/script: Permission denied/ },
  },
  {
    name: "a missing interpreter",
    image: { "script": { content: "#!/nosuch\n", mode: 0o755 } },
    args: ["{D}", "--", "/script"],
    expected: { code: 49, stderr: /can't execve\(2\): \/script: No such file or directory/ },
  },
  {
    name: "a script without #! is run by /bin/sh",
    image: { "bin/script": { content: "echo script $1\n", mode: 0o755 } },
    args: ["{D}", "--", "script", "one"],
    expected: { code: 0, stdout: "script one\n" },
  },
  {
    name: "--cd to a file",
    args: ["--cd=/etc/passwd", "{D}", "--", "true"],
    expected: { code: 31, stderr: /can't cd to \/etc\/passwd: Not a directory/ },
  },
]);

test("ch-run messages have the program's name, process id and place", async (work) => {
  const { stderr } = await work.run(["ch-run", "/nosuch", "--", "true"]);
  assert.match(
    stderr,
    /^ch-run\[\d+\]: error: can't stat: \/nosuch: No such file or directory \([\w.]+:\d+ 2\)\n(ch-run\[\d+\]: hint: .+\n)?$/,
  );
});

test("ch-run repeats warnings when it fails", async (work) => {
  const result = await work.run(["ch-run", "-s", "/nowhere", "/nosuch", "--", "true"]);
  expect(result, { code: 31, stderr: /reprinting first 1 warning/ });
  assert.equal(result.stderr.match(/warning: storage directory not found: \/nowhere/g)?.length, 2);
});

test("ch-run cannot execute from an image mounted noexec", async (work) => {
  work.tree("mounted", {});
  await work.must('mount -t tmpfs -o noexec none "$1/mounted"', [work.path], { root: true });
  try {
    const image = work.image("mounted/image");
    expect(await work.run(["ch-run", image, "--", "true"]), {
      code: 49,
      stderr: /can't execve\(2\): true: Permission denied/,
    });
  } finally {
    await work.must('umount "$1/mounted"', [work.path], { root: true });
  }
}, "root");

test("ch-run tells syslog of each call", async (work) => {
  if (exists("/dev/log")) return; // a daemon of the machine's own listens
  const image = work.image();
  const daemon = work.spawn(["busybox", "syslogd", "-n", "-O", `${work.path}/log`], { root: true });
  try {
    await work.must("for n in $(seq 100); do test -S /dev/log && break; sleep 0.05; done");
    await work.must('ch-run "$1" -- echo foo "b a}\\$r"; ch-run --nosuch || true', [image]);
    await work.must("for n in $(seq 60); do grep -q nosuch log && break; sleep 0.05; done");
  } finally {
    daemon.kill("SIGTERM");
    await daemon.output();
    await work.must("rm -f /dev/log", [], { root: true });
  }
  const log = Deno.readTextFileSync(`${work.path}/log`);
  assert.match(
    log,
    new RegExp(
      `user\\.info ch-run: uid=${rig.uid} args=6: ch-run \\S+ -- echo foo "b a}\\\\\\$r"\n`,
    ),
  );
  assert.match(log, /user\.info ch-run: uid=\d+ args=2: ch-run --nosuch\n/);
}, "root");
