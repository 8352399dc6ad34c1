// Builds with the build cache: what is a hit, what is stored, what is restored (spec build-cache §14; the
// numbers in names are those of the acceptance checklist).

import assert from "node:assert/strict";
import { chooseForce } from "../../../lib/build/force.ts";
import { collectGarbage } from "../../../lib/cache/collect.ts";
import { readGraph } from "../../../lib/cache/graph.ts";
import { openCache } from "../../../lib/cache/open.ts";
import type { CacheMode } from "../../../lib/cache/state_store.ts";
import { summarizeCache } from "../../../lib/cache/summary.ts";
import { formatTree } from "../../../lib/cache/tree_view.ts";
import { listDeleted, undeleteImage } from "../../../lib/cache/undelete.ts";
import { parseReference } from "../../../lib/reference/reference.ts";
import { deleteImages } from "../../../lib/store/delete.ts";
import { newRecordedLog } from "../build/recorded_log.ts";
import { type Storage, testBuild } from "../build/storage.ts";
import { describeTree } from "./describe_tree.ts";

function testCache(name: string, body: (storage: Storage) => Promise<void>): void {
  testBuild(name, body, "enabled");
}

/** The status of each instruction, without the first, FROM: "**." */
function statusOf(lines: readonly string[]): string {
  return lines.flatMap((line) => /^ *\d+([ *.]) (?!FROM)/.exec(line)?.[1] ?? []).join("");
}

async function statusAfter(
  storage: Storage,
  text: string,
  ...rest: Parameters<Storage["build"]> extends [string, ...infer Rest] ? Rest : never
): Promise<string> {
  return statusOf(await storage.build(text, ...rest));
}

function open(storage: Storage, mode: CacheMode = "enabled") {
  return openCache(storage.store, { mode, xattrs: false, log: newRecordedLog() });
}

function showTree(storage: Storage): string[] {
  return formatTree(readGraph(storage.store), { verbose: false }).map((line) => line.trimEnd());
}

const tag = (text: string) => ({ tag: parseReference(text) });

testCache("a build with the cache: 3, 4 a second one does nothing", async (storage) => {
  const text = "FROM base\nRUN echo one >/one\nENV A=1\nRUN echo two >/two\n";
  assert.deepEqual((await storage.build(text)).slice(3), [
    "  2. RUN.S echo one >/one",
    "copying image from cache ...",
    "  3. ENV A='1'",
    "  4. RUN.S echo two >/two",
    "--force=seccomp: modified 0 RUN instructions",
    "grown in 4 instructions: new",
  ]);
  const before = describeTree(storage.imagePath("new"));
  assert.deepEqual(await storage.build(text), [
    "  1* FROM base",
    "  2* RUN.S echo one >/one",
    "  3* ENV A='1'",
    "  4* RUN.S echo two >/two",
    "--force=seccomp: modified 0 RUN instructions",
    "grown in 4 instructions: new",
  ]);
  assert.deepEqual(describeTree(storage.imagePath("new")), before);
});

testCache("5, 30: an image that was deleted comes back as it was", async (storage) => {
  const text = `FROM base
RUN mkdir -p /d/e/f /d/.git/x && echo x >/d/a && ln /d/a /d/b && echo y >/d/.git/HEAD
RUN mkfifo /d/fifo && chmod 4755 /d/a && mkdir -m 1777 /d/t && touch -d '2001-02-03 04:05:06' /d/e
RUN ln -s nowhere /d/link && mkdir /d/secret && echo s >/d/secret/s && chmod 700 /d/secret
RUN echo x >"/d/$(printf 'odd\\377\\nname')" && test -p /d/fifo
`;
  await storage.build(text);
  const before = describeTree(storage.imagePath("new"));
  assert(before.some((line) => line.includes("fifo")));
  Deno.removeSync(storage.imagePath("new"), { recursive: true });
  const lines = await storage.build(text);
  assert.equal(statusOf(lines), "****");
  assert(lines.includes("copying image from cache ..."));
  assert.deepEqual(describeTree(storage.imagePath("new")), before);
});

