import assert from "node:assert/strict";
import { openRoot } from "../../../ffi/tree.ts";
import { readTree } from "../../../lib/layer/tree_reader.ts";
import { lines, showEntries, TemporaryDirectory } from "../../tree_fixture.ts";

const isRoot = Deno.uid() === 0;

Deno.test("readTree() gives what lies there: sorted, parents first, hard links found", async () => {
  using work = new TemporaryDirectory();
  const text = `
    d 0755 a
    f 0644 a/x "text"
    d 0700 a.b
    f 0600 a.b/f ""
    h a.b/g = a/x
    p 0644 fifo
    l l -> nowhere
    s 0755 s
    f 0644 z "last"`;
  const path = work.makeTree("t", text + (isRoot ? "\nc 0666 zero 1,5" : ""));
  Deno.chmodSync(path, 0o750);
  using root = openRoot(path);
  const expected = lines("d 0750 ''" + text + (isRoot ? "\nc 0666 zero 1,5" : ""));
  assert.equal(await showEntries(readTree(root.fd)), expected);
  assert.equal(await showEntries(readTree(root.fd, { lazy: true })), expected);
  const without = await showEntries(readTree(root.fd, { exclude: (path) => path === "a" }));
  assert.match(without, /f 0644 a\.b\/g "text"/);
  assert.doesNotMatch(without, /a\/x/);
});

Deno.test({
  name: "readTree() says what it can't read",
  ignore: isRoot,
  fn: async () => {
    using work = new TemporaryDirectory();
    using root = openRoot(work.makeTree("t", `d 0755 d\nf 0000 d/f "x"`));
    await assert.rejects(
      () => showEntries(readTree(root.fd, { name: "/images/t" })),
      /can’t read: \/images\/t\/d\/f/,
    );
  },
});

Deno.test("readTree() with `lazy` opens a file when its content is looked at", async () => {
  using work = new TemporaryDirectory();
  const path = work.makeTree("t", 'f 0644 a "one"\nf 0644 b "two"');
  using root = openRoot(path);
  const seen: string[] = [];
  for await (const entry of readTree(root.fd, { name: "t", lazy: true })) {
    if (entry.type !== "file") continue;
    seen.push(`${entry.path} ${entry.size}`);
    Deno.removeSync(`${path}/${entry.path}`);
    assert.ok("fd" in entry.content);
    const { content } = entry;
    if (entry.path === "b") assert.throws(() => content.fd, /can’t read: t\/b/);
  }
  assert.deepEqual(seen, ["a 3", "b 3"]);
});
