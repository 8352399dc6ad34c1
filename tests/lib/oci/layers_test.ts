// Layers on one another, by both ways: one after the other into a directory, and as one stream.

import assert from "node:assert/strict";
import { openRoot } from "../../../ffi/tree.ts";
import { copyEntries } from "../../../lib/layer/entry.ts";
import { TreeWriter } from "../../../lib/layer/tree_writer.ts";
import { LayeredTree } from "../../../lib/oci/layered_tree.ts";
import { mergeLayers } from "../../../lib/oci/layer_merge.ts";
import { parseWhiteout } from "../../../lib/oci/whiteout.ts";
import { entriesOf, lines, showEntries, showTree, TemporaryDirectory } from "../../tree_fixture.ts";

Deno.test("parseWhiteout() tells what is gone", () => {
  assert.equal(parseWhiteout("etc/hosts"), undefined);
  assert.equal(parseWhiteout("etc/a.wh.b"), undefined);
  assert.deepEqual(parseWhiteout(".wh.a"), { kind: "entry", path: "a" });
  assert.deepEqual(parseWhiteout("etc/.wh.a"), { kind: "entry", path: "etc/a" });
  assert.deepEqual(parseWhiteout("etc/.wh..hidden"), { kind: "entry", path: "etc/.hidden" });
  assert.deepEqual(parseWhiteout("etc/.wh..wh..opq"), { kind: "contents", path: "etc" });
  assert.deepEqual(parseWhiteout(".wh..wh..opq"), { kind: "contents", path: "" });
  for (const name of [".wh.", ".wh..", ".wh...", ".wh..wh.plnk", ".wh..wh.aufs"]) {
    assert.deepEqual(parseWhiteout(`etc/${name}`), { kind: "nothing" }, name);
  }
  assert.deepEqual(parseWhiteout(".wh..wh.plnk/12.3"), { kind: "nothing" });
});

const CASES: readonly {
  readonly name: string;
  readonly layers: readonly string[];
  readonly result: string;
}[] = [
  {
    name: "one layer",
    layers: [`d 0755 a @1000\nf 0640 a/f "x" @1001\nl s -> a/f @1002\np 0600 p @1003`],
    result: `d 0755 a @1000\nf 0640 a/f "x" @1001\np 0600 p @1003\nl s -> a/f @1002`,
  },
  {
    name: "a later entry wins, directories merge and have the later one's mode and time",
    layers: [
      `d 0755 a @1000\nf 0644 a/f "old" @1001\nf 0644 a/g "g" @1002`,
      `d 0711 a @2000\nf 0600 a/f "new" @2001`,
    ],
    result: `d 0711 a @2000\nf 0600 a/f "new" @2001\nf 0644 a/g "g" @1002`,
  },
  {
    name: "a lower directory keeps its time when files come to it",
    layers: [`d 0755 a @1000`, `f 0644 a/f "x" @2001`],
    result: `d 0755 a @1000\nf 0644 a/f "x" @2001`,
  },
  {
    name: "types change",
    layers: [
      `d 0755 a\nf 0644 a/f "x"\nf 0644 b "b"\nl c -> a\nl d -> a\nf 0644 e "e"`,
      `f 0644 a "now a file"\nd 0755 b\nf 0644 b/x "x"\nd 0755 c\nl e -> b`,
    ],
    result: `f 0644 a "now a file"\nd 0755 b\nf 0644 b/x "x"\nd 0755 c\nl d -> a\nl e -> b`,
  },
  {
    name: "whiteouts",
    layers: [
      `f 0644 root "r"\nd 0755 a @1000\nd 0755 a/d\nf 0644 a/d/x "x"\nf 0644 a/f "f"\nf 0644 a/ff "ff"`,
      `f 0644 .wh.root ""\nd 0755 a @1000\nf 0644 a/.wh.d ""\nf 0644 a/.wh.f ""\nf 0644 .wh.nosuch ""
       f 0644 no/such/.wh.thing ""`,
    ],
    result: `d 0755 a @1000\nf 0644 a/ff "ff"`,
  },
  {
    name: "a whiteout concerns the layers below, wherever it stands",
    layers: [
      `d 0755 a @1000\nd 0755 a/d\nf 0644 a/d/old "x"\nf 0644 a/f "old"`,
      `d 0755 a @1000\nd 0750 a/d\nf 0644 a/d/new "y"\nf 0644 a/f "new"\nf 0644 a/.wh.d ""\nf 0644 a/.wh.f ""`,
    ],
    result: `d 0755 a @1000\nd 0750 a/d\nf 0644 a/d/new "y"\nf 0644 a/f "new"`,
  },
  {
    name: "opaque directories, before and behind their entries",
    layers: [
      `d 0755 a @1000\nf 0644 a/old "x"\nd 0755 a/sub\nf 0644 a/sub/old "x"\nd 0755 b @1000\nf 0644 b/old "x"`,
      `d 0755 a @1000\nf 0644 a/new "y"\nd 0755 a/sub\nf 0644 a/sub/new "y"\nf 0644 a/.wh..wh..opq ""
       d 0755 b @1000\nf 0644 b/.wh..wh..opq ""\nf 0644 b/new "y"`,
    ],
    result: `d 0755 a @1000\nf 0644 a/new "y"\nd 0755 a/sub\nf 0644 a/sub/new "y"
      d 0755 b @1000\nf 0644 b/new "y"`,
  },
  {
    name: "the root itself opaque",
    layers: [`f 0644 a "x"\nd 0755 d\nf 0644 d/f "x"`, `f 0644 .wh..wh..opq ""\nf 0644 b "y"`],
    result: `f 0644 b "y"`,
  },
  {
    name: "notes of AUFS",
    layers: [
      `f 0644 .wh..wh.aufs ""\nd 0700 .wh..wh.plnk\nf 0644 .wh..wh.plnk/1.2 "x"\nf 0644 a "a"`,
    ],
    result: `f 0644 a "a"`,
  },
  {
    name: "a removed directory comes again",
    layers: [`d 0700 a @1000\nf 0644 a/f "x"`, `f 0644 .wh.a ""`, `d 0755 a @3000`],
    result: `d 0755 a @3000`,
  },
  {
    name: "hard links",
    layers: [`f 0644 a "x"\nh b = a\nd 0755 d @1000\nh d/c = b`],
    result: `f 0644 a "x"\nh b = a\nd 0755 d @1000\nh d/c = a`,
  },
  {
    name: "a hard link outlives the name it was made from",
    layers: [`f 0644 a "x"\nh b = a\nh c = a`, `f 0644 .wh.a ""`, `f 0644 b "new"`],
    result: `f 0644 b "new"\nf 0644 c "x"`,
  },
  {
    name: "a hard link to a lower layer's file",
    layers: [`d 0755 d @1000\nf 0644 d/a "x"`, `h b = d/a`, `f 0644 d/a "new"`],
    result: `f 0644 b "x"\nd 0755 d @1000\nf 0644 d/a "new"`,
  },
  {
    name: "links on the way lead within the image",
    layers: [
      `d 0755 usr\nd 0755 usr/lib @1000\nl lib -> usr/lib\nl abs -> /usr\nl up -> ../../usr/lib`,
      `f 0644 lib/a "a"\nf 0644 abs/lib/b "b"\nf 0644 up/c "c"\nh d = lib/a`,
      `f 0644 lib/.wh.b ""`,
    ],
    result: `l abs -> /usr\nf 0644 d "a"\nl lib -> usr/lib\nl up -> ../../usr/lib
      d 0755 usr\nd 0755 usr/lib @1000\nh usr/lib/a = d\nf 0644 usr/lib/c "c"`,
  },
  {
    name: "a whiteout does not follow a link that is its name",
    layers: [`d 0755 d @1000\nf 0644 d/f "x"\nl l -> d`, `f 0644 .wh.l ""`],
    result: `d 0755 d @1000\nf 0644 d/f "x"`,
  },
];

