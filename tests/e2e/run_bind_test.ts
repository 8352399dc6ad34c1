// ch-run --bind: what is mounted where, and which targets are refused.

import { expect, test } from "../rig.ts";
import { testRuns } from "./run_cases.ts";

const FILES = { "one/mark": "one\n", "two/mark": "two\n", "file": "a file\n" };

testRuns("ch-run --bind", [
  {
    name: "a directory at a target",
    files: FILES,
    args: ["-b", "{W}/one:/mnt/0", "{D}", "--", "cat", "/mnt/0/mark"],
    expected: { code: 0, stdout: "one\n", stderr: "" },
  },
  {
    name: "a relative source",
    files: FILES,
    args: ["-b", "one:/mnt/0", "{D}", "--", "cat", "/mnt/0/mark"],
    expected: { code: 0, stdout: "one\n" },
  },
  {
    name: "a source that is its own target",
    args: ["-b", "/usr", "{D}", "--", "ls", "/usr"],
    expected: { code: 0, stdout: /^share$/m },
  },
  {
    name: "the second at one target is seen",
    files: FILES,
    args: ["-b", "{W}/one:/mnt/0", "-b", "{W}/two:/mnt/0", "{D}", "--", "cat", "/mnt/0/mark"],
    expected: { code: 0, stdout: "two\n" },
  },
  {
    name: "one source at two targets",
    files: FILES,
    args: [
      "-b",
      "{W}/one:/mnt/0",
      "-b",
      "{W}/one:/mnt/1",
      "{D}",
      "--",
      "cat",
      "/mnt/0/mark",
      "/mnt/1/mark",
    ],
    expected: { code: 0, stdout: "one\none\n" },
  },
  {
    name: "the target stays writable",
    files: FILES,
    args: ["-b", "{W}/one:/mnt/0", "{D}", "--", "touch", "/mnt/0/new"],
    expected: { code: 0 },
    after: "test -e one/new",
  },
  {
    name: "a symlink as source is followed",
    files: FILES,
    before: "ln -s one link",
    args: ["-b", "{W}/link:/mnt/0", "{D}", "--", "cat", "/mnt/0/mark"],
    expected: { code: 0, stdout: "one\n" },
  },
  {
    name: "over /etc",
    files: FILES,
    args: ["-b", "{W}/one:/etc", "{D}", "--", "ls", "/etc"],
    expected: { code: 0, stdout: "mark\n" },
  },
  {
    name: "a relative symlink in the image as target",
    files: FILES,
    image: { "link": { link: "mnt/0" } },
    args: ["-b", "{W}/one:/link", "{D}", "--", "cat", "/mnt/0/mark"],
    expected: { code: 0, stdout: "one\n" },
  },
  {
    name: "a missing source",
    args: ["-b", "{W}/nosuch:/mnt/0", "{D}", "--", "true"],
    expected: { code: 31, stderr: /error: can't bind: source not found: .*\/nosuch \(/ },
  },
  {
    name: "a missing source after a good bind",
    files: FILES,
    args: ["-b", "{W}/one:/mnt/0", "-b", "{W}/nosuch:/mnt/1", "{D}", "--", "true"],
    expected: { code: 31, stderr: /can't bind: source not found: .*\/nosuch/ },
  },
  {
    name: "a missing target in a read-only image",
    files: FILES,
    args: ["-b", "{W}/one:/new", "{D}", "--", "true"],
    expected: { code: 31, stderr: /error: can't mkdir: .*\/new: Read-only file system/ },
    after: "test ! -e image/new",
  },
  {
    name: "-W makes a missing target of one level",
    files: FILES,
    args: ["-W", "-b", "{W}/one:/new", "{D}", "--", "cat", "/new/mark"],
    expected: { code: 0, stdout: "one\n" },
    after: "test ! -e image/new",
  },
  {
    name: "-W makes a missing target of three levels",
    files: FILES,
    args: ["-W", "-b", "{W}/one:/mnt/a/b/c", "{D}", "--", "cat", "/mnt/a/b/c/mark"],
    expected: { code: 0, stdout: "one\n" },
    after: "test ! -e image/mnt/a",
  },
  {
    name: "-w makes a missing target in the image",
    files: FILES,
    args: ["-w", "-b", "{W}/one:/new/deep", "{D}", "--", "cat", "/new/deep/mark"],
    expected: { code: 0, stdout: "one\n" },
    after: "test -d image/new/deep -a ! -e image/new/deep/mark",
  },
  {
    name: "/.. as target",
    files: FILES,
    args: ["-b", "{W}/one:/..", "{D}", "--", "true"],
    expected: { code: 31, stderr: /error: can't bind: .* not subdirectory of .*\/image/ },
  },
  {
    name: "a target outside makes nothing on the host",
    files: FILES,
    args: ["-w", "-b", "{W}/one:/../nosuch/a", "{D}", "--", "true"],
    expected: { code: 31, stderr: /not subdirectory of/ },
    after: "test ! -e nosuch",
  },
  {
    name: "a missing target through an absolute symlink",
    files: FILES,
    image: { "abs": { link: "/tmp" } },
    args: ["-W", "-b", "{W}/one:/abs/new", "{D}", "--", "true"],
    expected: { code: 31, stderr: /error: can't mkdir: symlink not relative: .*\/abs/ },
    after: "test ! -e /tmp/new",
  },
  {
    name: "a missing target through a broken symlink",
    files: FILES,
    image: { "broken": { link: "nowhere" } },
    args: ["-W", "-b", "{W}/one:/broken/new", "{D}", "--", "true"],
    expected: { code: 31, stderr: /error: can't mkdir: broken symlink: .*\/broken/ },
  },
  {
    name: "a symlink that leaves the image",
    files: FILES,
    image: { "out": { link: "../one" } },
    args: ["-b", "{W}/two:/out", "{D}", "--", "true"],
    expected: { code: 31, stderr: /not subdirectory of/ },
  },
  ...["/proc/nosuch", "/tmp/ch-nosuch", "/mnt/0/nosuch"].map((target) => ({
    name: `a missing target under an earlier bind: ${target}`,
    files: FILES,
    args: ["-W", "-b", "{W}/one:/mnt/0", "-b", `{W}/two:${target}`, "{D}", "--", "true"],
    expected: {
      code: 31,
      stderr: /error: can't mkdir: .*\/nosuch|ch-nosuch under existing bind-mount /,
    },
    after: "test ! -e one/nosuch -a ! -e /tmp/ch-nosuch",
  })),
  {
    name: "a file on a file",
    files: FILES,
    image: { "etc/config": "the image's\n" },
    args: ["-b", "{W}/file:/etc/config", "{D}", "--", "cat", "/etc/config"],
    expected: { code: 0, stdout: "a file\n" },
  },
  {
    name: "a file on a missing target",
    files: FILES,
    args: ["-W", "-b", "{W}/file:/etc/new", "{D}", "--", "true"],
    expected: { code: 31, stderr: /Not a directory/ },
  },
  {
    name: "a directory on a file",
    files: FILES,
    args: ["-b", "{W}/one:/etc/hosts", "{D}", "--", "true"],
    expected: { code: 31, stderr: /can't bind .*one to .*\/etc\/hosts: Not a directory/ },
  },
  {
    name: "only the first colon splits",
    files: FILES,
    args: ["-b", "{W}/one:/mnt/0:ro", "{D}", "--", "true"],
    expected: { code: 31, stderr: /can't mkdir: .*\/mnt\/0:ro/ },
  },
]);

test(
  "ch-run --bind makes a target below a directory of root through a symlink ranch",
  async (work) => {
    const image = work.image();
    work.tree("one", { "mark": "one\n" });
    await work.must('chown -Rh root:root "$1"', [image], { root: true });
    const script = "cat /mnt/new/mark; ls -A /mnt; test -d /mnt/0/. && echo old";
    expect(
      await work.run(["ch-run", "-W", "-b", "one:/mnt/new", image, "--", "sh", "-c", script]),
      {
        code: 0,
        stdout: "one\n.orig\n0\n1\n2\nnew\nold\n",
      },
    );
    await work.must('test ! -e "$1/mnt/new" -a ! -e "$1/mnt/.orig"', [image]);
  },
  "root",
);
