import assert from "node:assert/strict";
import { openRoot, readXattrs } from "../../../ffi/tree.ts";
import { ChError } from "../../../lib/error.ts";
import { copyEntries } from "../../../lib/layer/entry.ts";
import type { Entry, Source } from "../../../lib/layer/entry.ts";
import { holeChunks } from "../../../lib/layer/hole.ts";
import { TreeWriter, type TreeWriterOptions } from "../../../lib/layer/tree_writer.ts";
import { chunksOf, entriesOf, lines, showTree } from "../../tree_fixture.ts";
import { TemporaryDirectory } from "../../tree_fixture.ts";

const isRoot = Deno.uid() === 0;

async function unpack(path: string, source: Source, options?: TreeWriterOptions) {
  using root = openRoot(path);
  using writer = new TreeWriter(root.fd, options);
  await copyEntries(source, writer);
  return writer;
}

const below = (path: string, times = false) =>
  showTree(path, { times }).split("\n").slice(1).join("\n");

Deno.test("TreeWriter makes what it is told, whatever the umask", async () => {
  const before = Deno.umask(0o077);
  try {
    using work = new TemporaryDirectory();
    const to = work.makeTree("to", "");
    const text = `
      d 1777 a @1500000001
      f 4711 a/f "${"x".repeat(100_000)}" @1500000002.5
      h a/g = a/f @1500000002.5
      d 0555 a/ro @1500000003
      f 0444 a/ro/f "deep" @1500000004
      l a/s -> ro/f @1500000005
      d 0755 b @1600000000
      p 0602 b/p @1500000006`;
    const sizes = entriesOf(text.replace("500000002.5", "500000002"));
    await unpack(to, sizes);
    assert.equal(below(to, true), lines(text).replaceAll("2.5", "2"));
  } finally {
    Deno.umask(before);
  }
});

Deno.test("TreeWriter: the root's own entry sets its mode and time", async () => {
  using work = new TemporaryDirectory();
  const to = work.makeTree("to", "");
  await unpack(to, entriesOf(`d 0711 '' @1500000000\nf 0644 f "x"`));
  assert.equal(showTree(to, { times: true }).split("\n")[0], "d 0711 '' @1500000000");
});

Deno.test("TreeWriter: an entry replaces one of another type, directories merge", async () => {
  using work = new TemporaryDirectory();
  const old = `
    f 0644 f "old"
    d 0755 d
    f 0644 d/x "x"
    l l -> d
    p 0644 p`;
  const cases: [string, string, string][] = [
    ["file over link", `f 0644 l "new"`, `f 0644 l "new"`],
    ["file over directory", `f 0644 d "new"`, `f 0644 d "new"`],
    ["file over FIFO", `f 0644 p "new"`, `f 0644 p "new"`],
    ["link over directory", `l d -> f`, `l d -> f`],
    ["link over link", `l l -> f`, `l l -> f`],
    ["directory over file", `d 0700 f`, `d 0700 f`],
    ["directory over link to one", `d 0700 l`, `d 0700 l`],
    ["directory over directory", `d 0700 d`, `d 0700 d\nf 0644 d/x "x"`],
    ["hard link over directory", `h d = f`, `f 0644 d "old"\nh f = d`],
    ["FIFO over file", `p 0600 f`, `p 0600 f`],
    ["hard link to itself", `h f = f`, `f 0644 f "old"`],
    ["twice the same", `f 0644 n "1"\nf 0600 n "2"`, `f 0600 n "2"`],
    ["directory, then link", `d 0700 n\nf 0644 n/x ""\nl n -> f`, `l n -> f`],
  ];
  for (const [index, [what, text, expected]] of cases.entries()) {
    const to = work.makeTree(`to${index}`, old);
    Deno.linkSync(`${to}/f`, `${work.path}/kept${index}`);
    await unpack(to, entriesOf(text));
    const shown = below(to).split("\n");
    for (const line of lines(expected).split("\n")) {
      assert(shown.includes(line), `${what}: ${shown}`);
    }
    assert.equal(Deno.readTextFileSync(`${work.path}/kept${index}`), "old", "not written in place");
  }
});

