// COPY on real directories: where sources come from, what becomes of the image, what is refused.

import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { openRoot } from "../../../ffi/tree.ts";
import type { CopyAction } from "../../../lib/build/action.ts";
import { type CopySurroundings, executeCopyAction } from "../../../lib/build/copy_execute.ts";
import { prepareCopy } from "../../../lib/build/copy_prepare.ts";
import { SourceTree } from "../../../lib/build/source_tree.ts";
import { StageState } from "../../../lib/build/state.ts";
import { CHARLIECLOUD } from "../../../lib/dockerfile/dialect.ts";
import { parseDockerfile } from "../../../lib/dockerfile/parse.ts";
import { defaultMetadata } from "../../../lib/store/metadata.ts";
import { type FileTable, Place, readFiles } from "./files.ts";
import { newRecordedLog } from "./recorded_log.ts";

const CONTEXT: FileTable = {
  "a": "A",
  "b": "B",
  "d/x": "X",
  "d/sub/y": "Y",
  "d/link": "-> x",
  "d/out": "-> /etc",
  "ln": "-> a",
  "lnd": "-> d",
  "abs": "-> {CTX}/a",
  "outside": "-> ../secret",
  "dangling": "-> nowhere",
  "up": "-> ..",
  "empty/": "",
  "fifo": "|",
  "odd/fifo": "|",
  "[x]": "bracket",
};

const IMAGE: FileTable = {
  "etc/passwd": "root",
  "dir/old": "old",
  "lnk": "-> /dir",
  "rel": "-> dir/../dir",
  "flnk": "-> /etc/passwd",
  "escape": "-> ../../../../dir",
  "loop": "-> loop",
};

interface Outcome {
  /** What is new or different; null: it is gone. */
  readonly changes: Record<string, string | null>;
  readonly text: string;
}

function newSurroundings(place: Place, rootFd: number): CopySurroundings {
  return {
    rootFd,
    newDirectory: (name) => place.make(name, {}),
    directoryMode: 0o750,
    checkpoint: () => Promise.resolve(),
    caller: new Map(Object.entries(Deno.env.toObject())),
    log: newRecordedLog(),
    now: () => new Date(0),
    signal: new AbortController().signal,
  };
}

function newCopy(
  tree: SourceTree,
  patterns: readonly string[],
  destination: string,
): CopyAction {
  return {
    keyword: "COPY",
    tree,
    sources: tree.expand(patterns),
    others: [],
    versions: [],
    destination,
    mode: undefined,
    owner: undefined,
    exclude: undefined,
    parents: false,
    unpack: { local: false, remote: false },
  };
}

const noVersion = () => Promise.resolve(undefined);

async function copy(line: string, env: Record<string, string> = {}): Promise<Outcome> {
  using place = new Place();
  const context = `${place.path}/context`;
  place.make(
    "context",
    Object.fromEntries(
      Object.entries(CONTEXT).map(([name, text]) => [name, text.replace("{CTX}", context)]),
    ),
  );
  place.make("", { secret: "S" });
  const image = place.make("image", IMAGE);
  const before = readFiles(image);
  const [instruction] = parseDockerfile({ file: "D", text: line }).instructions;
  if (instruction?.kind !== "copy" && instruction?.kind !== "add") throw new TypeError(line);

  const state = new StageState({
    base: { ...defaultMetadata(), cwd: "/dir", env },
    caller: new Map(),
    globalArg: new Map(),
    platformArg: new Map(),
    dialect: CHARLIECLOUD,
  });
  using tree = SourceTree.ofContext(context);
  using root = openRoot(image);
  const { action, text } = await prepareCopy(
    instruction,
    () => Promise.resolve(tree),
    state,
    noVersion,
  );
  if (action.op !== "copy") throw new TypeError();
  await executeCopyAction(action.copy, newSurroundings(place, root.fd));
  const after = readFiles(image);
  const changes: Record<string, string | null> = {};
  for (const name of Object.keys({ ...before, ...after })) {
    if (before[name] !== after[name]) changes[name] = after[name] ?? null;
  }
  deepStrictEqual(
    [...Deno.readDirSync(place.path)].map(({ name }) => name).sort(),
    ["context", "image", "secret"],
  );
  deepStrictEqual(readFiles(place.path)["secret"], "S");
  return { changes, text: text.operands };
}

