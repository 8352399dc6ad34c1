// What GNU tar(1) writes.

import assert from "node:assert/strict";
import { encodeOsString } from "../../../ffi/os_string.ts";
import { readTar } from "../../../lib/layer/tar_reader.ts";
import { chunksOf, lines, output, run } from "../../tree_fixture.ts";
import { readContent, showEntries, TemporaryDirectory } from "../../tree_fixture.ts";

const read = (bytes: Uint8Array, size?: number) => readTar(chunksOf(bytes, size), "x.tar");
const bytes = (text: string) => encodeOsString(text);

Deno.test("readTar() reads what GNU tar writes, in all its formats", async () => {
  using work = new TemporaryDirectory();
  const path = work.makeTree(
    "t",
    `d 0755 d
     d 0755 d/${"long".repeat(30)}
     f 0644 d/${"long".repeat(30)}/${"name".repeat(30)} "deep"
     f 0755 d/f "hello" @1500000000
     h d/g = d/f
     l d/l -> ${"target".repeat(30)}
     p 0600 d/p`,
  );
  const expected: Record<string, string> = {};
  for (const format of ["gnu", "oldgnu", "pax"]) {
    run("tar", "-C", path, "--sort=name", `--format=${format}`, "-cf", `${work.path}/x.tar`, "d");
    const bytes = Deno.readFileSync(`${work.path}/x.tar`);
    expected[format] = await showEntries(readTar(chunksOf(bytes, 3000), "x"), { times: true });
  }
  assert.equal(
    expected.pax,
    lines(`d 0755 d @1600000000
      f 0755 d/f "hello" @1500000000
      h d/g = d/f @1500000000
      l d/l -> ${"target".repeat(30)} @1600000000
      d 0755 d/${"long".repeat(30)} @1600000000
      f 0644 d/${"long".repeat(30)}/${"name".repeat(30)} "deep" @1600000000
      p 0600 d/p @1600000000`),
  );
  assert.equal(expected.gnu, expected.pax);
  assert.equal(expected.oldgnu, expected.pax);
});

Deno.test("readTar() reads GNU tar's sparse files in all four formats", async () => {
  using work = new TemporaryDirectory();
  const path = `${work.path}/holes`;
  // More stretches than fit into the first header, or into a line.
  run("truncate", "-s", "3M", path);
  const file = Deno.openSync(path, { write: true });
  for (let i = 0; i < 60; i++) {
    file.seekSync(i * 50_000, Deno.SeekMode.Start);
    file.writeSync(bytes(`stretch ${i}`));
  }
  file.close();
  const wanted = Deno.readFileSync(path);
  const formats = [
    ["--format=gnu"],
    ["--format=pax", "--sparse-version=0.0"],
    ["--format=pax", "--sparse-version=0.1"],
    ["--format=pax", "--sparse-version=1.0"],
  ];
  for (const format of formats) {
    const tar = `${work.path}/x.tar`;
    run("tar", "-C", work.path, ...format, "-S", "-cf", tar, "holes", "holes");
    assert(Deno.statSync(tar).size < 2_500_000, "tar did store it sparse");
    let count = 0;
    for await (const entry of readTar(chunksOf(Deno.readFileSync(tar), 10_000), "x")) {
      assert.equal(entry.path, "holes");
      if (entry.type === "hardlink") continue;
      assert(entry.type === "file");
      assert.equal(entry.size, wanted.length);
      assert.deepEqual(await readContent(entry), wanted, format.join(" "));
      count++;
    }
    assert.equal(count, 1);
  }
});

Deno.test("readTar() keeps the extended attributes GNU tar stored", async () => {
  using work = new TemporaryDirectory();
  const path = work.makeTree("t", `f 0644 f "x"`);
  run("setfattr", "-n", "user.greeting", "-v", "hello", `${path}/f`);
  output("tar", "-C", path, "--xattrs", "--format=pax", "-cf", `${work.path}/x.tar`, "f");
  for await (const entry of read(Deno.readFileSync(`${work.path}/x.tar`))) {
    assert.deepEqual(entry.xattrs, new Map([["user.greeting", bytes("hello")]]));
  }
});