Deno.test("TreeWriter never writes outside, whatever entries say", async () => {
  using work = new TemporaryDirectory();
  const outside = work.makeTree("outside", `f 0644 secret "s"\nd 0755 d`);
  const before = showTree(outside, { times: true });
  const cases: [string, string, RegExp | string][] = [
    ["up-level", `f 0644 ../outside/x "!"`, /unsafe name: \.\.\/outside\/x/],
    ["up-level inside", `f 0644 a/../../outside/x "!"`, /unsafe name/],
    ["absolute", `f 0644 ${outside}/x "!"`, /unsafe name/],
    ["dot", `f 0644 ./x "!"`, /unsafe name/],
    ["root as a file", `l '' -> ${outside}`, /root is not a directory/],
    ["through an absolute link", `l l -> ${outside}\nf 0644 l/x "!"`, `${outside.slice(1)}/x`],
    ["through a climbing link", `l l -> ../outside\nf 0644 l/secret "!"`, "outside/secret"],
    ["through a link to /", `l l -> /\nd 0755 l/y\nf 0644 l/y/x "!"`, "y/x"],
    ["over a link", `l x -> ../outside/secret\nf 0644 x "!"`, "x"],
    ["hard link outside", `h h = ../outside/secret`, /no such member/],
    ["hard link through a link", `l l -> ../outside\nh h = l/secret`, /no such member/],
    ["hard link to a directory", `d 0755 d\nh h = d`, /no such member/],
    ["hard link to nothing", `h h = n`, /can’t link: h -> n: no such member/],
    ["hard link to the root", `h h = .`, /no such member/],
    ["below a file", `f 0644 f ""\nf 0644 f/x ""`, /can’t write: f\/x/],
    ["through a loop", `l l -> l\nf 0644 l/x ""`, /can’t write: l\/x/],
  ];
  for (const [index, [what, text, expected]] of cases.entries()) {
    const to = work.makeTree(`to${index}`, "");
    const unpacking = unpack(to, entriesOf(text));
    if (typeof expected === "string") {
      await unpacking;
      assert(Deno.lstatSync(`${to}/${expected}`).isFile, what);
    } else {
      await assert.rejects(unpacking, (error) => {
        assert(error instanceof ChError, `${what}: ${error}`);
        assert.match(error.message, expected, what);
        return true;
      });
    }
    assert.equal(showTree(outside, { times: true }), before, what);
  }
});

Deno.test("TreeWriter makes parents nobody mentioned", async () => {
  using work = new TemporaryDirectory();
  const to = work.makeTree("to", "");
  await unpack(to, entriesOf(`f 0644 a/b/c "x"\nl bin -> usr/bin\nf 0755 bin/sh "y"`));
  assert.equal(
    below(to),
    lines(`d 0755 a
      d 0755 a/b
      f 0644 a/b/c "x"
      l bin -> usr/bin
      d 0755 usr
      d 0755 usr/bin
      f 0755 usr/bin/sh "y"`),
  );
});

Deno.test("TreeWriter leaves out devices unless told, and sockets", async () => {
  using work = new TemporaryDirectory();
  const text = `c 0666 null 1,3\nb 0660 disk 8,0\ns 0755 s`;
  const to = work.makeTree("to", "");
  const { skipped } = await unpack(to, entriesOf(text));
  assert.deepEqual(skipped, { devices: 2, sockets: 1 });
  assert.equal(below(to), "");
  if (!isRoot) {
    await assert.rejects(
      () => unpack(to, entriesOf(text), { devices: "make" }),
      /can’t write: null/,
    );
  } else {
    await unpack(to, entriesOf(text), { devices: "make" });
    assert.equal(below(to), "b 0660 disk 8,0\nc 0666 null 1,3");
  }
});

Deno.test("TreeWriter keeps holes, and checks sizes", async () => {
  using work = new TemporaryDirectory();
  const to = work.makeTree("to", "");
  const size = 50 << 20;
  async function* chunks() {
    yield new Uint8Array([1]);
    yield* holeChunks(size - 1);
  }
  const file = (size: number, chunks: AsyncIterable<Uint8Array>): Entry => ({
    path: "f",
    type: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    mtime: 0,
    mtimeNsec: 0,
    size,
    content: { chunks },
  });
  await unpack(to, one(file(size, chunks())));
  const stat = Deno.statSync(`${to}/f`);
  assert.equal(stat.size, size);
  assert(stat.blocks! < 100);
  for (const wrong of [2, 4]) {
    await assert.rejects(
      () => unpack(to, one(file(wrong, chunksOf(new Uint8Array(3), 2)))),
      /wrong size: f/,
    );
  }
});

Deno.test("TreeWriter stores user.* and nothing privileged", async () => {
  using work = new TemporaryDirectory();
  const to = work.makeTree("to", "");
  const value = new Uint8Array([1]);
  const xattrs = new Map([["user.a", value], ["security.x", value], [
    "user.overlay.opaque",
    value,
  ]]);
  async function* source(): Source {
    for await (const entry of entriesOf(`d 0500 d\nf 0400 d/f "x"\nl l -> d`)) {
      yield { ...entry, xattrs };
    }
  }
  await unpack(to, source(), { xattrs: true });
  using root = openRoot(to);
  assert.deepEqual([...readXattrs(root.fd, "d")], [["user.a", value]]);
  assert.deepEqual([...readXattrs(root.fd, "d/f")], [["user.a", value]]);
  await unpack(work.makeTree("none", ""), source());
  using none = openRoot(`${work.path}/none`);
  assert.equal(readXattrs(none.fd, "d/f").size, 0);
});

async function* one(entry: Entry): Source {
  yield entry;
}
