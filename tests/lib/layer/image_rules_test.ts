import assert from "node:assert/strict";
import { openRoot } from "../../../ffi/tree.ts";
import { surveyMembers } from "../../../lib/layer/enclosing_directory.ts";
import * as rules from "../../../lib/layer/image_rules.ts";
import * as skeleton from "../../../lib/layer/image_skeleton.ts";
import { climbsAboveRoot, relativeTarget } from "../../../lib/layer/link_target.ts";
import { normalizePath } from "../../../lib/layer/member_path.ts";
import { RecordingLog } from "../recording_log.ts";
import { entriesOf, lines, showEntries, showTree, TemporaryDirectory } from "../../tree_fixture.ts";

const LABEL = "layer 1/1: abc: ";

async function apply(text: string, options: Partial<rules.ImageRules> = {}) {
  const log = new RecordingLog();
  const all = { archive: "x.tar", label: LABEL, log, ...options };
  const shown = await showEntries(rules.readImageArchive(() => entriesOf(text), all));
  return { shown, said: log.lines };
}

Deno.test("normalizePath()", () => {
  const cases: [string, string][] = [
    ["a", "a"],
    ["a/b", "a/b"],
    ["./a", "a"],
    [".", ""],
    ["./", ""],
    ["/", ""],
    ["", ""],
    ["/a/", "a"],
    ["a//b", "a/b"],
    ["a/./b/.", "a/b"],
    [".a/b.", ".a/b."],
    ["a./b", "a./b"],
    ["..", ".."],
    ["...", "..."],
    [".//./a", "a"],
  ];
  for (const [name, expected] of cases) assert.equal(normalizePath(name), expected, name);
});

Deno.test("climbsAboveRoot() counts from the link's directory", () => {
  const cases: [string, string, boolean][] = [
    ["", "..", true],
    ["", "a/..", false],
    ["", "a/../..", true],
    ["a", "..", false],
    ["a", "../..", true],
    ["a/b", "../../x", false],
    ["a/b", "../../../x", true],
    ["a", "./../x/../../y", true],
    ["a/b", "/..", true],
    ["a/b", "/x/..", false],
  ];
  for (const [dir, target, expected] of cases) {
    assert.equal(climbsAboveRoot(dir, target), expected, `${dir}: ${target}`);
  }
});

Deno.test("relativeTarget()", () => {
  const cases: [string, string, string][] = [
    ["l", "/", "."],
    ["l", "/a/b", "a/b"],
    ["a/l", "/", ".."],
    ["a/l", "/a/b", "../a/b"],
    ["a/b/l", "//x/", "../../x"],
  ];
  for (const [path, target, expected] of cases) {
    assert.equal(relativeTarget(path, target), expected, `${path} -> ${target}`);
  }
});

Deno.test("surveyMembers() finds the enclosing directory", async () => {
  const cases: [string, string | undefined][] = [
    [`d 0755 img\nf 0644 img/a ""`, "img"],
    [`f 0644 img/a ""\nd 0755 img/b`, "img"],
    [`d 0755 ./\nd 0755 ./img/\nf 0644 ./img/a ""`, "img"],
    [`f 0644 /img/a ""`, "img"],
    [`d 0755 img\nd 0755 img2`, undefined],
    [`d 0755 img\nf 0644 img/a ""\nf 0644 zz ""`, undefined],
    [`f 0644 zz ""\nd 0755 img`, undefined],
    [`f 0644 only ""`, undefined],
    [`d 0755 usr\nf 0644 usr/a ""`, undefined],
    [`d 0755 bin`, undefined],
    [`d 0755 ./`, undefined],
    [`f 0644 im*g[1]/dev/x ""`, "im*g[1]"],
    [`f 0644 ../x ""`, undefined],
  ];
  for (const [text, expected] of cases) {
    const survey = await surveyMembers(entriesOf(text));
    assert.deepEqual(survey, { enclosing: expected, isEmpty: false }, text);
  }
  assert.deepEqual(await surveyMembers(entriesOf("")), { enclosing: undefined, isEmpty: true });
});

Deno.test("readImageArchive() makes an image of an archive's members", async () => {
  const { shown, said } = await apply(`
    d 0555 ./
    d 0000 ./etc
    f 0000 /etc/passwd "p"
    f 6755 //bin/su "s"
    f 1644 a/sticky ""
    d 2775 games
    d 0755 dev
    c 0666 dev/null 1,3
    f 0644 dev/file ""
    d 0755 mnt/dev
    c 0666 mnt/dev/null 1,3
    h mnt/null2 = mnt/dev/null
    p 0644 fifo
    l usr/lib/l -> /etc/passwd
    l root -> /
    l ok -> a/../etc
    h hard = /etc/passwd
    h hard2 = ./etc/passwd`);
  assert.equal(
    shown,
    lines(`
    d 0755 ''
    d 0700 etc
    f 0600 etc/passwd "p"
    f 0755 bin/su "s"
    f 1644 a/sticky ""
    d 0775 games
    d 0755 dev
    d 0755 mnt/dev
    l usr/lib/l -> ../../etc/passwd
    l root -> .
    l ok -> a/../etc
    h hard = etc/passwd
    h hard2 = etc/passwd`),
  );
  assert.deepEqual(said, [
    "verbose: stripping unsafe setuid bit: bin/su",
    "verbose: stripping unsafe setgid bit: bin/su",
    "verbose: stripping unsafe setgid bit: games",
    `warning: ${LABEL}fixed 2 absolute member paths`,
    `warning: ${LABEL}ignored 3 devices and/or FIFOs`,
    `${LABEL}changed 3 absolute symbolic and/or hard links to relative`,
  ]);
});

