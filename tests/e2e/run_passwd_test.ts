// The /etc/passwd and /etc/group that ch-run makes.

import { rig } from "../rig.ts";
import { testRuns } from "./run_cases.ts";

const ROOT = "root:x:0:0:root:/root:/bin/sh\n";
const NOBODY = "nobody:x:65534:65534:nobody:/:/bin/false\n";
const GROUPS = "root:x:0:\nnogroup:x:65534:\n";

testRuns("ch-run passwd", [
  {
    name: "the caller's",
    args: ["{D}", "--", "cat", "/etc/passwd", "/etc/group"],
    expected: {
      code: 0,
      stdout: new RegExp(
        `^${ROOT}${NOBODY}${rig.user}:x:${rig.uid}:${rig.gid}:[^:]*:/:/bin/sh\n${GROUPS}[^:]+:x:${rig.gid}:\n$`,
      ),
    },
  },
  {
    name: "unknown ids",
    args: ["-v", "-u1234567", "-g7654321", "{D}", "--", "cat", "/etc/passwd", "/etc/group"],
    expected: {
      code: 0,
      stdout:
        `${ROOT}${NOBODY}charlie:x:1234567:7654321:Charlie:/:/bin/sh\n${GROUPS}charliegroup:x:7654321:\n`,
      stderr: /UID 1234567 not found; using dummy info[^]*GID 7654321 not found; using dummy info/,
    },
  },
  {
    name: "root once, and last",
    args: ["-u0", "-g0", "{D}", "--", "cat", "/etc/passwd", "/etc/group"],
    expected: {
      code: 0,
      stdout: `${NOBODY}root:x:0:0:root:/:/bin/sh\nnogroup:x:65534:\nroot:x:0:\n`,
    },
  },
  {
    name: "nobody once",
    args: ["-u65534", "-g65534", "{D}", "--", "cat", "/etc/passwd", "/etc/group"],
    expected: {
      code: 0,
      stdout: `${ROOT}nobody:x:65534:65534:nobody:/:/bin/sh\nroot:x:0:\nnogroup:x:65534:\n`,
    },
  },
  {
    name: "the container user's, mode 0600, linked nowhere",
    args: ["{D}", "--", "stat", "-c", "%a %u %h", "/etc/passwd"],
    expected: { code: 0, stdout: `600 ${rig.uid} 0\n` },
  },
  {
    name: "nothing is left in TMPDIR",
    files: { "scratch/": "" },
    env: { TMPDIR: "{W}/scratch" },
    args: ["{D}", "--", "true"],
    expected: { code: 0 },
    after: 'test -z "$(ls -A scratch)"',
  },
  {
    name: "nothing is left in TMPDIR after a failure",
    files: { "scratch/": "" },
    before: "rm {D}/etc/passwd",
    env: { TMPDIR: "{W}/scratch" },
    args: ["{D}", "--", "true"],
    expected: { code: 31 },
    after: 'test -z "$(ls -A scratch)"',
  },
]);
