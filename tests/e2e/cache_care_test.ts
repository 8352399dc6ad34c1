// Looking at the build cache and after it: modes, sizes, formats, garbage (spec build-cache §14; the numbers in
// names are those of the acceptance checklist).

import assert from "node:assert/strict";
import { expect, type RunOptions, test } from "../rig.ts";
import { build, cache, importBase, statusOf } from "./cache_case.ts";

test("1, 45: a fresh cache", async (work) => {
  const { code, stdout, stderr } = await work.run(["ch-image", "build-cache", "--tree"]);
  assert.equal(code, 0);
  assert.match(stderr, /^initializing storage directory: .*\ninitializing empty build cache\n$/);
  assert.match(
    stdout,
    /^\* {2}\(root\) ROOT *\n\nnamed images: {7}1\nstate IDs: {10}1\nlarge files: {8}0\ncommits: {12}1\ninternal files: +\d+ \ndisk used: +\d+ KiB\n$/,
  );
  await cache(work, "--gc");
  const reset = await work.run(["ch-image", "build-cache", "--reset"], {
    env: { CH_IMAGE_STORAGE: `${work.path}/other` },
  });
  expect(reset, { code: 0, stderr: /^warning: not resetting brand-new cache$/m });
});

test("46: build-cache --reset keeps images that are not of the cache", async (work) => {
  await importBase(work);
  await work.must("ch-image import --no-cache image other");
  await build(work, "FROM base\nRUN true\n");
  await cache(work, "--reset");
  assert.equal(await work.must("ch-image list"), "other\n");
  assert.match(await cache(work), /^commits: +1$/m);
  await work.must("ch-image import image base");
  assert.equal(statusOf(await build(work, "FROM base\nRUN true\n")), ".");
});

test("12, 13, 47: cache modes", async (work) => {
  await importBase(work);
  const run = (words: string[], env: RunOptions["env"] = {}) =>
    work.run(["ch-image", ...words], { env });
  expect(await run(["build-cache", "--no-cache"]), {
    code: 1,
    stderr: /^error: build-cache subcommand invalid with build cache disabled$/m,
  });
  expect(await run(["list"], { CH_IMAGE_CACHE: "foo" }), { code: 1, stderr: /foo/ });
  expect(await run(["list", "-v", "--cache"], { CH_IMAGE_CACHE: "rebuild" }), {
    code: 0,
    stderr: /^build cache mode: enabled/m,
  });
});

test("48, 49: large files", async (work) => {
  await importBase(work);
  const make = [3, 4, 5].map((size) => `dd if=/dev/zero of=/f${size} bs=1M count=${size}`).join(
    " && ",
  );
  const text = `FROM base\nRUN ${make}\n`;
  await build(work, text, ["--cache-large=5", "-t", "t"]);
  assert.match(await cache(work), /^large files: +1$/m);
  await build(work, text, ["--rebuild", "--cache-large=4", "-t", "t"]);
  // That of the first build is there until it is collected.
  assert.match(await cache(work, "--gc"), /^large files: +2$/m);

  const same = (letter: string) =>
    `busybox yes ${letter} | head -c 6000000 >/big && touch -d '2001-02-03 04:05:06' /big`;
  const two = `FROM base\nRUN ${same("a")}\nRUN cp -p /big /one && ${same("b")}\n`;
  await build(work, two, ["--cache-large=5", "-t", "u"]);
  const digest = () => work.must("cd storage/img/u && head -c 3 one big");
  const before = await digest();
  assert.match(before, /a\na[^]*b\nb/);
  await work.must("ch-image delete u");
  assert.equal(statusOf(await build(work, two, ["-t", "u"])), "**");
  assert.equal(await digest(), before);
});

test("53: a storage directory that was moved hits", async (work) => {
  await importBase(work);
  const text = "FROM base\nRUN echo >/a\nCOPY Dockerfile /\n";
  await build(work, text);
  await work.must("mv storage elsewhere");
  await work.must("ln -s elsewhere storage");
  const again = await work.run(["ch-image", "build", "-t", "t", "context"], {
    env: { CH_IMAGE_STORAGE: `${work.path}/elsewhere` },
  });
  expect(again, { code: 0 });
  assert.equal(statusOf(again), "**");
});

test("garbage collection with limits keeps unnamed states", async (work) => {
  await importBase(work);
  for (const word of ["one", "two", "three"]) {
    await build(work, `FROM base\nRUN head -c 3000000 /dev/zero >/${word}\n`);
  }
  const commits = async (...options: string[]) =>
    /^commits: +(\d+)$/m.exec(await cache(work, "--gc", ...options))![1];
  assert.equal(await commits("--gc-keep-days=1"), "5");
  assert.equal(await commits("--gc-keep-size=1000"), "5");
  assert.equal(await commits("--gc-keep-size=8.5"), "4");
  assert.equal(await commits("--gc-keep-days=0"), "3");
  expect(await work.run(["ch-image", "build-cache", "--gc", "--gc-keep-days=x"]), { code: 2 });
});

