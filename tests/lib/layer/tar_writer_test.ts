import assert from "node:assert/strict";
import { copyEntries } from "../../../lib/layer/entry.ts";
import type { Entry, Source } from "../../../lib/layer/entry.ts";
import { openRoot } from "../../../ffi/tree.ts";
import { readTar } from "../../../lib/layer/tar_reader.ts";
import { readTree } from "../../../lib/layer/tree_reader.ts";
import { TarWriter, type TarWriterOptions } from "../../../lib/layer/tar_writer.ts";
import { chunksOf, concatenate, entriesOf, lines, output, run } from "../../tree_fixture.ts";
import { showEntries, showTree, TemporaryDirectory } from "../../tree_fixture.ts";

async function pack(source: Source, options?: TarWriterOptions): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  const writer = new TarWriter((bytes) => void parts.push(bytes), options);
  await copyEntries(source, writer);
  return concatenate(parts);
}

const LONG = "long-directory-name/".repeat(8) + "x".repeat(120);

Deno.test("TarWriter writes what readTar() reads, below ./", async () => {
  const text = `
    d 0755 ''
    d 1777 tmp
    f 0644 file "${"text".repeat(1000)}"
    f 0600 empty ""
    h again = file
    l link -> /some/where
    l long -> ${LONG}
    p 0600 fifo
    c 0666 null 1,3
    b 0660 disk 259,70000
    f 0644 ${LONG} "deep"
    h hard = ${LONG}`;
  const expected = lines(text).replaceAll(/^([dfpcb] [0-7]{4}|[lh]) /gm, "$1 ./")
    .replaceAll(/^(h .*= )/gm, "$1./").replace("./''", ".");
  for (const format of ["pax", "gnu"] as const) {
    const bytes = await pack(entriesOf(text), { format });
    assert.equal(bytes.length % 10240, 0);
    assert.equal(await showEntries(readTar(chunksOf(bytes, 4000), "x")), expected, format);
  }
});

Deno.test("TarWriter: GNU tar unpacks it as it was", async () => {
  using work = new TemporaryDirectory();
  const from = work.makeTree(
    "from",
    `d 0755 d
     f 0644 d/f "hello" @1500000000.25
     h d/g = d/f
     l d/l -> ${"t".repeat(150)} @1400000000
     p 0600 d/p
     d 0755 ${"n".repeat(120)}
     f 0640 ${"n".repeat(120)}/${"m".repeat(120)} "deep" @-100
     f 0644 Grüße "utf-8"`,
  );
  for (const format of ["pax", "gnu"] as const) {
    const to = work.makeTree(`to-${format}`, "");
    using root = openRoot(from);
    Deno.writeFileSync(`${work.path}/x.tar`, await pack(readTree(root.fd), { format }));
    run("tar", "-C", to, "--no-same-owner", "-pxf", `${work.path}/x.tar`);
    const shown = showTree(to, { times: true });
    const wanted = showTree(from, { times: true });
    assert.equal(
      shown,
      format === "pax" ? wanted : wanted.replaceAll(/(@-?[0-9]+)\.[0-9]+/g, "$1"),
      format,
    );
  }
});

Deno.test("TarWriter: sizes, ids and times beyond octal", async () => {
  const entry: Entry = {
    path: "f",
    type: "directory",
    mode: 0o755,
    uid: 3_000_000_000,
    gid: 2097152,
    mtime: 2 ** 34,
    mtimeNsec: 123456789,
  };
  for (const format of ["pax", "gnu"] as const) {
    const bytes = await pack(one(entry), { format, owner: "keep" });
    for await (const found of readTar(chunksOf(bytes), "x")) {
      const mtimeNsec = format === "pax" ? 123456789 : 0;
      assert.deepEqual(found, { ...entry, path: "./f", mtimeNsec }, format);
    }
  }
});

Deno.test("TarWriter: a file of more than 8 GiB", async () => {
  const size = 9 * 2 ** 30;
  const piece = new Uint8Array(1 << 20);
  async function* zeros() {
    for (let at = 0; at < size; at += piece.length) yield piece;
  }
  for (const format of ["pax", "gnu"] as const) {
    // Of the archive only the head is kept.
    let head: Uint8Array | undefined, total = 0;
    const writer = new TarWriter((bytes) => {
      head ??= bytes.slice(0, 4096);
      total += bytes.length;
    }, { format });
    const common = { path: "f", mode: 0o644, uid: 0, gid: 0, mtime: 0, mtimeNsec: 0 };
    await writer.write({ ...common, type: "file", size, content: { chunks: zeros() } });
    await writer.finish();
    assert(total > size);
    for await (const entry of readTar(chunksOf(head!), "x")) {
      assert(entry.type === "file");
      assert.equal(entry.size, size, format);
      break;
    }
  }
});

Deno.test("TarWriter: the same entries give the same bytes, owners are root's", async () => {
  using work = new TemporaryDirectory();
  const text = `d 0755 a\nf 0644 a/b "x"\nl c -> a`;
  const first = await pack(entriesOf(text));
  assert.deepEqual(await pack(entriesOf(text)), first);
  Deno.writeFileSync(`${work.path}/x.tar`, first);
  assert.match(
    output("tar", "-tvf", `${work.path}/x.tar`),
    /^drwxr-xr-x root\/root +0 .* \.\/a\/$/m,
  );
  const kept = await pack(entriesOf(text), {
    owner: "keep",
    findNames: (uid, gid) => ({ user: `user${uid}`, group: `group${gid}` }),
  });
  Deno.writeFileSync(`${work.path}/x.tar`, kept);
  assert.match(output("tar", "-tvf", `${work.path}/x.tar`), /^-rw-r--r-- user0\/group0 /m);
});

Deno.test("TarWriter: extended attributes go to GNU tar and back", async () => {
  using work = new TemporaryDirectory();
  const from = work.makeTree("from", `d 0755 d\nf 0644 d/f "x"`);
  const to = work.makeTree("to", "");
  run("setfattr", "-n", "user.k", "-v", "0x00ff0a", `${from}/d/f`);
  run("setfattr", "-n", "user.dir", "-v", "1", `${from}/d`);
  using root = openRoot(from);
  Deno.writeFileSync(`${work.path}/x.tar`, await pack(readTree(root.fd, { xattrs: true })));
  run("tar", "-C", to, "--xattrs", "--no-same-owner", "-xf", `${work.path}/x.tar`);
  assert.match(
    output("getfattr", "-e", "hex", "-n", "user.k", "--absolute-names", `${to}/d/f`),
    /0x00ff0a/,
  );
  assert.match(output("getfattr", "-n", "user.dir", "--absolute-names", `${to}/d`), /"1"/);
});

Deno.test("TarWriter refuses a file that is not as long as it said, leaves out sockets", async () => {
  const common = { path: "f", mode: 0o644, uid: 0, gid: 0, mtime: 0, mtimeNsec: 0 };
  for (const size of [2, 4]) {
    const content = { chunks: chunksOf(new Uint8Array(3)) };
    await assert.rejects(
      () => pack(one({ ...common, type: "file", size, content })),
      /file changed while being read: f/,
    );
  }
  const writer = new TarWriter(() => {});
  await writer.write({ ...common, type: "socket" });
  assert.equal(writer.skipped.sockets, 1);
});

async function* one(entry: Entry): Source {
  yield entry;
}
