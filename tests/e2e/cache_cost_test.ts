// What a build costs grows with what it changes, not with the image: counted in system calls, which are the
// same on every machine. tools/bench/cache.ts has the times.

import assert from "node:assert/strict";
import { expect, test, type Workplace } from "../rig.ts";

const SIZES = [100, 3000] as const;
/** Other calls there may be more or less of: threads wait, memory is got. */
const FEW = 60;

/** How many system calls that name files COMMAND and its children make. Not those about processes, of which
 * there are more or less. */
async function countCalls(work: Workplace, command: readonly string[]): Promise<number> {
  const traced = ["-qq", "-o", "calls", "-e", "trace=%file,linkat,unlinkat"];
  const result = await work.run(["strace", "-f", ...traced, ...command]);
  expect(result, { code: 0 });
  const lines = (await work.must("cat calls")).trim().split("\n");
  return lines.filter((line) => !/"\/proc\/\d| resumed>/.test(line)).length;
}

/** An image "base" of SIZE files, and a storage of its own for it. */
async function withImage(
  work: Workplace,
  size: number,
  body: (build: (word: string, ...options: string[]) => readonly string[]) => Promise<void>,
): Promise<void> {
  work.image(`image${size}`);
  work.environment["CH_IMAGE_STORAGE"] = `${work.path}/storage${size}`;
  await work.must(
    'cd "image$1"; for i in $(seq "$1"); do d=usr/$((i % 17)); mkdir -p $d; echo $i >$d/$i; done',
    [String(size)],
  );
  await work.must('ch-image import "image$1" base', [String(size)]);
  await work.must("mkdir -p context");
  for (const word of ["one", "two", "three", "four"]) {
    await work.must('printf "FROM base\\nRUN echo $1 >/etc/$1\\n" >"context/$1"', [word]);
  }
  await body((word, ...options) => [
    ...["ch-image", "build", ...options, "-t", "t", "-f", `context/${word}`, "context"],
  ]);
}

/** Cost of each of a user's steps, by image size. */
async function compare(
  work: Workplace,
  measure: (build: (word: string, ...options: string[]) => readonly string[]) => Promise<number>,
): Promise<void> {
  const counts: number[] = [];
  for (const size of SIZES) {
    await withImage(work, size, async (build) => void counts.push(await measure(build)));
  }
  const [small, large] = counts;
  assert(small! > 0 && Math.abs(large! - small!) < FEW, `${counts} calls`);
}

test("RUN that changes one file costs the same in images of any size", async (work) => {
  await compare(work, async (build) => {
    for (const word of ["one", "two"]) expect(await work.run(build(word)), { code: 0 });
    return await countCalls(work, build("three"));
  });
}, "strace");

test("a second attempt after a failed RUN costs the same in images of any size", async (work) => {
  await compare(work, async (build) => {
    await work.must("printf 'FROM base\\nRUN false\\n' >context/bad");
    expect(await work.run(build("bad")), { code: 1 });
    return await countCalls(work, ["sh", "-c", `${build("bad").join(" ")} || true`]);
  });
}, "strace");

test("switching to another state costs what differs", async (work) => {
  await compare(work, async (build) => {
    for (const word of ["one", "two"]) expect(await work.run(build(word)), { code: 0 });
    return await countCalls(work, build("one"));
  });
}, "strace");

test("a build that is all hits looks at no file of the image", async (work) => {
  await compare(work, async (build) => {
    expect(await work.run(build("one")), { code: 0 });
    return await countCalls(work, build("one"));
  });
}, "strace");

test("an image costs the cache no inode for its files", async (work) => {
  for (const size of SIZES) {
    await withImage(work, size, async (build) => {
      const count = async (path: string) =>
        Number((await work.must('du -s --inodes "$1"', [path])).split("\t")[0]);
      const storage = work.environment["CH_IMAGE_STORAGE"]!;
      // 256 directories for objects, as many at most for states, and records.
      const cost = await count(storage) - await count(`${storage}/img/base`);
      assert(cost < 300, `${cost} inodes for ${size} files`);
      const before = await count(storage);
      expect(await work.run(build("one")), { code: 0 });
      const tree = Number(await work.must('find "$1" ! -type f | wc -l', [`${storage}/img/t`]));
      const more = await count(storage) - before - tree;
      assert(more < 20, `${more} inodes more for an image that differs in a file`);
    });
  }
});
