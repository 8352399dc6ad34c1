// Images of a foreign tool, mksquashfs, as entries; those that must be refused are in
// tests/data/refused/squashfs.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { ChError } from "../../../lib/error.ts";
import type { Entry } from "../../../lib/layer/entry.ts";
import { readSquashfs, SquashfsImage } from "../../../lib/squashfs/reader.ts";
import type { ReadSquashfsOptions } from "../../../lib/squashfs/reader.ts";

const REFUSED = new URL("../../data/refused/squashfs/", import.meta.url).pathname;
const LARGE = 5_000_123;

/** What is in the image: made by a shell, for names that are no text. */
const TREE = `
mkdir -p tree/dir/below tree/empty tree/ch tree/usr/root
printf hello >tree/small
ln tree/small tree/dir/hard
: >tree/nothing
head -c ${LARGE} /dev/urandom >tree/large
truncate -s 3000000 tree/hole
ln -s ../small tree/dir/link
ln -s usr/root tree/root
ln -s circle tree/circle
ln -s /dir/../../small tree/dir/below/out
mkfifo tree/fifo
printf 'A=1\\n' >tree/ch/environment
printf bytes >"tree/$(printf 'caf\\351')"
chmod 750 tree/dir
chmod 4755 tree/small
touch -h -d @1234567890 tree/small tree/dir/link
setfattr -n user.note -v text tree/small
setfattr -n user.note -v text tree/dir
touch -d @1234567890 tree
`;

const lacking = ["mksquashfs", "setfattr"].filter((name) =>
  spawnSync("sh", ["-c", `command -v ${name}`]).status !== 0
);

/** An image in a directory that goes when the test ends. */
class Fixture implements Disposable {
  readonly directory = Deno.makeTempDirSync();
  readonly image = `${this.directory}/image.sqfs`;

  constructor(options: string) {
    const made = spawnSync("sh", [
      "-ec",
      `${TREE}\nmksquashfs tree image.sqfs -quiet -no-progress ${options}`,
    ], { cwd: this.directory, encoding: "utf8" });
    assert.equal(made.status, 0, made.stderr);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.directory, { recursive: true });
  }
}

function test(name: string, body: () => Promise<void> | void): void {
  const mustWork = Deno.env.get("CH_MUST_WORK") === "1";
  Deno.test({
    name: lacking.length === 0 ? name : `${name} [lacking: ${lacking.join(", ")}]`,
    ignore: lacking.length > 0 && !mustWork,
    fn: body,
  });
}

type Found = Entry & { readonly bytes?: Uint8Array };

async function readAll(image: string, options?: ReadSquashfsOptions): Promise<Map<string, Found>> {
  const found = new Map<string, Found>();
  using source = readSquashfs(image, options);
  for await (const entry of source) {
    assert.ok(!found.has(entry.path), `${entry.path} comes twice`);
    const bytes = entry.type === "file" ? await readContent(entry) : undefined;
    found.set(entry.path, bytes === undefined ? entry : { ...entry, bytes });
  }
  return found;
}

async function readContent(entry: Entry & { type: "file" }): Promise<Uint8Array> {
  assert.ok("chunks" in entry.content);
  const chunks: Uint8Array[] = [];
  for await (const chunk of entry.content.chunks) chunks.push(chunk);
  return Uint8Array.from(chunks.length === 1 ? chunks[0]! : concatenate(chunks));
}

function concatenate(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}

