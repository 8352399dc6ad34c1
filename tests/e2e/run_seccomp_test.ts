// ch-run --seccomp: privileged system calls that pretend to succeed.

import { testRuns } from "./run_cases.ts";

const SECCOMP = ["--seccomp", "-u0", "-g0", "-w", "{D}", "--", "sh", "-c"];

testRuns("ch-run --seccomp", [
  {
    name: "chown succeeds and changes nothing",
    args: [...SECCOMP, "touch /f && chown 5:6 /f && stat -c %u:%g /f"],
    expected: { code: 0, stdout: "0:0\n" },
  },
  {
    name: "device nodes are not made, FIFOs are",
    args: [...SECCOMP, "mknod /c c 1 3; mknod /b b 1 3; mknod /p p; ls /c /b /p"],
    expected: { code: 1, stdout: "/p\n" },
  },
  {
    name: "the filter is on and inherited",
    args: [...SECCOMP, "grep Seccomp: /proc/self/status"],
    expected: { code: 0, stdout: "Seccomp:\t2\n" },
  },
  {
    name: "without it chown fails",
    args: ["-u0", "-g0", "-w", "{D}", "--", "sh", "-c", "touch /f && chown 5:6 /f"],
    expected: { code: 1, stderr: /Invalid argument/ },
  },
  {
    name: "without it no filter is on",
    args: ["{D}", "--", "grep", "Seccomp:", "/proc/self/status"],
    expected: { code: 0, stdout: "Seccomp:\t0\n" },
  },
  {
    name: "--feature=seccomp",
    args: ["--feature=seccomp"],
    expected: { code: 0, stdout: "", stderr: "" },
  },
  {
    name: "an unknown feature",
    args: ["--feature=nosuch"],
    expected: { code: 31, stderr: /unknown feature: nosuch/ },
  },
]);
