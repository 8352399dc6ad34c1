// Which image ch-run runs: by name from storage, directory, SquashFS; and what it refuses.

import assert from "node:assert/strict";
import { expect, test } from "../rig.ts";
import { testRuns } from "./run_cases.ts";

const STORED = "mkdir -p storage/img && cp -R {D}";

testRuns("ch-run IMAGE", [
  {
    name: "relative path",
    args: ["./image", "--", "echo", "hi"],
    expected: { code: 0, stdout: "hi\n" },
  },
  {
    name: "symlink to a directory",
    before: "ln -s image link",
    args: ["./link", "--", "echo", "hi"],
    expected: { code: 0, stdout: "hi\n" },
  },
  {
    name: "stored name with tag",
    before: `${STORED} storage/img/foo+latest`,
    args: ["foo:latest", "--", "echo", "hi"],
    expected: { code: 0, stdout: "hi\n" },
  },
  {
    name: "a stored foo:latest is not foo",
    before: `${STORED} storage/img/foo+latest`,
    args: ["foo", "--", "true"],
    expected: { code: 31, stderr: /can't stat: foo: No such file or directory/ },
  },
  {
    name: "stored name with path and tag",
    before: `${STORED} 'storage/img/a%b+c'`,
    args: ["a/b:c", "--", "echo", "hi"],
    expected: { code: 0, stdout: "hi\n" },
  },
  {
    name: "a stored name wins over a directory",
    before: `${STORED} storage/img/image && echo stored > storage/img/image/who`,
    args: ["image", "--", "cat", "/who"],
    expected: { code: 0, stdout: "stored\n" },
  },
  {
    name: "./NAME is the directory",
    before: `${STORED} storage/img/image && echo stored > storage/img/image/who`,
    args: ["./image", "--", "cat", "/who"],
    expected: { code: 1, stderr: /can't open '\/who'/ },
  },
  {
    name: "-s wins over CH_IMAGE_STORAGE",
    before: "mkdir -p other/img && cp -R {D} other/img/foo",
    args: ["-s", "{W}/other", "foo", "--", "echo", "hi"],
    env: { CH_IMAGE_STORAGE: "{W}/nosuch" },
    expected: { code: 0, stdout: "hi\n" },
  },
  {
    name: "-s with a missing directory warns",
    args: ["-s", "{W}/nosuch", "{D}", "--", "echo", "hi"],
    expected: {
      code: 0,
      stdout: "hi\n",
      stderr: /warning: storage directory not found: .*\/nosuch/,
    },
  },
  {
    name: "by name with -w",
    before: `${STORED} storage/img/foo`,
    args: ["-w", "foo", "--", "true"],
    expected: { code: 31, stderr: /error: --write invalid when running by name/ },
  },
  {
    name: "by name with -W",
    before: `${STORED} storage/img/foo`,
    args: ["-W", "foo", "--", "sh", "-c", "echo x > /mnt/x && cat /mnt/x"],
    expected: { code: 0, stdout: "x\n" },
    after: "test ! -e storage/img/foo/mnt/x",
  },
  {
    name: "a stored image by path",
    before: `${STORED} storage/img/foo`,
    args: ["{W}/storage/img/foo", "--", "true"],
    expected: { code: 31, stderr: /can't run directory images from storage \(hint: run by name\)/ },
  },
  {
    name: "a text file",
    files: { "text": "plain text\n" },
    args: ["{W}/text", "--", "true"],
    expected: { code: 31, stderr: /error: unknown image type: .*\/text/ },
  },
  {
    name: "the magic bytes at -v",
    files: { "text": "plain text\n" },
    args: ["-v", "{W}/text", "--", "true"],
    expected: { code: 31, stderr: /image file magic expected: 6873 7173; actual: 706c 6169/ },
  },
  {
    name: "an empty file",
    files: { "empty": "" },
    args: ["{W}/empty", "--", "true"],
    expected: { code: 31, stderr: /error: can't read: .*\/empty/ },
  },
  {
    name: "a missing path",
    args: ["{W}/nosuch", "--", "true"],
    expected: {
      code: 31,
      stderr: /error: can't stat: .*\/nosuch: No such file or directory \(.*\d+ 2\)/,
    },
  },
  {
    name: "an unreadable file",
    files: { "secret": { content: "x", mode: 0 } },
    args: ["{W}/secret", "--", "true"],
    expected: { code: 31, stderr: /error: can't open: .*\/secret: Permission denied/ },
  },
  {
    name: "SquashFS magic and rubbish",
    before: "{ printf hsqs; head -c 5000 /dev/urandom; } > bad.sqfs",
    args: ["{W}/bad.sqfs", "--", "true"],
    expected: { code: 31, stderr: /can't open SquashFS: .*\/bad\.sqfs/ },
    needs: ["fuse"],
  },
  {
    name: "SquashFS magic alone",
    before: "printf hsqs > bad.sqfs",
    args: ["{W}/bad.sqfs", "--", "true"],
    expected: { code: 31, stderr: /can't open SquashFS: .*\/bad\.sqfs/ },
    needs: ["fuse"],
  },
]);

test(
  "ch-run refuses a truncated SquashFS and leaves nothing behind",
  async (work) => {
    work.image();
    await work.must("mksquashfs image full.sqfs -quiet -no-progress");
    for (const part of [10, 50, 95]) {
      await work.must(
        `size=$(stat -c %s full.sqfs); head -c $((size * ${part} / 100)) full.sqfs > cut.sqfs`,
      );
      const result = await work.run(["ch-run", "./cut.sqfs", "--", "true"]);
      expect(result, { code: 31, stdout: "", stderr: /^ch-run\[\d+\]: error: .*cut\.sqfs.*\(/m });
    }
    assert.deepEqual(work.findMounts(), []);
    expect(await work.sh("pgrep -u $(id -u) -f '[c]ut.sqfs'"), { code: 1, stdout: "" });
  },
  "fuse",
  "mksquashfs",
);
