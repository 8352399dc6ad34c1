import assert from "node:assert/strict";
import { openRoot } from "../../../ffi/tree.ts";
import { ChError } from "../../../lib/error.ts";
import { copyEntries } from "../../../lib/layer/entry.ts";
import type { Entry, Source } from "../../../lib/layer/entry.ts";
import { TreeWriter } from "../../../lib/layer/tree_writer.ts";
import { entriesOf, lines, output, run, showTree } from "../../tree_fixture.ts";
import { TemporaryDirectory } from "../../tree_fixture.ts";

async function unpack(path: string, source: Source): Promise<void> {
  using root = openRoot(path);
  using writer = new TreeWriter(root.fd);
  await copyEntries(source, writer);
}

/** What the file NUMBER of so many bytes has: each its own. */
function contentOf(number: number, size: number): Uint8Array<ArrayBuffer> {
  const content = new Uint8Array(size);
  for (let i = 0; i < size; i++) content[i] = (number * 7 + i * 13 + (i >> 8)) & 0xff;
  return content;
}

/** A file that arrives in chunks of CHUNK bytes out of a buffer that is used again at once. */
function file(path: string, content: Uint8Array, chunk = 100_000): Entry {
  async function* chunks() {
    const buffer = new Uint8Array(chunk);
    for (let at = 0; at < content.length; at += chunk) {
      const part = content.subarray(at, at + chunk);
      buffer.set(part);
      yield buffer.subarray(0, part.length);
      buffer.fill(0xee);
    }
  }
  const common = { path, mode: 0o640, uid: 0, gid: 0, mtime: 1_500_000_000, mtimeNsec: 0 };
  return { ...common, type: "file", size: content.length, content: { chunks: chunks() } };
}

async function* files(
  count: number,
  size: number,
  nameOf: (number: number) => string = String,
): Source {
  for (let number = 0; number < count; number++) {
    yield file(nameOf(number), contentOf(number, size));
  }
}

async function* inOrder(...entries: Entry[]): Source {
  yield* entries;
}

Deno.test("TreeWriter: files of any size and number come through batches as they are", async () => {
  using work = new TemporaryDirectory();
  const to = work.makeTree("to", "");
  const sizes = [0, 1, 511, 70_000, 99_999, 100_000, 100_001, (1 << 20) - 1, 1 << 20];
  sizes.push((1 << 20) + 1, 3_500_000);
  const all = Array.from({ length: 2500 }, (_, number) => ({
    path: `d${number % 7}/${number}`,
    size: number % 50 === 0 ? sizes[(number / 50) % sizes.length]! : number % 200,
    number,
  }));
  async function* source(): Source {
    for (const { path, size, number } of all) yield file(path, contentOf(number, size));
  }
  await unpack(to, source());
  for (const { path, size, number } of all) {
    assert.deepEqual(Deno.readFileSync(`${to}/${path}`), contentOf(number, size), path);
  }
});

Deno.test("TreeWriter: names longer than a batch has room for are no problem", async () => {
  using work = new TemporaryDirectory();
  const to = work.makeTree("to", "");
  const path = Array(400).fill("ü".repeat(120)).join("/");
  await unpack(to, inOrder(file("a", contentOf(1, 5)), file(`${path}/f`, contentOf(2, 5))));
  assert.equal(output("find", to, "-name", "f").trim().length, to.length + 1 + path.length + 2);
});

Deno.test("TreeWriter: an error in the middle of a batch names its entry", async () => {
  using work = new TemporaryDirectory();
  for (const at of [0, 1, 500, 1023, 1024, 1999]) {
    const to = work.makeTree(`to${at}`, "");
    // Characters that would do, but the kernel counts bytes.
    const nameOf = (number: number) => number === at ? "ü".repeat(200) : `${number}`;
    await assert.rejects(unpack(to, files(2000, 10, nameOf)), (error) => {
      assert(error instanceof ChError);
      assert.equal(error.message, `can’t write: ${"ü".repeat(200)}`);
      assert.equal((error.cause as { code?: string }).code, "ENAMETOOLONG");
      return true;
    });
    assert(at === 0 || Deno.statSync(`${to}/${at - 1}`).isFile, "what came before is there");
    assert.throws(() => Deno.statSync(`${to}/${at + 1}`), Deno.errors.NotFound);
  }
});

