import assert from "node:assert/strict";
import { Spool } from "../../../lib/registry/spool.ts";
import { uploadGrowing } from "../../../lib/registry/upload.ts";
import { assertStored, atUploadPlace, count, LARGE, SMALL } from "./upload_place.ts";
import type { UploadPlace } from "./upload_place.ts";

/** Uploads BYTES while they are written to a spool in small chunks. END is called after the last, before the
 * blob is whole. */
async function uploadSlowly(
  place: UploadPlace,
  bytes: Uint8Array<ArrayBuffer>,
  end: () => void | Promise<void> = () => {},
): Promise<string> {
  const directory = Deno.makeTempDirSync();
  using spool = new Spool(directory);
  assert.deepEqual([...Deno.readDirSync(directory)], []);
  let result: Promise<string> | undefined;
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += 1 << 20) {
      yield bytes.subarray(at, at + (1 << 20));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await end();
  }
  try {
    const written = spool.write("type", chunks(), (blob) => {
      result = uploadGrowing(place.repository, blob, place.tools);
      result.catch(() => {});
    });
    await written.catch(() => {});
    return await result!;
  } finally {
    assert.deepEqual([...Deno.readDirSync(directory)], []);
    Deno.removeSync(directory);
  }
}

Deno.test(
  "uploadGrowing() sends pieces before there are all, and asks for the blob when its digest is known",
  atUploadPlace(async (place) => {
    const { registry } = place;
    const before = { pieces: 0, checks: 0 };
    const end = async () => {
      while (count(place, "PATCH") < 2) await new Promise((resolve) => setTimeout(resolve, 5));
      before.pieces = count(place, "PATCH");
      before.checks = count(place, "HEAD");
    };
    assert.equal(await uploadSlowly(place, LARGE, end), "uploaded");
    assert.deepEqual(before, { pieces: 2, checks: 0 });
    await assertStored(place, LARGE);
    assert.deepEqual(
      place.told.filter((line) => !line.startsWith("sent")),
      ["check", `start ${LARGE.length}`],
    );
    assert.equal(place.told.at(-1), `sent ${LARGE.length}`);
    registry.blobs.clear();
    assert.equal(await uploadSlowly(place, SMALL), "uploaded");
    await assertStored(place, SMALL);
  }),
);

Deno.test(
  "uploadGrowing() gives up what the registry turns out to have",
  atUploadPlace(async (place) => {
    await place.registry.addBlob(LARGE);
    assert.equal(await uploadSlowly(place, LARGE), "present");
    await assertStored(place, LARGE);
    assert.equal(count(place, "PUT"), 0);
    // What is no larger than a piece is asked for before any of it is sent.
    await place.registry.addBlob(SMALL);
    const begun = count(place, "POST");
    assert.equal(await uploadSlowly(place, SMALL), "present");
    assert.equal(count(place, "POST"), begun);
  }),
);

Deno.test(
  "uploadGrowing() goes on after failures, and begins anew where the registry has forgotten",
  atUploadPlace(async (place) => {
    const { registry } = place;
    let pieces = 0;
    registry.intercept = (request) => {
      if (request.method !== "PATCH") return undefined;
      pieces++;
      if (pieces === 1) return new Response(null, { status: 503 });
      if (pieces !== 3) return undefined;
      registry.uploads.clear();
      return Promise.reject(new Error("broken on purpose"));
    };
    assert.equal(await uploadSlowly(place, LARGE), "uploaded");
    await assertStored(place, LARGE);
    assert.equal(pieces, 6);
  }),
);

Deno.test(
  "uploadGrowing() of what never becomes whole leaves no upload behind",
  atUploadPlace(async (place) => {
    const end = () => Promise.reject(new Error("broken on purpose"));
    await assert.rejects(uploadSlowly(place, LARGE, end), { message: "broken on purpose" });
    assert.equal(place.registry.uploads.size, 0);
    assert.equal(place.registry.blobs.size, 0);
    assert.deepEqual(place.told.filter((line) => !line.startsWith("sent")), []);
  }),
);

Deno.test(
  "uploadGrowing() that fails tells why and leaves no upload behind",
  atUploadPlace(async (place) => {
    const { registry } = place;
    registry.intercept = (request) =>
      request.method === "PATCH" ? new Response(null, { status: 403 }) : undefined;
    await assert.rejects(uploadSlowly(place, LARGE), /PATCH failed; .* got 403/);
    assert.equal(registry.uploads.size, 0);
    assert.equal(registry.blobs.size, 0);
  }),
);
