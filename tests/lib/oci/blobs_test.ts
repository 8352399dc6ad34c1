import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import * as blobs from "../../../lib/oci/blobs.ts";
import { digestBytes } from "../../../lib/oci/digest.ts";
import { MAX_DOCUMENT } from "../../../lib/oci/model.ts";
import { chunksOf } from "../../tree_fixture.ts";

const BYTES = Uint8Array.from({ length: 200_000 }, (_, at) => at * at >> 3);
const DIGEST = `sha256:${createHash("sha256").update(BYTES).digest("hex")}`;
const BLOB = { mediaType: "text/plain", digest: DIGEST, size: BYTES.length };

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk.slice());
  return new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

Deno.test("digestBytes() is SHA-256", async () => {
  assert.equal(await digestBytes(BYTES), DIGEST);
});

Deno.test("verifyBlob() passes on what is right, in pieces of any size", async () => {
  for (const size of [999, 70_000, BYTES.length]) {
    const verified = blobs.verifyBlob(chunksOf(BYTES, size), BLOB, "x");
    assert.deepEqual(await collect(verified), BYTES);
  }
});

Deno.test("verifyBlob() refuses other bytes, more of them and fewer", async () => {
  const other = BYTES.slice();
  other[100_000]! ^= 1;
  const check = (bytes: Uint8Array) => collect(blobs.verifyBlob(chunksOf(bytes, 1000), BLOB, "x"));
  await assert.rejects(check(other), {
    name: "ChError",
    message: /^wrong content: x: digest is sha256:[0-9a-f]{64}, not sha256:/,
  });
  await assert.rejects(check(BYTES.subarray(1)), {
    message: "wrong size: x: 199999 bytes instead of 200000",
  });
  await assert.rejects(check(new Uint8Array(BYTES.length + 1)), {
    message: "wrong size: x: more than 200000 bytes",
  });
});

Deno.test("readDocument() reads no document that is too large", async () => {
  const source = { read: () => chunksOf(BYTES, 999) };
  assert.deepEqual(await blobs.readDocument(source, BLOB), BYTES);
  const large = { ...BLOB, size: MAX_DOCUMENT + 1 };
  await assert.rejects(blobs.readDocument(source, large), /too large: sha256:/);
});

Deno.test("writeBytes() writes what is not there", async () => {
  const written: Uint8Array[] = [];
  const sink: blobs.BlobSink = {
    has: ({ digest }) => Promise.resolve(digest === DIGEST && written.length > 0),
    write: async (mediaType, chunks) => {
      written.push(await collect(chunks));
      return { ...BLOB, mediaType };
    },
  };
  assert.deepEqual(await blobs.writeBytes(sink, "text/plain", BYTES), BLOB);
  assert.deepEqual(await blobs.writeBytes(sink, "text/plain", BYTES), BLOB);
  assert.deepEqual(written, [BYTES]);
});
