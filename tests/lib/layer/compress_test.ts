import assert from "node:assert/strict";
import { decompress } from "../../../lib/layer/codec.ts";
import { compress, type Compressor, LEVELS } from "../../../lib/layer/compress.ts";
import { collect, filter, makeSample } from "../../byte_streams.ts";
import { chunksOf } from "../../tree_fixture.ts";

const large = makeSample(17 << 20);
/** More than one piece. */
const SAMPLES = {
  gzip: [3 << 20, 6],
  bzip2: [3 << 20, 9],
  xz: [17 << 20, 0],
  zstd: [9 << 20, 3],
} as const;
const READERS = {
  gzip: ["gzip", "-dc"],
  bzip2: ["bzip2", "-dc"],
  xz: ["xz", "-dc"],
  zstd: ["zstd", "-dc"],
} as const;
const KINDS = Object.keys(READERS) as (keyof typeof READERS)[];

function pack(data: Uint8Array, kind: Compressor, level?: number) {
  return collect(compress(chunksOf(data, 70_001), kind, level));
}

for (const kind of KINDS) {
  Deno.test(`compress() makes what ${kind}(1) and we read, the same every time`, async () => {
    const [size, level] = SAMPLES[kind];
    const sample = large.subarray(0, size);
    const packed = await pack(sample, kind, level);
    assert.deepEqual(await filter(READERS[kind], packed), sample);
    assert.deepEqual(await collect(decompress(chunksOf(packed, 1 << 16), "x")), sample);
    assert(packed.length < sample.length * 0.75);
    assert.deepEqual(await collect(compress(chunksOf(sample, 1 << 20), kind, level)), packed);
  });

  Deno.test(`compress() makes ${kind} data of nothing`, async () => {
    const packed = await pack(new Uint8Array(), kind);
    assert.notEqual(packed.length, 0);
    assert.equal((await filter(READERS[kind], packed)).length, 0);
  });

  Deno.test(`compress() knows the levels of ${kind}`, async () => {
    const part = large.subarray(0, 300_000), { lowest, highest } = LEVELS[kind];
    const sizes = [
      (await pack(part, kind, lowest)).length,
      (await pack(part, kind, highest)).length,
    ] as const;
    // The blocks of bzip2 are too large for a difference.
    assert(kind === "bzip2" ? sizes[1] <= sizes[0] : sizes[1] < sizes[0], `${sizes}`);
    for (const level of [lowest - 1, highest + 1]) {
      await assert.rejects(pack(part, kind, level), {
        name: "ChError",
        message: `can’t compress with ${kind} at level ${level}`,
      });
    }
  });
}

Deno.test("compress() with gzip tells no time", async () => {
  // RFC 1952 2.3.1
  assert.deepEqual(
    (await pack(large.subarray(0, 3 << 20), "gzip")).subarray(4, 8),
    new Uint8Array(4),
  );
});

Deno.test("compress() with gzip at level 1 makes what gzip(1) and we read", async () => {
  // Level 1 is our own: c/tests/deflate_test.c
  const sample = large.subarray(0, (3 << 20) + 1);
  const packed = await pack(sample, "gzip", 1);
  assert.deepEqual(await filter(READERS.gzip, packed), sample);
  assert.deepEqual(await collect(decompress(chunksOf(packed, 1 << 16), "x")), sample);
  const sizes = [0, 6].map(async (level) => (await pack(sample, "gzip", level)).length);
  const [stored, usual] = await Promise.all(sizes);
  assert(
    packed.length < stored! && packed.length < usual! * 1.3,
    `${stored} ${packed.length} ${usual}`,
  );
});

Deno.test("compress() with none passes on", async () => {
  assert.deepEqual(await pack(large, "none"), large);
});

Deno.test("compress() makes gzip data that Python reads", async () => {
  const script =
    "import sys,gzip; sys.stdout.buffer.write(gzip.decompress(sys.stdin.buffer.read()))";
  const sample = large.subarray(0, 3 << 20);
  assert.deepEqual(await filter(["python3", "-c", script], await pack(sample, "gzip")), sample);
});
