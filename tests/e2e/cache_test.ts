// Hits and misses of the build cache, and what states hold, as the user sees it (spec build-cache §14; the
// numbers in names are those of the acceptance checklist). tests/lib/cache has what needs no command line.

import assert from "node:assert/strict";
import { expect, test } from "../rig.ts";
import { build, cache, importBase, statusOf } from "./cache_case.ts";

test("28: what a killed RUN did is in no state", async (work) => {
  await importBase(work);
  const text = "FROM base\nRUN echo good >/good\nRUN echo bad >/bad && touch /started && ";
  await work.must("mkdir -p context");
  await work.must('printf %s "$1" >context/Dockerfile', [`${text}sleep 60\n`]);
  const child = work.spawn(["ch-image", "build", "-t", "t", "context"]);
  await work.must(
    'while [ -z "$(find storage/imgtmp -name started 2>/dev/null)" ]; do sleep .1; done',
  );
  child.kill("SIGKILL");
  await child.output();
  const rest =
    "FROM base\nRUN echo good >/good\nRUN test ! -e /bad\nRUN ls -d /bad /started || true\n";
  assert.equal(statusOf(await build(work, rest)), "*..");
  assert.equal(await work.must("ls -d storage/img/t/bad storage/imgtmp 2>/dev/null || true"), "");
});

const MAKE_SOCKET = `#include <sys/socket.h>
#include <sys/un.h>
int main(void)
{
    struct sockaddr_un name = {AF_UNIX, "/socket"};
    return bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof(name));
}
`;

test(
  "32: a socket is no part of an image",
  async (work) => {
    work.image();
    await work.must('printf %s "$1" >s.c && cc -static s.c -o image/bin/listen', [MAKE_SOCKET]);
    await work.must("ch-image import image base");
    const { stderr } = await build(work, "FROM base\nRUN listen && test -S /socket\n");
    assert.match(stderr, /^warning: socket in image, deleting: \/?socket$/m);
    assert.equal(await work.must("find storage/img/t -type s"), "");
  },
  "cc",
);

test("38, 39: imports count by name and content", async (work) => {
  const text = (base: string) => `FROM ${base}\nRUN cat /etc/version >/seen\n`;
  work.image("image", { "etc/version": "1" });
  const load = (name: string) => work.must('ch-image import image "$1"', [name]);
  await load("a");
  assert.equal(statusOf(await build(work, text("a"))), ".");
  await load("a");
  assert.equal(statusOf(await build(work, text("a"))), "*", "the same again");
  await load("b");
  assert.equal(statusOf(await build(work, text("b"))), ".", "another name");
  await work.must("echo 2 >image/etc/version");
  await load("a");
  assert.equal(statusOf(await build(work, text("a"))), ".", "other content");
  assert.equal(await work.must("cat storage/img/t/seen"), "2\n");
});

test(
  "50: extended attributes with --xattrs, and only then",
  async (work) => {
    await work.must("mkdir -p context/src && echo x >context/src/f && echo y >context/src/g");
    await work.must("setfattr -n user.color -v red context/src/f; setfacl -m u:12:r context/src/g");
    await work.must("mkdir image2; cp -a context/src image2/src");
    await work.must("ch-image import image2 x");
    const show = async () =>
      await work.must(
        "cd storage/img/x/src; getfattr --only-values -n user.color f 2>/dev/null || true; " +
          "getfacl -cE g 2>/dev/null | grep :12: || true",
      );
    const withAttributes = await work.run(["ch-image", "import", "--xattrs", "image2", "x"]);
    expect(withAttributes, { code: 0 });
    const had = await show();
    await work.must("ch-image delete x; ch-image undelete --xattrs x");
    assert.equal(await show(), had, "with --xattrs");
    await work.must("ch-image delete x; ch-image undelete x");
    assert.equal(await show(), "", "without");
  },
  "setfattr",
  "setfacl",
);

test("54: what the user's Git ignores is stored", async (work) => {
  await importBase(work);
  await work.must(
    "mkdir -p home/.config/git && echo '*.o' | tee home/.config/git/ignore >home/.gitignore",
  );
  await work.must("printf '[core]\\nexcludesFile = ~/.gitignore\\n' >home/.gitconfig");
  const text = "FROM base\nRUN echo o >/x.o && echo '*' >/.gitignore\n";
  await build(work, text);
  await work.must("ch-image delete t");
  assert.equal(statusOf(await build(work, text)), "*");
  assert.equal(await work.must("cat storage/img/t/x.o storage/img/t/.gitignore"), "o\n*\n");
});