Deno.test("readImageArchive() takes off the enclosing directory, also from hard links", async () => {
  const { shown, said } = await apply(`
    d 0700 ./
    d 0700 ./img
    d 0755 ./img/bin
    f 0755 ./img/bin/sh "x"
    h ./img/bin/bash = ./img/bin/sh
    l ./img/l -> /bin/sh
    d 0755 ./img/dev
    f 0644 ./img/dev/x ""`);
  assert.equal(
    shown,
    lines(`d 0755 bin
      f 0755 bin/sh "x"
      h bin/bash = bin/sh
      l l -> bin/sh
      d 0755 dev`),
  );
  assert.deepEqual(said, [`${LABEL}changed 1 absolute symbolic and/or hard links to relative`]);
});

Deno.test("readImageArchive() refuses what would leave the image", async () => {
  const cases: [string, string][] = [
    [`f 0644 a/../b ""`, "rejecting up-level member: x.tar: a/../b"],
    [`f 0644 .. ""`, "rejecting up-level member: x.tar: .."],
    [`d 0755 img\nf 0644 img/../x ""`, "rejecting up-level member: x.tar: img/../x"],
    [`l a/l -> ../../x`, "rejecting too many up-levels: x.tar: a/l -> ../../x"],
    [`f 0644 z ""\nl l -> ..`, "rejecting too many up-levels: x.tar: l -> .."],
    [`f 0644 z ""\nl l -> /../etc`, "rejecting too many up-levels: x.tar: l -> /../etc"],
    [`f 0644 z ""\nh h = ../x`, "rejecting too many up-levels: x.tar: h -> ../x"],
    [`f 0644 z ""\nl l -> ''`, "rejecting link with empty target: x.tar: l"],
    [`f 0644 z ""\nh h = ''`, "rejecting link with empty target: x.tar: h"],
  ];
  for (const [text, expected] of cases) {
    // One level up from the only directory: nothing is enclosing, or the depth would be another.
    await assert.rejects(() => apply(`f 0644 top ""\n${text}`), { message: expected }, text);
  }
  await assert.doesNotReject(() => apply(`f 0644 top ""\nl a/l -> ../x`));
  await assert.doesNotReject(() => apply(`f 0644 top ""\nf 0644 a..b/..c ""`));
});

Deno.test("readImageArchive() skips members without a name", async () => {
  const { shown, said } = await apply(`f 0644 '' "x"\nf 0644 a "y"`);
  assert.equal(shown, `f 0644 a "y"`);
  assert.deepEqual(said, [`warning: ${LABEL}skipping member with empty path`]);
});

Deno.test("ch-convert's rules leave more as it was", async () => {
  const { shown, said } = await apply(
    `f 4000 su "x"
     p 0644 fifo
     l l -> /etc
     l climbs -> ../../x
     d 0500 d
     c 0666 d/null 1,3`,
    { ...rules.CONVERT_RULES, label: "" },
  );
  assert.equal(
    shown,
    lines(`f 4000 su "x"
      p 0644 fifo
      l l -> /etc
      l climbs -> ../../x
      d 0700 d`),
  );
  assert.deepEqual(said, ["warning: ignored 1 devices and/or FIFOs"]);
});

Deno.test("makeSkeleton() makes what is missing and touches nothing else", () => {
  using work = new TemporaryDirectory();
  const path = work.makeTree(
    "t",
    `d 0700 etc
     l etc/resolv.conf -> /run/none
     l mnt -> nowhere
     f 0600 proc "a file will do"
     d 0755 usr`,
  );
  using root = openRoot(path);
  skeleton.makeSkeleton(root.fd, skeleton.IMAGE_SKELETON);
  skeleton.makeSkeleton(root.fd, skeleton.IMAGE_SKELETON);
  assert.equal(
    showTree(path).split("\n").slice(1).join("\n"),
    lines(`d 0755 bin
      d 0755 ch
      f 0644 ch/environment ""
      d 0755 dev
      d 0700 etc
      f 0644 etc/hosts ""
      l etc/resolv.conf -> /run/none
      l mnt -> nowhere
      f 0600 proc "a file will do"
      d 0755 sys
      d 0755 tmp
      d 0755 usr`),
  );
});

Deno.test("addSkeleton() adds what is missing to entries that go by", async () => {
  const shown = await showEntries(
    skeleton.addSkeleton(
      entriesOf(`d 0700 etc\nl etc/hosts -> x\nd 0755 mnt\nd 0755 mnt/3\nl bin -> usr/bin`),
      skeleton.MOUNT_POINTS,
    ),
  );
  const digits = [0, 1, 2, 4, 5, 6, 7, 8, 9].map((digit) => `d 0755 mnt/${digit}`).join("\n");
  assert.equal(
    shown,
    lines(`d 0700 etc
      l etc/hosts -> x
      d 0755 mnt
      d 0755 mnt/3
      l bin -> usr/bin
      d 0755 dev
      d 0755 proc
      d 0755 sys
      d 0755 tmp
      d 0755 usr
      ${digits}
      f 0644 etc/resolv.conf ""`),
  );
});