test("--dot writes the tree for graphviz", async (work) => {
  await importBase(work);
  await build(work, 'FROM base\nRUN echo "a\\\\b"\n');
  await work.must(
    'mkdir bin && printf \'#!/bin/sh\\ncp "$3" "${2#-o}"\\n\' >bin/dot && chmod 755 bin/dot',
  );
  const path = await work.must('printf %s "$PATH"');
  const run = (env: RunOptions["env"], base: string) =>
    work.run(["ch-image", "build-cache", `--dot${base}`], { env });
  expect(await run({ PATH: `${work.path}/bin:${path}` }, ""), { code: 0 });
  const text = await work.must("cat build-cache.gv");
  assert.equal(text, await work.must("cat build-cache.pdf"));
  assert.match(text, /^digraph \{[^]*label="4A6F\|ROOT"[^]*\|IMPORT base"[^]*label="t"[^]*\}\n$/);
  assert.match(text, /\|RUN\.S echo \\"a\\\\\\\\b\\""/);
  const bin = path.split(":")[0];
  // Graphviz's, wherever the caller has it.
  const gestalt = ["ch-image", "gestalt", "bucache-dot"];
  expect(await work.run(gestalt, { env: { PATH: `${work.path}/bin:${bin}` } }), { code: 0 });
  expect(await work.run(gestalt, { env: { PATH: bin } }), { code: 1, stderr: /exit code 127/ });
  expect(await run({ PATH: bin }, "=other"), {
    code: 1,
    stderr: /^error: dot failed with exit code 127, assuming not present$/m,
  });
  await work.must("test -s other.gv");
});

test("a storage directory of format 100 is upgraded, others are left alone", async (work) => {
  await importBase(work);
  await work.must("rm -r storage/bucache && mkdir storage/bucache && echo 100 >storage/version");
  expect(await work.run(["ch-image", "list"]), {
    code: 0,
    stdout: "base\n",
    stderr: /^upgrading storage directory: v101 /m,
  });
  assert.equal(await work.must("cat storage/version"), "101\n");
  const { stderr } = await build(work, "FROM base\nRUN true\n");
  assert.match(stderr, /^ {2}2\. /m);
  assert.match(await cache(work, "--tree"), /IMPORT base/);

  const digest = () => work.must("cd storage && tar --sort=name -c . | sha256sum");
  const attempts = [["list"], ["build-cache", "--gc"], ["delete", "t"], ["import", "image", "x"]];
  for (const version of ["7", "99", "102", "1000"]) {
    await work.must('echo "$1" >storage/version', [version]);
    const before = await digest();
    for (const words of attempts) {
      expect(await work.run(["ch-image", ...words]), {
        code: 1,
        stderr: new RegExp(
          `^error: incompatible storage directory v${version}: .*\n(.*\n)*hint: .*ch-image reset`,
          "m",
        ),
      });
    }
    assert.equal(await digest(), before);
  }
  await work.must("echo 101 >storage/version && rm -r storage/bucache && mkdir storage/bucache");
  await work.must("echo ref: refs/heads/root >storage/bucache/HEAD");
  const before = await digest();
  expect(await work.run(["ch-image", "build-cache"]), {
    code: 1,
    stderr: /^error: storage broken: not a build cache: /m,
  });
  assert.equal(await digest(), before);
});

test("inspect and list --json tell of images and what they share", async (work) => {
  await importBase(work);
  await build(
    work,
    "FROM base\nENV A=1\nRUN head -c 5000 /dev/zero >/f && ln /f /g && ln -s f /h\n",
  );
  const ask = async (...words: string[]) => {
    const result = await work.run(["ch-image", ...words]);
    expect(result, { code: 0, stderr: "" });
    return JSON.parse(result.stdout);
  };
  const base = await ask("inspect", "base");
  const image = await ask("inspect", "t");
  assert.equal(image.path, `${work.path}/storage/img/t`);
  assert.equal(image.instruction, "RUN.S head -c 5000 /dev/zero >/f && ln /f /g && ln -s f /h");
  assert.match(image.digest, /^sha256:[0-9a-f]{64}$/);
  assert.match(image.stateId, /^[0-9A-F]{4}:[0-9A-F]{4}(:[0-9A-F]{8}){3}$/);
  assert.equal(image.config.env.A, "1");
  assert.equal(image.history.length, base.history.length + 2);
  // Its own are the new file, once, and its metadata.
  const { size } = image;
  assert.equal(size.bytes, size.ownBytes + size.sharedBytes);
  const own = Number(await work.must("cat storage/img/t/ch/* storage/img/t/f | wc -c"));
  assert(size.ownBytes >= 5000 && size.ownBytes <= own, `${size.ownBytes} of ${own}`);
  assert.equal(size.others, base.size.others + 1);
  assert.equal(size.files, base.size.files + 1);

  await work.must("ch-image import --no-cache image other");
  const images: { name: string; commit: string | null }[] = await ask("list", "--json");
  assert.deepEqual(images.map(({ name }) => name), ["base", "other", "t"]);
  assert.deepEqual(images.map(({ commit }) => commit), [base.commit, null, image.commit]);
  assert.equal((await ask("inspect", "other")).digest, null);
  expect(await work.run(["ch-image", "inspect", "none"]), {
    code: 1,
    stderr: "error: image not found: none\n",
  });
});