test("3, 11: hits execute nothing; without the cache nothing is a hit or stored", async (work) => {
  await importBase(work);
  const text = "FROM base\nRUN echo seen; echo x >/x\nRUN echo seen again\n";
  assert.match((await build(work, text)).stdout, /seen\nseen again/);
  const again = await build(work, text);
  assert.equal(statusOf(again), "**");
  assert.match(again.stderr, /^ +1\* FROM/m);
  assert.equal(again.stdout, "");
  const before = await cache(work, "--tree");
  const uncached = await build(work, text, ["--no-cache", "-t", "t"]);
  assert.equal(statusOf(uncached), "..");
  assert.match(uncached.stderr, /^ +1\. FROM/m);
  assert.match(uncached.stderr, /build slow\? consider enabling the build cache/);
  const trees = [before, await cache(work, "--tree")].map((text) => text.split("\n\n")[0]);
  assert.equal(trees[0], trees[1]);
});

test("21: COPY misses after each change of what lies there, and hits when it is undone", async (work) => {
  await importBase(work);
  await work.must("mkdir -p context/src/d && echo a >context/src/a && echo b >context/src/d/b");
  // The Dockerfile is written anew each time; it is not among the sources.
  const text = "FROM base\nCOPY src /src\n";
  const status = async () => statusOf(await build(work, text));
  assert.equal(await status(), ".");
  assert.equal(await status(), "*");
  await work.must("touch -r context/src/d stamp; mv context/src/d/b context/src/d/c");
  assert.equal(await status(), ".", "renamed");
  await work.must("mv context/src/d/c context/src/d/b; touch -r stamp context/src/d");
  assert.equal(await status(), "*", "renamed back");
  await work.must("echo n >context/src/d/n; rm context/src/d/n");
  assert.equal(await status(), ".", "added and removed");
});

test("37: an image that is not in the cache is adopted by FROM", async (work) => {
  work.image();
  await work.must("ch-image import --no-cache image base");
  const first = await build(work, "FROM base\nRUN true\n");
  assert.match(first.stderr, /^warning: base image only exists non-cached; adding to cache$/m);
  assert.match(await cache(work, "--tree"), /\(base\) IMPORT base/);
  const second = await build(work, "FROM base\nRUN true\n");
  assert.doesNotMatch(second.stderr, /warning/);
  assert.equal(statusOf(second), "*");
});

test("55: each modify by hand is a state of its own", async (work) => {
  await importBase(work);
  await build(work, "FROM base\nENV A=1\n", ["-t", "src"]);
  for (const word of ["one", "two"]) {
    const stdin = `echo ${word} >/made; rm /bin/wc; ln /made /link\n`;
    expect(await work.run(["ch-image", "modify", "-i", "src", "out"], { stdin }), { code: 0 });
  }
  const tree = await cache(work, "--tree");
  assert.match(
    tree,
    /^\* {2}\(out\) MODIFY interactive *\n\| \* {2}MODIFY interactive *\n\|\/ *\n\* {2}\(src\) ENV A='1'/,
  );
  // FROM takes the newest, and it comes back from the cache.
  await build(work, "FROM out\nRUN cat /made >/seen && test ! -e /bin/wc\n");
  assert.equal(await work.must("cat storage/img/t/seen"), "two\n");
  await work.must("ch-image delete out && ch-image undelete out");
  assert.equal(await work.must("cd storage/img/out && cat made && test made -ef link"), "two\n");
  const inspected = JSON.parse(await work.must("ch-image inspect out"));
  assert.equal(inspected.instruction, "MODIFY interactive");
  assert.equal(inspected.config.env.A, "1");
});

test("a spare tree is made with the extended attributes that are asked for", async (work) => {
  await work.must("mkdir -p context/src && echo x >context/src/f");
  await work.must("setfattr -n user.color -v red context/src/f");
  await importBase(work);
  const text = (word: string) => `FROM base\nCOPY src /src\nRUN echo ${word} >/w\n`;
  const colour = () =>
    work.must("getfattr --only-values -n user.color storage/img/t/src/f 2>/dev/null || true");
  for (const word of ["one", "two", "three", "one"]) {
    await build(work, text(word), ["--xattrs", "-t", "t"]);
    assert.equal(await colour(), "red", word);
  }
  // One without them does not begin with those trees.
  await work.must("ch-image delete t");
  await build(work, text("four"));
  assert.equal(await colour(), "");
}, "setfattr");