testCache(
  "6, 7, 8: a change makes a branch, its revert goes back, another tag shares",
  async (storage) => {
    const file = (last: string) => `FROM base\nRUN echo >/one\nRUN echo ${last}\n`;
    assert.equal(await statusAfter(storage, file("bar")), "..");
    const first = describeTree(storage.imagePath("new"));
    assert.equal(await statusAfter(storage, file("qux")), "*.");
    assert.deepEqual(showTree(storage), [
      "*  (new) RUN.S echo qux",
      "| *  RUN.S echo bar",
      "|/",
      "*  RUN.S echo >/one",
      "*  (base) IMPORT base",
      "*  (root) ROOT",
    ]);
    const lines = await storage.build(file("bar"));
    assert.equal(statusOf(lines), "**");
    assert(lines.includes("updating existing image ..."));
    assert.deepEqual(describeTree(storage.imagePath("new")), first);
    assert.equal(await statusAfter(storage, file("bar"), tag("other")), "**");
    assert(showTree(storage).includes("| *  (other, new) RUN.S echo bar"));
    assert.deepEqual(describeTree(storage.imagePath("other")), first);
  },
);

testCache(
  "9, 10, 44: rebuilding makes new states; garbage collection leaves those with names",
  async (storage) => {
    const text = "FROM base\nRUN echo >/one\nRUN date >/two\n";
    const cache = open(storage);
    await storage.build(text);
    const small = async () => {
      const { states, stateIds } = await summarizeCache(cache);
      return { states, stateIds };
    };
    assert.deepEqual(await small(), { states: 4, stateIds: 4 });
    await storage.build(text, tag("old"));
    for (const states of [6, 8]) {
      const rebuild = openCache(storage.store, {
        mode: "rebuild",
        xattrs: false,
        log: newRecordedLog(),
      });
      const lines = await storage.build(text, {}, { cache: rebuild });
      assert.match(lines[0]!, /^ {2}1\* FROM/);
      assert.equal(statusOf(lines), "..");
      assert.deepEqual(await small(), { states, stateIds: 4 });
    }
    const dates = ["old", "new"].map((name) => describeTree(storage.imagePath(name)));
    assert.notDeepEqual(dates[0], dates[1]);
    // The older result belongs to "old", the newest to all others.
    await storage.build(text, tag("old"));
    await storage.build(text, tag("third"));
    assert.deepEqual(describeTree(storage.imagePath("old")), dates[0]);
    assert.deepEqual(describeTree(storage.imagePath("third")), dates[1]);
    deleteImages(storage.store, ["old"], newRecordedLog());
    await collectGarbage(cache, {});
    assert.equal((await small()).states, 6);
    cache[Symbol.dispose]();
  },
);

testCache("11: without the cache nothing is stored or found", async (storage) => {
  const text = "FROM base\nRUN echo >/one\n";
  await storage.build(text);
  const before = showTree(storage);
  const lines = await storage.build(text, tag("none"), { cache: open(storage, "disabled") });
  assert.equal(statusOf(lines), ".");
  assert.match(lines[0]!, /^ {2}1\. FROM/);
  assert.deepEqual(showTree(storage), before);
});

testCache("14, 15, 16, 18, 19, 20: what instructions depend on", async (storage) => {
  const build = (text: string, args: [string, string][] = []) =>
    statusAfter(storage, text, { buildArguments: new Map(args) });
  await build("FROM base\nRUN echo foo\n");
  assert.equal(await build("FROM base\n\n# comment\nrun echo foo\n"), "*");
  assert.equal(await build("FROM base\nRUN echo  foo\n"), ".");

  await build("FROM base\nENV A=1\nRUN echo $A\n");
  assert.equal(await build("FROM base\nENV A=2\nRUN echo $A\n"), "..");
  assert.equal(await build("FROM base\nENV A=1\nRUN echo $A\n"), "**");

  const arg = "FROM base\nARG B=x\nRUN echo $B >/b\n";
  assert.equal(await build(arg, [["B", "foo"]]), "..");
  assert.equal(await build(arg, [["B", "foo"]]), "**");
  assert.equal(await build(arg, [["B", "bar"]]), "..");
  assert.equal(storage.read("new", "b"), "bar\n");

  const special = "FROM base\nARG SSH_AUTH_SOCK=x\nRUN true\n";
  await build(special);
  assert.equal(await build(special, [["SSH_AUTH_SOCK", "y"]]), "**");

  const global = "ARG G=1\nFROM base\nRUN echo $G >/g\n";
  assert.equal(await build(global), " .");
  assert.equal(await build(global), " *");
  assert.equal(await build(global, [["G", "2"]]), " .");

  const force = chooseForce("none", []);
  const run = "FROM base\nRUN echo foo\n";
  assert.equal(await statusAfter(storage, run, { force }), ".");
  assert.equal(await statusAfter(storage, run, { force }), "*");
  assert.equal(await build(run), "*");
});