const D = { x: "X", "sub/": "", "sub/y": "Y", link: "-> x", out: "-> /etc" };

function below(directory: string, table: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(table).map(([k, v]) => [`${directory}/${k}`, v]));
}

const CASES: readonly (readonly [string, Record<string, string | null>])[] = [
  ["COPY a /", { a: "A" }],
  ["COPY a new", { "dir/new": "A" }],
  ["COPY a .", { "dir/a": "A" }],
  ["COPY a /etc/passwd", { "etc/passwd": "A" }],
  ["COPY a /etc", { "etc/a": "A" }],
  ["COPY a /x/y/z", { "x/": "", "x/y/": "", "x/y/z": "A" }],
  ["COPY a /x/y/", { "x/": "", "x/y/": "", "x/y/a": "A" }],
  ["COPY a b /n", { "n/": "", "n/a": "A", "n/b": "B" }],
  ["COPY ? /n", { "n/": "", "n/a": "A", "n/b": "B", ...below("n", D) }],
  ["COPY [[]x[]] /n", { "n": "bracket" }],
  ["COPY ln /", { ln: "A" }],
  ["COPY abs /n", { n: "A" }],
  ["COPY d /n", { "n/": "", ...below("n", D) }],
  ["COPY d/ /n/", { "n/": "", ...below("n", D) }],
  ["COPY lnd /dir", below("dir", D)],
  ["COPY d/sub a /n", { "n/": "", "n/y": "Y", "n/a": "A" }],
  ["COPY empty /n", { "n/": "" }],
  ["COPY ./d/../a /n", { n: "A" }],
  ["COPY /a /n", { n: "A" }],
  // Links in the destination are the image's.
  ["COPY a /lnk/", { "dir/a": "A" }],
  ["COPY a /lnk/old", { "dir/old": "A" }],
  ["COPY a /rel", { "dir/a": "A" }],
  ["COPY a /flnk", { "etc/passwd": "A" }],
  ["COPY a /escape/e", { "dir/e": "A" }],
  ["COPY a /dir/../q", { q: "A" }],
  ["COPY $S ${T}/n", { "n": "A" }],
];

for (const [line, changes] of CASES) {
  Deno.test(`executeCopy() of ${line}`, async () => {
    deepStrictEqual((await copy(line, { S: "a", T: "" })).changes, changes);
  });
}

Deno.test("executeCopy() merges trees, the source's types win", async () => {
  using place = new Place();
  const context = place.make("context", { "t/f": "F", "t/d/new": "N", "t/l": "-> f", "t/e/": "" });
  const image = place.make("image", {
    "o/f/was": "D",
    "o/d": "file",
    "o/l/x": "",
    "o/e/kept": "K",
  });
  using tree = SourceTree.ofContext(context);
  using root = openRoot(image);
  await executeCopyAction(newCopy(tree, ["t"], "/o"), newSurroundings(place, root.fd));
  deepStrictEqual(readFiles(image), {
    "o/": "",
    "o/d/": "",
    "o/d/new": "N",
    "o/e/": "",
    "o/e/kept": "K",
    "o/f": "F",
    "o/l": "-> f",
  });
});

Deno.test("executeCopy() keeps mode and time, and does not write into shared files", async () => {
  using place = new Place();
  const context = place.make("context", { f: "new", "t/g": "G" });
  Deno.chmodSync(`${context}/f`, 0o4751);
  Deno.utimeSync(`${context}/f`, 1000, 2000);
  Deno.chmodSync(`${context}/t`, 0o700);
  Deno.utimeSync(`${context}/t`, 1000, 3000);
  const image = place.make("image", { f: "old" });
  Deno.linkSync(`${image}/f`, `${place.path}/other`);
  using tree = SourceTree.ofContext(context);
  using root = openRoot(image);
  await executeCopyAction(newCopy(tree, ["f", "."], "/"), newSurroundings(place, root.fd));
  strictEqual(Deno.readTextFileSync(`${image}/f`), "new");
  strictEqual(Deno.readTextFileSync(`${place.path}/other`), "old");
  const file = Deno.statSync(`${image}/f`);
  strictEqual(file.mode! & 0o7777, 0o4751);
  strictEqual(file.mtime!.getTime(), 2_000_000);
  const directory = Deno.statSync(`${image}/t`);
  strictEqual(directory.mode! & 0o7777, 0o700);
  strictEqual(directory.mtime!.getTime(), 3_000_000);
});

