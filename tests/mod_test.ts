// The library as an outside user has it: every name is documented, and the parts fit together.

import assert from "node:assert/strict";
import {
  ChError,
  copyEntries,
  decodeDockerfile,
  decompress,
  divideIntoStages,
  findImage,
  formatPlan,
  importImage,
  type Log,
  openFileChunks,
  openRoot,
  openStore,
  openSystemHost,
  parseDockerfile,
  parseReference,
  planRun,
  readSquashfs,
  readTar,
  readTree,
  type Source,
  spawnInit,
  SquashfsImage,
  SquashfsWriter,
  TarWriter,
  TreeWriter,
} from "../mod.ts";

const ROOT = new URL("..", import.meta.url).pathname;

Deno.test("every function and class of mod.ts has a documentation comment", () => {
  const { stdout } = new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", `${ROOT}mod.ts`],
    stderr: "null",
  }).outputSync();
  const symbols = listSymbols(JSON.parse(new TextDecoder().decode(stdout)));
  assert(symbols.length > 50);
  const bare = symbols.filter(({ kind, jsDoc }) =>
    (kind === "function" || kind === "class") && jsDoc === undefined
  );
  assert.deepEqual(bare.map(({ name }) => name), []);
});

Deno.test("the examples of mod.ts are correct", () => {
  const { code, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["check", "--no-lock", "--doc", `${ROOT}mod.ts`],
    env: { NO_COLOR: "1" },
  }).outputSync();
  const output = new TextDecoder().decode(stderr);
  assert.equal(code, 0, output);
  assert.match(output, /Check mod\.ts#\d/);
});

Deno.test("an image goes from directory to tar to SquashFS to directory", async () => {
  using work = new Workplace();
  work.write("a/etc/hostname", "there\n");
  Deno.symlinkSync("hostname", `${work.path}/a/etc/link`);
  {
    using root = openRoot(`${work.path}/a`);
    using file = Deno.openSync(`${work.path}/a.tar`, { write: true, create: true });
    const writer = new TarWriter((bytes) => void file.writeSync(bytes));
    await copyEntries(readTree(root.fd), writer);
  }
  {
    using writer = new SquashfsWriter(`${work.path}/a.sqfs`);
    await copyEntries(withoutDotSlash(readArchive(`${work.path}/a.tar`)), writer);
  }
  using image = new SquashfsImage(`${work.path}/a.sqfs`);
  assert.equal(new TextDecoder().decode(image.readFile("/etc/link")), "there\n");
  using source = readSquashfs(`${work.path}/a.sqfs`);
  Deno.mkdirSync(`${work.path}/b`);
  using root = openRoot(`${work.path}/b`);
  using writer = new TreeWriter(root.fd);
  await copyEntries(source, writer);
  assert.equal(Deno.readTextFileSync(`${work.path}/b/etc/link`), "there\n");
});

Deno.test("an image is imported, planned with, and a command runs in it", async () => {
  using work = new Workplace();
  for (const path of ["dev/", "proc/", "sys/", "tmp/", "etc/hosts"]) work.write(`a/${path}`, "");
  using store = openStore(`${work.path}/storage`, { lock: true }, SILENT);
  const reference = parseReference("some/image:1");
  await importImage(store, `${work.path}/a`, reference, { log: SILENT });
  assert.deepEqual(store.listImages(), ["some/image:1"]);

  const host = openSystemHost();
  const storage = Deno.realPathSync(store.path);
  const request = { image: reference.text, storage, write: false, unsafe: false };
  const image = findImage(request, host, () => {});
  assert(image.type === "name");
  const plan = planRun(
    {
      program: "example",
      verbosity: -3,
      argv: ["/nonesuch"],
      cwd: undefined,
      uid: 0,
      gid: 0,
      binds: [],
      home: undefined,
      user: "somebody",
      privateTmp: true,
      passwd: false,
      seccomp: false,
      write: false,
      imageCommand: false,
      overlaySize: undefined,
      overlayDir: undefined,
      environment: [],
      expand: true,
      join: undefined,
    },
    { type: "directory", root: image.root },
    host,
    { warning() {}, warnings: "" },
  );
  assert.match(formatPlan(plan), /^pivot\n(.*\n)*exec \/nonesuch /m);
  // Nothing is in the image that could be executed; to be told so takes a whole container.
  assert.deepEqual(await spawnInit(plan, [0, 1, 2]).wait(), { status: 49 });
});

Deno.test("a Dockerfile is parsed, and a mistake has its place", () => {
  const parse = (text: string) =>
    divideIntoStages(parseDockerfile(decodeDockerfile("D", new TextEncoder().encode(text))));
  assert.deepEqual(parse("FROM a AS x\nRUN b\nFROM x\n").stages.map(({ from }) => from.image), [
    "a",
    "x",
  ]);
  assert.throws(
    () => parse("FROM a\nROOM b\n"),
    (error) => error instanceof ChError && error.message.startsWith("can’t parse: D:2,1\n"),
  );
});

function readArchive(path: string): Source {
  return readTar(decompress(openFileChunks(path), path), path);
}

/** A tar's names as they are, but for the "./" that TarWriter puts before them. */
async function* withoutDotSlash(source: Source): Source {
  for await (const entry of source) yield { ...entry, path: entry.path.replace(/^\.\/?/, "") };
}

const SILENT: Log = {
  error() {},
  warning() {},
  info() {},
  verbose() {},
  debug() {},
  trace() {},
  progress: () => ({ update() {}, [Symbol.dispose]() {} }),
};

/** A directory of its own for a test. */
class Workplace implements Disposable {
  readonly path = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "ch-test." });

  /** "NAME/" is a directory. */
  write(path: string, text: string): void {
    const full = `${this.path}/${path}`;
    Deno.mkdirSync(full.slice(0, full.lastIndexOf("/")), { recursive: true });
    if (!path.endsWith("/")) Deno.writeTextFileSync(full, text);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.path, { recursive: true });
  }
}

interface DocSymbol {
  readonly name: string;
  readonly kind: string;
  readonly jsDoc?: unknown;
}

/** What `deno doc --json` says about each exported name. */
function listSymbols(doc: {
  nodes: Record<string, { symbols: { name: string; declarations: Omit<DocSymbol, "name">[] }[] }>;
}): DocSymbol[] {
  return Object.values(doc.nodes).flatMap(({ symbols }) => symbols).flatMap((symbol) =>
    symbol.declarations.map(({ kind, jsDoc }) => ({ name: symbol.name, kind, jsDoc }))
  );
}