testCache("17: instructions that were hits count for those that are executed", async (storage) => {
  await storage.build("FROM base\nENV A=1\nWORKDIR /w\nARG B=2\nRUN true\n");
  const lines = await storage.build(
    "FROM base\nENV A=1\nWORKDIR /w\nARG B=2\nRUN echo $A $B $(pwd) >/out\n",
  );
  assert.equal(statusOf(lines), "***.");
  assert.equal(storage.read("new", "out"), "1 2 /w\n");
  assert.equal(storage.metadata("new").history.length, 4);
});

testCache("21, 22, 23: COPY depends on what lstat(2) tells of its sources", async (storage) => {
  const text = "FROM base\nCOPY src /dst/\n";
  const { context } = storage;
  storage.make("context/src", { a: "one", "sub/b": "two" });
  const build = (options = {}) => statusAfter(storage, text, options);
  const keepTime = (path: string, work: () => void) => {
    const { atime, mtime } = Deno.statSync(path);
    work();
    Deno.utimeSync(path, atime!, mtime!);
  };
  Deno.utimeSync(`${context}/src/a`, 1000, 1000);
  assert.equal(await build(), ".");
  assert.equal(await build(), "*");
  Deno.utimeSync(`${context}/src/a`, 1000, 2000);
  assert.equal(await build(), ".", "touch");
  Deno.chmodSync(`${context}/src/a`, 0o600);
  assert.equal(await build(), ".", "chmod");
  Deno.renameSync(`${context}/src/sub/b`, `${context}/src/sub/c`);
  assert.equal(await build(), ".", "rename");
  keepTime(`${context}/src/a`, () => Deno.writeTextFileSync(`${context}/src/a`, "uno"));
  assert.equal(await build(), "*", "same size and time");

  const moved = `${storage.path}/moved`;
  Deno.renameSync(context, moved);
  assert.equal(await build({ context: moved }), "*", "context elsewhere");
  Deno.renameSync(moved, context);
});

testCache("24, 56: stages are restored, COPY --from hits under another tag", async (storage) => {
  const text = "FROM base AS a\nRUN echo a >/a\nFROM base\nCOPY --from=a /a /b\nRUN cat /b >/c\n";
  assert.equal(await statusAfter(storage, text), "...");
  assert.equal(await statusAfter(storage, text, tag("second")), "***");
  deleteImages(storage.store, ["new", "second"], newRecordedLog());
  assert.equal(await statusAfter(storage, text), "***");
  assert.deepEqual(
    storage.store.listImages().filter((name) => name.startsWith("new")),
    ["new", "new_stage0"],
  );
  assert.equal(storage.read("new", "c"), "a\n");
});

testCache(
  "25, 26, 27: a failed instruction leaves nothing, the ones before stay",
  async (storage) => {
    const good = "FROM base\nRUN echo >/one\n";
    await storage.build(good);
    const complete = describeTree(storage.imagePath("new"));
    const bad =
      `${good}RUN echo >/two\nRUN touch /f && mkdir /empty && mkfifo /p && chmod 700 /etc && false\n`;
    const error = await storage.build(bad).catch((error) => error);
    assert.match(error.message, /RUN command exited with 1/);
    assert.deepEqual(describeTree(storage.imagePath("new")), complete);
    assert(showTree(storage).includes("*  (new#) RUN.S echo >/two"));
    assert(showTree(storage).includes("*  (new) RUN.S echo >/one"));
    assert.equal(await statusAfter(storage, "FROM new\nRUN test ! -e /two\n", tag("child")), ".");
    assert.equal(await statusAfter(storage, bad.replace("&& false", "|| true")), "**.");
    assert(!showTree(storage).some((line) => line.includes("#")));
  },
);

testCache("29: a file rewritten with its old size and time is stored", async (storage) => {
  const text = `FROM base
RUN echo one >/f && touch -d '2001-02-03 04:05:06' /f
RUN echo two >/f && touch -d '2001-02-03 04:05:06' /f
`;
  await storage.build(text);
  deleteImages(storage.store, ["new"], newRecordedLog());
  await storage.build(text);
  assert.equal(storage.read("new", "f"), "two\n");
});