for (const { name, layers, result } of CASES) {
  Deno.test(`LayeredTree: ${name}`, async () => {
    using work = new TemporaryDirectory();
    assert.equal(below(await applied(work.makeTree("to", ""), layers)), lines(result));
  });
  Deno.test(`mergeLayers(): ${name}`, async () => {
    using work = new TemporaryDirectory();
    assert.equal(below(await merged(work.makeTree("to", ""), layers)), lines(result));
  });
}

const REFUSED: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["a hard link to nothing", [`h a = b`], /can’t link: a -> b: no such member/],
  ["a hard link to a directory", [`d 0755 d\nh a = d`], /can’t link: a -> d: no such member/],
  [
    "a hard link to what is gone",
    [`f 0644 a "x"`, `f 0644 .wh.a ""\nh b = a`],
    /can’t link: b -> a/,
  ],
  ["a file as a directory", [`f 0644 a "x"`, `f 0644 a/b "y"`], /can’t write: a\/b/],
  ["links in a circle", [`l a -> b\nl b -> a`, `f 0644 a/x "y"`], /can’t write: a\/x/],
  ["a root that is a file", [`f 0644 '' "x"`], /root is not a directory/],
];
for (const [name, layers, message] of REFUSED) {
  Deno.test(`both refuse ${name}`, async () => {
    using work = new TemporaryDirectory();
    await assert.rejects(applied(work.makeTree("a", ""), layers), { name: "ChError", message });
    await assert.rejects(merged(work.makeTree("b", ""), layers), { name: "ChError", message });
  });
}

Deno.test("mergeLayers() has a limit to depth, which all below it can be shown at", async () => {
  const nest = (depth: number) => "a/".repeat(depth) + "f";
  const show = (path: string) => showEntries(mergeLayers([() => entriesOf(`f 0644 ${path} "x"`)]));
  assert.equal((await show(nest(2048))).split("\n").length, 2048 + 2);
  for (const depth of [2049, 100_000]) {
    await assert.rejects(show(nest(depth)), { name: "ChError", message: /^can’t write: a\/a\// });
  }
});

Deno.test("mergeLayers() notices that a layer changed between its passes", async () => {
  const open = (pass: string) => entriesOf(pass === "listing" ? `f 0644 a "x"` : `f 0644 b "x"`);
  await assert.rejects(
    async () => {
      for await (const _ of mergeLayers([open]));
    },
    { name: "ChError", message: "changed while it was read: b" },
  );
});

async function applied(path: string, layers: readonly string[]): Promise<string> {
  using root = openRoot(path);
  using tree = new LayeredTree(root.fd);
  for (const layer of layers) await tree.apply(entriesOf(layer));
  await tree.finish();
  return path;
}

async function merged(path: string, layers: readonly string[]): Promise<string> {
  using root = openRoot(path);
  using writer = new TreeWriter(root.fd);
  await copyEntries(mergeLayers(layers.map((layer) => () => entriesOf(layer))), writer);
  return path;
}

/** Without the root, and with times where the case has some. */
function below(path: string): string {
  return showTree(path, { times: true }).split("\n").slice(1)
    .map((line) => line.replace(/ @1600000000$/, "")).join("\n");
}
