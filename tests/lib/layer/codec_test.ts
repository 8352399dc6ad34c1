import assert from "node:assert/strict";
import { ChError } from "../../../lib/error.ts";
import { decompress, detectCompression, openFileChunks } from "../../../lib/layer/codec.ts";
import { collect, filter, makeSample } from "../../byte_streams.ts";
import { chunksOf, concatenate, TemporaryDirectory } from "../../tree_fixture.ts";

const PROGRAMS = { gzip: "gzip", bzip2: "bzip2", xz: "xz", zstd: "zstd", lz4: "lz4" } as const;
const KINDS = Object.keys(PROGRAMS) as (keyof typeof PROGRAMS)[];

/** More than a piece of input and one of output hold. */
const sample = makeSample(3 << 20);

/** DATA as a program of the host compresses it. */
async function pack(
  program: string,
  data: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  return await filter([program, "-1c"], data);
}

function hasProgram(program: string): boolean {
  return new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" })
    .outputSync().success;
}

function unpack(data: Uint8Array, size = 100_000): Promise<Uint8Array<ArrayBuffer>> {
  return collect(decompress(chunksOf(data, size), "NAME"));
}

/** Registers a test for each codec whose program is there. */
function testEach(name: string, body: (kind: typeof KINDS[number]) => Promise<void>): void {
  for (const kind of KINDS) {
    Deno.test({
      name: `${name}: ${kind}`,
      ignore: !hasProgram(PROGRAMS[kind]) && Deno.env.get("CH_MUST_WORK") !== "1",
      fn: () => body(kind),
    });
  }
}

Deno.test("detectCompression() looks at the bytes", () => {
  const cases: [number[], string][] = [
    [[0x1f, 0x8b, 8], "gzip"],
    [[0x42, 0x5a, 0x68, 0x39], "bzip2"],
    [[0xfd, 0x37, 0x7a, 0x58, 0x5a, 0], "xz"],
    [[0x28, 0xb5, 0x2f, 0xfd], "zstd"],
    [[0x04, 0x22, 0x4d, 0x18], "lz4"],
    [[0x1f], "none"],
    [[0xfd, 0x37, 0x7a, 0x58, 0x5a], "none"],
    [[], "none"],
    [[0x2e, 0x2f, 0, 0, 0, 0], "none"],
  ];
  for (const [head, kind] of cases) assert.equal(detectCompression(Uint8Array.from(head)), kind);
});

testEach("decompress() gives back what the program compressed, however it is cut", async (kind) => {
  const packed = await pack(PROGRAMS[kind], sample);
  assert.deepEqual(await unpack(packed), sample);
  const small = sample.subarray(0, 3000);
  const packedSmall = await pack(PROGRAMS[kind], small);
  for (const size of [1, 2, 7]) assert.deepEqual(await unpack(packedSmall, size), small);
});

testEach("decompress() goes on with streams in a row, and over zeros at the end", async (kind) => {
  const small = sample.subarray(0, 100_000);
  const packed = await pack(PROGRAMS[kind], small);
  const twice = concatenate([packed, packed, new Uint8Array(10_240)]);
  assert.deepEqual(await unpack(twice), concatenate([small, small]));
});

testEach("decompress() of nothing compressed is nothing", async (kind) => {
  assert.equal((await unpack(await pack(PROGRAMS[kind], new Uint8Array()))).length, 0);
});

testEach("decompress() refuses what is cut off, anywhere", async (kind) => {
  const packed = await pack(PROGRAMS[kind], sample.subarray(0, 200_000));
  for (const size of [10, packed.length >> 1, packed.length - 1]) {
    await assert.rejects(
      unpack(packed.slice(0, size)),
      new ChError(`cannot open: NAME: ${kind} data is truncated`),
      `${size} of ${packed.length}`,
    );
  }
});

testEach("decompress() refuses damaged data, naming it", async (kind) => {
  const packed = await pack(PROGRAMS[kind], sample.subarray(0, 200_000));
  packed[packed.length >> 1]! ^= 0x55;
  await assert.rejects(unpack(packed), (error) => {
    assert(error instanceof ChError);
    assert.match(error.message, /^cannot open: NAME: ./);
    return true;
  });
});

testEach("decompress() refuses what follows and is neither zeros nor a stream", async (kind) => {
  const packed = await pack(PROGRAMS[kind], sample.subarray(0, 1000));
  const data = concatenate([packed, new TextEncoder().encode("\0\0garbage")]);
  await assert.rejects(unpack(data), /^ChError: cannot open: NAME: trailing garbage after /);
});

Deno.test("decompress() lets through what is not compressed", async () => {
  assert.deepEqual(await unpack(sample, 77_777), sample);
  assert.equal((await unpack(new Uint8Array())).length, 0);
});

Deno.test("decompress() stopped halfway ends its input and frees the decoder", async () => {
  let isEnded = false;
  async function* chunks() {
    try {
      yield* chunksOf(await pack("gzip", sample), 1000);
    } finally {
      isEnded = true;
    }
  }
  for await (const chunk of decompress(chunks(), "NAME")) {
    assert.deepEqual(chunk, sample.subarray(0, chunk.length));
    break;
  }
  assert(isEnded);
});

Deno.test("decompress() passes on what its input throws", async () => {
  async function* chunks() {
    yield (await pack("gzip", sample)).subarray(0, 1000);
    throw new ChError("no more");
  }
  await assert.rejects(collect(decompress(chunks(), "NAME")), new ChError("no more"));
});

Deno.test("openFileChunks() gives a file's bytes, whatever its name", async () => {
  using place = new TemporaryDirectory();
  const path = `${place.path}/a b\n`;
  for (const size of [0, 1, 1 << 20, (1 << 20) + 1, sample.length]) {
    Deno.writeFileSync(path, sample.subarray(0, size));
    assert.deepEqual(await collect(openFileChunks(path)), sample.subarray(0, size));
  }
});

Deno.test("openFileChunks() names the file that can't be read", async () => {
  await assert.rejects(collect(openFileChunks("/nonexistent")), (error) => {
    assert(error instanceof ChError);
    assert.equal(error.message, "can’t read: /nonexistent");
    assert.equal((error.cause as { code?: string }).code, "ENOENT");
    return true;
  });
  await assert.rejects(collect(openFileChunks("/")), /can’t read: \//);
});
