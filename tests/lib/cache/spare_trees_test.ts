// Trees that builds begin with: which are kept and taken, and that what comes of them is what a new tree
// would be.

import assert from "node:assert/strict";
import { collectGarbage } from "../../../lib/cache/collect.ts";
import { openCache } from "../../../lib/cache/open.ts";
import { parseReference } from "../../../lib/reference/reference.ts";
import { deleteImages } from "../../../lib/store/delete.ts";
import { newRecordedLog } from "../build/recorded_log.ts";
import { type Storage, testBuild } from "../build/storage.ts";
import { describeTree } from "./describe_tree.ts";

function testCache(name: string, body: (storage: Storage) => Promise<void>): void {
  testBuild(name, body, "enabled");
}

const tag = (text: string) => ({ tag: parseReference(text) });

/** Inode number of an image's root directory. */
function identify(storage: Storage, image = "new"): number {
  return Deno.statSync(storage.imagePath(image)).ino!;
}

/** Paths of the spare trees. */
function listSpare(storage: Storage): string[] {
  const path = `${storage.store.path}/bucache/spare`;
  return [...Deno.readDirSync(path)].map(({ name }) => `${path}/${name}`);
}

const FILE = (word: string) =>
  `FROM base
RUN mkdir -p /d/e && echo ${word} >/d/e/f && ln /d/e/f /d/g && ln -s ${word} /d/link
RUN mkfifo /d/p && mkdir /d/${word} && echo x >/d/${word}/x && touch -d '2001-02-03 04:05:06' /d
`;

testCache("a build begins with the tree that the one before replaced", async (storage) => {
  await storage.build(FILE("one"));
  const first = identify(storage);
  await storage.build(FILE("two"));
  const second = identify(storage);
  assert.notEqual(second, first);
  await storage.build(FILE("three"));
  assert.equal(identify(storage), first, "the first one’s directory");
  const grown = describeTree(storage.imagePath("new"));
  // Back, all hits: by the other directory.
  await storage.build(FILE("two"));
  assert.equal(identify(storage), second);
  const switched = describeTree(storage.imagePath("new"));

  // The same without spare trees.
  for (const [word, expected] of [["three", grown], ["two", switched]] as const) {
    deleteImages(storage.store, ["new"], newRecordedLog());
    for (const path of listSpare(storage)) Deno.removeSync(path, { recursive: true });
    await storage.build(FILE(word));
    assert.deepEqual(describeTree(storage.imagePath("new")), expected);
  }
});

testCache("the tree of a failed RUN is where the next attempt begins", async (storage) => {
  await assert.rejects(storage.build(`${FILE("one")}RUN echo >/bad && rm -r /d && false\n`));
  const [spare, ...more] = listSpare(storage);
  assert.deepEqual(more, []);
  const { ino } = Deno.statSync(spare!);
  await storage.build(`${FILE("one")}RUN test ! -e /bad && test -p /d/p\n`);
  assert.equal(identify(storage), ino);
  assert.deepEqual(listSpare(storage), []);
});

testCache("what a failed COPY has worked in is not used again", async (storage) => {
  storage.make("context", { a: "a" });
  const { path } = storage.store;
  await storage.build("FROM base\nRUN echo >/f\n");
  await assert.rejects(storage.build("FROM base\nRUN echo >/g\nCOPY a /f/\nCOPY a /g/a\n"));
  assert.deepEqual(listSpare(storage), []);
  assert.throws(() => Deno.lstatSync(`${path}/imgtmp`), Deno.errors.NotFound);
});

testCache("two spare trees are kept, and garbage collection removes them", async (storage) => {
  using cache = openCache(storage.store, {
    mode: "enabled",
    xattrs: false,
    log: newRecordedLog(),
  });
  for (const name of ["a", "b", "c", "d"]) {
    await storage.build("FROM base\nRUN echo one >/f\n", tag(name));
  }
  // Each takes the spare tree there is, and leaves its own.
  for (const name of ["a", "b", "c", "d"]) {
    await storage.build("FROM base\nRUN echo two >/f\n", tag(name));
  }
  assert.equal(listSpare(storage).length, 1);
  await assert.rejects(storage.build(`${FILE("one")}RUN false\n`));
  await assert.rejects(
    storage.build("FROM base AS a\nRUN echo >/x\nFROM base\nRUN echo >/y\nRUN false\n"),
  );
  await Promise.allSettled(
    ["e", "f", "g"].map((name) => storage.build("FROM base\nRUN echo $$ && false\n", tag(name))),
  );
  assert(listSpare(storage).length <= 2, `${listSpare(storage)}`);
  await collectGarbage(cache, {});
  assert.deepEqual(listSpare(storage), []);
});

testCache("a spare tree that somebody tampered with gives way to a new one", async (storage) => {
  await storage.build(FILE("one"));
  await storage.build(FILE("two"));
  const [spare] = listSpare(storage);
  Deno.removeSync(`${spare}/d`, { recursive: true });
  Deno.writeTextFileSync(`${spare}/d`, "");
  await storage.build(FILE("three"));
  const found = describeTree(storage.imagePath("new"));
  deleteImages(storage.store, ["new"], newRecordedLog());
  await storage.build(FILE("three"));
  assert.deepEqual(describeTree(storage.imagePath("new")), found);
});

testCache("trees of images without a common ancestor are not kept", async (storage) => {
  await storage.build("FROM base\nRUN echo >/f\n");
  await storage.build("FROM scratch\nENV A=1\n");
  await storage.build("FROM base\nRUN echo >/f\n");
  assert.deepEqual(listSpare(storage), []);
});