testCache("31: a directory without permissions becomes usable", async (storage) => {
  await storage.build("FROM base\nRUN mkdir /d && echo x >/d/x && chmod 0 /d/x /d\n");
  assert.equal(Deno.statSync(`${storage.imagePath("new")}/d`).mode! & 0o7777, 0o700);
  assert.equal(Deno.statSync(`${storage.imagePath("new")}/d/x`).mode! & 0o7777, 0o400);
});

testCache("33: a base whose directory has vanished counts with its metadata", async (storage) => {
  await storage.build("FROM base\nENV A=1\nWORKDIR /w\n", tag("parent"));
  Deno.removeSync(storage.imagePath("parent"), { recursive: true });
  await storage.build("FROM parent\nRUN echo $A $(pwd) >/out\n");
  assert.equal(storage.read("new", "out"), "1 /w\n");
});

testCache("40, 41, 42, 43: deleted images", async (storage) => {
  using cache = open(storage);
  const log = newRecordedLog();
  const build = (word: string) => storage.build(`FROM base\nRUN echo ${word} >/w\n`);
  const names = () => listDeleted(cache).map(({ name }) => name);
  await build("one");
  deleteImages(storage.store, ["new"], log, cache);
  assert.equal(await statusAfter(storage, "FROM base\nRUN echo one >/w\n", tag("other")), "*");
  await build("two");
  assert.deepEqual(names(), []);
  deleteImages(storage.store, ["new"], log, cache);
  await collectGarbage(cache, {});
  assert.deepEqual(names(), ["new"]);
  await undeleteImage(cache, parseReference("new"));
  assert.equal(storage.read("new", "w"), "two\n");
  assert.deepEqual(names(), []);
  await assert.rejects(undeleteImage(cache, parseReference("new")), /will not overwrite/);
  await assert.rejects(undeleteImage(cache, parseReference("never")), /image not in cache/);
});

testCache("51, 52: names that other stores have no room for", async (storage) => {
  for (const name of ["root", "-x", "a..b", "x.lock", "h:1/p/n:t"]) {
    assert.equal(await statusAfter(storage, `FROM base\nENV N=${name}\n`, tag(name)), ".");
    assert.equal(storage.metadata(name).env.N, name);
  }
  assert(showTree(storage).includes("*  (root) ROOT"));
});

testCache("a state whose file somebody changed is built again", async (storage) => {
  const text = "FROM base\nRUN echo one >/one\nRUN echo two >/two\n";
  await storage.build(text);
  Deno.writeTextFileSync(`${storage.imagePath("new")}/one`, "changed in place\n");
  deleteImages(storage.store, ["new"], newRecordedLog());
  const lines = await storage.build(text);
  assert(
    lines.some((line) => /warning: build cache: state is damaged: .*: one$/.test(line)),
    `${lines}`,
  );
  assert(!lines.includes("something went wrong, rolling back ..."), `${lines}`);
  assert.equal(storage.read("new", "one"), "one\n");
});

testCache("--explain tells why", async (storage) => {
  const why = async (text: string) =>
    (await storage.build(text, { explain: true })).flatMap((line) =>
      /^ {5}why: (.*)/.exec(line)?.[1] ?? []
    );
  storage.make("context/src", { "main.c": "1", "other.c": "2" });
  const text = "FROM base\nCOPY src /src/\nRUN true\n";
  assert.deepEqual(await why(text), [
    "not built before under this name",
    "new instruction",
  ]);
  Deno.writeTextFileSync(`${storage.context}/src/main.c`, "11");
  assert.deepEqual(await why(text), [
    "COPY: src/main.c changed",
    "an instruction before it is different",
  ]);
  assert.deepEqual(await why(text.replace("true", "false || true")), [
    "instruction was: RUN.S true",
  ]);
});

testCache(
  "a file that RUN writes again as it was is one with that of the cache",
  async (storage) => {
    const write = "mkdir -p /d && echo x >/d/f && touch -d '2001-02-03 04:05:06' /d/f";
    await storage.build(`FROM base\nRUN ${write}\nRUN rm /d/f && ${write} && echo >/d/g\n`);
    const image = storage.imagePath("new");
    assert.deepEqual([...Deno.readDirSync(`${image}/d`)].map(({ name }) => name).sort(), [
      "f",
      "g",
    ]);
  },
);