const SEQUENCES: readonly (readonly [what: string, text: string, result: string])[] = [
  ["a directory gives way to a file", `d 0500 d\nf 0644 d/x "x"\nf 0644 d "f"`, `f 0644 d "f"`],
  [
    "a directory gives way and comes back",
    `d 0500 d\nf 0644 d/x "x"\nf 0644 d "f"\nd 0711 d\nf 0600 d/y "y"`,
    `d 0711 d\nf 0600 d/y "y"`,
  ],
  [
    "a hard link to a file before it",
    `f 0644 a "x"\nh b = a\nf 0600 a "new"`,
    `f 0600 a "new"\nf 0644 b "x"`,
  ],
  [
    "a hard link through a link",
    `d 0755 d\nf 0644 d/a "x"\nl l -> d\nh h = l/a`,
    `d 0755 d\nf 0644 d/a "x"\nh h = d/a\nl l -> d`,
  ],
  ["hard links to each other", `f 0644 a "x"\nh b = a\nh a = b`, `f 0644 a "x"\nh b = a`],
  [
    "a hard link in the place of a directory, through a link",
    `f 0644 f "x"\nl l -> .\nd 0700 d\nf 0600 d/x "y"\nh d = l/f`,
    `f 0644 d "x"\nh f = d\nl l -> .`,
  ],
  [
    "a link on the way changes",
    `d 0755 a\nd 0755 b\nl l -> a\nf 0644 l/x "x"\nl l -> b\nf 0644 l/y "y"`,
    `d 0755 a\nf 0644 a/x "x"\nd 0755 b\nf 0644 b/y "y"\nl l -> b`,
  ],
  [
    "an entry replaces the link that leads to it",
    `l l -> .\nd 0755 l/l\nf 0644 l/x "x"`,
    `d 0755 l\nf 0644 x "x"`,
  ],
  [
    "a file, link, FIFO and directory in turn",
    `f 0644 a ""\nl a -> b\np 0600 a\nd 0700 a`,
    `d 0700 a`,
  ],
];
for (const [what, text, result] of SEQUENCES) {
  Deno.test(`TreeWriter in one batch: ${what}`, async () => {
    using work = new TemporaryDirectory();
    const to = work.makeTree("to", "");
    await unpack(to, entriesOf(text));
    assert.equal(showTree(to).split("\n").slice(1).join("\n"), lines(result));
  });
  Deno.test(`TreeWriter across batches: ${what}`, async () => {
    using work = new TemporaryDirectory();
    const to = work.makeTree("to", "");
    using root = openRoot(to);
    using writer = new TreeWriter(root.fd);
    for await (const entry of entriesOf(text)) {
      await writer.write(entry);
      await writer.flush();
    }
    await writer.finish();
    assert.equal(showTree(to).split("\n").slice(1).join("\n"), lines(result));
  });
}

Deno.test("TreeWriter tells of each entry when it is written, by its canonical path", async () => {
  using work = new TemporaryDirectory();
  using root = openRoot(work.makeTree("to", ""));
  const written: string[] = [];
  using writer = new TreeWriter(root.fd, { onWritten: (path) => void written.push(path) });
  const text = `d 0755 ''\nd 0755 a\nl l -> a\nf 0644 l/x "x"\nf 0644 l/y "y"\nh h = l/x\ns 0600 s`;
  for await (const entry of entriesOf(text)) await writer.write(entry);
  await writer.flush();
  assert.deepEqual(written, ["", "a", "l", "a/x", "a/y", "h", "s"]);
});

Deno.test("TreeWriter writes nothing after its disposal", async () => {
  using work = new TemporaryDirectory();
  const to = work.makeTree("to", "");
  {
    using root = openRoot(to);
    using writer = new TreeWriter(root.fd);
    for (let number = 0; number < 20; number++) {
      await writer.write(file(`${number}`, contentOf(number, 400_000)));
    }
  }
  const before = showTree(to);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(showTree(to), before);
});

Deno.test({
  name: "TreeWriter says which file the disk had no room for",
  ignore: Deno.uid() !== 0, // to mount
  async fn() {
    using work = new TemporaryDirectory();
    const to = work.makeTree("to", "");
    run("mount", "-t", "tmpfs", "-o", "size=3m", "none", to);
    try {
      for (
        const [size, expected] of [[40_000, /^can’t write: 7\d$/], [10_000_000, /: 0$/]] as const
      ) {
        await assert.rejects(unpack(to, files(200, size)), (error) => {
          assert(error instanceof ChError);
          assert.match(error.message, expected);
          assert.equal((error.cause as { code?: string }).code, "ENOSPC");
          return true;
        });
        run("find", to, "-mindepth", "1", "-delete");
      }
    } finally {
      run("umount", to);
    }
  },
});