for (const options of ["-comp gzip", "-comp xz", "-comp zstd -b 1M", "-comp lz4 -b 4K"]) {
  test(`readSquashfs() gives what ${options} has packed`, async () => {
    using fixture = new Fixture(`${options} -all-root`);
    const found = await readAll(fixture.image);

    const paths = [...found.keys()];
    assert.equal(paths[0], "");
    for (const path of paths.slice(1)) {
      const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
      assert.ok(paths.indexOf(parent) < paths.indexOf(path), `${parent} comes before ${path}`);
    }
    assert.deepEqual(paths.filter((path) => path.includes("caf")), ["caf\udce9"]);
    assert.equal(found.size, 19);

    // The first of two names, in the order of the listing, is the file.
    const { bytes: hello, ...file } = found.get("dir/hard")!;
    assert.ok(file.type === "file");
    assert.equal(new TextDecoder().decode(hello), "hello");
    assert.deepEqual({ ...file, content: undefined }, {
      path: "dir/hard",
      type: "file",
      mode: 0o4755,
      uid: 0,
      gid: 0,
      mtime: 1234567890,
      mtimeNsec: 0,
      size: 5,
      content: undefined,
    });
    const link = found.get("small");
    assert.ok(link?.type === "hardlink" && link.target === "dir/hard");
    assert.equal(found.get("dir")!.mode, 0o750);
    assert.equal(found.get("fifo")!.type, "fifo");
    assert.equal(found.get("nothing")!.bytes!.length, 0);
    const symlink = found.get("dir/link");
    assert.ok(symlink?.type === "symlink" && symlink.target === "../small");
    assert.ok(found.get("hole")!.bytes!.every((byte) => byte === 0));
    assert.equal(found.get("hole")!.bytes!.length, 3_000_000);
    assert.deepEqual(
      found.get("large")!.bytes,
      Deno.readFileSync(`${fixture.directory}/tree/large`),
    );
  });
}

test("readSquashfs() brings extended attributes only if asked to", async () => {
  using fixture = new Fixture("-comp zstd");
  const without = await readAll(fixture.image);
  const { xattrs } = (await readAll(fixture.image, { xattrs: true })).get("dir/hard")!;
  assert.ok([...without.values()].every((entry) => entry.xattrs === undefined));
  assert.deepEqual([...xattrs!], [["user.note", new TextEncoder().encode("text")]]);
});

test("readSquashfs() leaves out what is excluded, with all below", async () => {
  using fixture = new Fixture("-comp zstd");
  const found = await readAll(fixture.image, { exclude: (path) => path === "dir" });
  assert.ok(![...found.keys()].some((path) => path.startsWith("dir")));
  assert.equal(found.get("small")!.type, "file");
});

test("readSquashfs() can be left in the middle of a file", async () => {
  using fixture = new Fixture("-comp zstd");
  using source = readSquashfs(fixture.image);
  for await (const entry of source) {
    if (entry.type !== "file" || entry.size !== LARGE || !("chunks" in entry.content)) continue;
    for await (const _ of entry.content.chunks) break;
    break;
  }
});

test("SquashfsImage resolves paths as in a chroot", () => {
  using fixture = new Fixture("-comp xz");
  using image = new SquashfsImage(fixture.image);
  const text = (path: string) => new TextDecoder().decode(image.readFile(path));
  assert.equal(text("/ch/environment"), "A=1\n");
  for (const path of ["small", "dir/link", "/dir/below/out", "../../dir/../small", "dir//./hard"]) {
    assert.equal(text(path), "hello", path);
  }
  assert.equal(text("caf\udce9"), "bytes");
  for (const path of ["/", "/root", "dir", "fifo"]) {
    assert.ok(image.exists(path), path);
    assert.equal(image.readFile(path), undefined, path);
  }
  for (const path of ["none", "dir/none", "small/none", "circle", "x".repeat(300)]) {
    assert.ok(!image.exists(path), path);
    assert.equal(image.readFile(path), undefined, path);
  }
});

for (const { name } of Deno.readDirSync(REFUSED)) {
  if (!name.endsWith(".sqfs")) continue;
  Deno.test(`readSquashfs() refuses ${name}`, async () => {
    await assert.rejects(readAll(REFUSED + name, { xattrs: true }), ChError);
  });
}

Deno.test("readSquashfs() names the image and the reason", () => {
  assert.throws(() => readSquashfs(`${REFUSED}truncated.sqfs`), (error) => {
    assert.ok(error instanceof ChError && error.cause instanceof Error);
    assert.equal(error.message, `can't open SquashFS: ${REFUSED}truncated.sqfs`);
    assert.match(error.cause.message, /^truncated: \d+ of \d+ bytes$/);
    return true;
  });
  assert.throws(() => readSquashfs(`${REFUSED}none`), (error) => {
    assert.ok(error instanceof ChError && error.cause instanceof Error);
    assert.equal(error.cause.message, "No such file or directory");
    return true;
  });
  assert.throws(() => new SquashfsImage(`${REFUSED}README`), ChError);
  assert.throws(() => new SquashfsImage(REFUSED), ChError);
});