const REFUSED: readonly (readonly [string, string])[] = [
  ["COPY missing /", "source not found: missing"],
  ["COPY a q* /", "source not found: q*"],
  ["COPY a/ /", "source not found: a/"],
  ["COPY dangling /", "can’t stat: dangling: No such file or directory"],
  ["COPY outside /", "can’t copy from outside context: outside"],
  ["COPY ../secret /", "can’t copy from outside context: ../secret"],
  ["COPY up/secret /", "can’t copy from outside context: up/secret"],
  ["COPY .. /", "can’t copy from outside context: .."],
  ["COPY d/out /", "can’t copy from outside context: d/out"],
  ["COPY fifo /", "can’t COPY: unknown file type: fifo"],
  ["COPY a b /etc/passwd", "can’t COPY: not a directory: /etc/passwd"],
  ["COPY a /etc/passwd/", "can’t COPY: not a directory: /etc/passwd/"],
  ["COPY d /etc/passwd", "can’t COPY: not a directory: /etc/passwd"],
  ["COPY a /etc/passwd/x", "can’t COPY: not a directory: /etc/passwd/x"],
  ["COPY a /loop/x", "can’t COPY: too many path components"],
  ["COPY a ../../../../x", "can’t COPY: destination not in image: ../../../../x"],
  ["COPY a /../x", "can’t COPY: destination not in image: /../x"],
  ["COPY a $T", "can’t COPY: destination is empty"],
  ['COPY ["a"]', "source or destination missing"],
];

for (const [line, message] of REFUSED) {
  Deno.test(`COPY refused: ${line}`, () => rejects(copy(line, { T: "" }), { message }));
}

Deno.test("COPY refuses a FIFO in a tree", async () => {
  await rejects(copy("COPY odd /n"), /can’t COPY: unknown file type: .*odd\/fifo$/);
});

Deno.test("COPY refuses to put a file where a directory is", async () => {
  using place = new Place();
  const context = place.make("context", { old: "file" });
  const image = place.make("image", { "dir/old/": "" });
  using tree = SourceTree.ofContext(context);
  using root = openRoot(image);
  await rejects(
    executeCopyAction(newCopy(tree, ["old"], "/dir/"), newSurroundings(place, root.fd)),
    { message: "can’t unlink: dir/old: Is a directory" },
  );
});

Deno.test("prepareCopy() announces sources as written and the destination expanded", async () => {
  strictEqual(
    (await copy('COPY ["a", "$S", "/$T/"]', { S: "b", T: "it's" })).text,
    `['a', '$S'] -> "/it's/"`,
  );
  strictEqual((await copy("COPY --chown=1 a n")).text, "['a'] -> 'n'");
});

Deno.test("SourceTree.ofImage() follows links inside, and lets nothing out", () => {
  using place = new Place();
  const image = place.make("image", {
    "usr/lib/f": "F",
    "lib": "-> usr/lib",
    "abs": "-> /usr/lib/f",
    "high": "-> ../../../usr",
    "etc/passwd": "image's",
    "secret": "-> /etc/passwd",
  });
  using tree = SourceTree.ofImage(image);
  deepStrictEqual(
    tree.expand(["lib/f", "abs", "high", "secret", "/usr/*"]).map(({ given, path, stat }) => [
      given,
      path,
      stat.type,
    ]),
    [
      ["lib/f", "usr/lib/f", "file"],
      ["abs", "usr/lib/f", "file"],
      ["high", "usr", "directory"],
      ["secret", "etc/passwd", "file"],
      ["usr/lib", "usr/lib", "directory"],
    ],
  );
  throws(() => tree.expand(["../../etc/passwd"]), {
    message: "can’t copy from outside context: ../../etc/passwd",
  });
});

Deno.test("SourceTree.ofContext() takes glob characters in its own path literally", () => {
  using place = new Place();
  using tree = SourceTree.ofContext(place.make("[a]*", { f: "F" }));
  strictEqual(tree.expand(["*"]).length, 1);
});
