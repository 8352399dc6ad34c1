import assert from "node:assert/strict";
import { digestOf } from "../../fake_registry.ts";
import { assertStored, atUploadPlace, count, LARGE, SMALL } from "./upload_place.ts";

Deno.test(
  "uploadBlob() sends what is small at once and what is large in pieces, and nothing twice",
  atUploadPlace(async (place) => {
    const { registry, upload } = place;
    assert.equal(await upload(SMALL), "uploaded");
    assert.equal(count(place, "PATCH"), 0);
    assert.equal(await upload(SMALL), "present");
    await assertStored(place, SMALL);
    registry.blobs.clear();
    assert.equal(await upload(LARGE), "uploaded");
    assert.equal(count(place, "PATCH"), 3);
    await assertStored(place, LARGE);
    assert.deepEqual(place.told.slice(0, 4), ["check", "start 1000", "sent 1000", "check"]);
    const sizes = [LARGE.length, 8 << 20, 16 << 20, LARGE.length, LARGE.length];
    assert.deepEqual(
      place.told.slice(4),
      ["check", ...sizes.map((size, at) => `${at === 0 ? "start" : "sent"} ${size}`)],
    );
  }),
);

for (
  const [what, fail] of [
    ["an error", () => Promise.resolve(new Response(null, { status: 503 }))],
    ["a broken connection", () => Promise.reject(new Error("broken on purpose"))],
  ] as const
) {
  Deno.test(
    `uploadBlob() goes on after ${what}, with what is missing`,
    atUploadPlace(async (place) => {
      const { registry, upload } = place;
      let pieces = 0;
      registry.intercept = (request) =>
        request.method === "PATCH" && ++pieces === 2 ? fail() : undefined;
      assert.equal(await upload(LARGE), "uploaded");
      assert.equal(pieces, 4);
      await assertStored(place, LARGE);
    }),
  );
}

Deno.test(
  "uploadBlob() begins anew where the registry has forgotten",
  atUploadPlace(async (place) => {
    const { registry, upload } = place;
    let pieces = 0;
    registry.intercept = (request) => {
      if (request.method !== "PATCH" || ++pieces !== 3) return undefined;
      registry.uploads.clear();
      return new Response(null, { status: 500 });
    };
    assert.equal(await upload(LARGE), "uploaded");
    assert.equal(pieces, 6);
    await assertStored(place, LARGE);
  }),
);

Deno.test(
  "uploadBlob() notices that all came through but the answer",
  atUploadPlace(async (place) => {
    const { registry, upload } = place;
    registry.intercept = (request, url) => {
      if (request.method !== "PUT") return undefined;
      return request.arrayBuffer().then(async (body) => {
        await registry.addBlob(new Uint8Array(body));
        registry.uploads.delete(url.pathname.split("/").at(-1)!);
        return new Response(null, { status: 504 });
      });
    };
    assert.equal(await upload(SMALL), "uploaded");
    assert.equal(count(place, "PUT"), 1);
    await assertStored(place, SMALL);
  }),
);

Deno.test(
  "uploadBlob() that fails leaves no upload behind, and can be repeated",
  atUploadPlace(async (place) => {
    const { registry, upload } = place;
    let pieces = 0;
    registry.intercept = (request) =>
      request.method === "PATCH" && ++pieces > 1
        ? new Response(null, { status: 503 }) as Response
        : undefined;
    await assert.rejects(upload(LARGE), { name: "ChError", message: "PATCH failed: status 503" });
    assert.equal(registry.uploads.size, 0);
    assert.equal(registry.blobs.size, 0);
    registry.intercept = (request) =>
      request.method === "PUT" ? new Response(null, { status: 403 }) : undefined;
    await assert.rejects(upload(SMALL), /^ChError: PUT failed; expected status .* got 403/);
    assert.equal(registry.uploads.size, 0);
    registry.intercept = () => undefined;
    assert.equal(await upload(LARGE), "uploaded");
    await assertStored(place, LARGE);
  }),
);

Deno.test(
  "uploadBlob() has the registry take a blob from another repository, where that can be",
  atUploadPlace(async (place) => {
    const { registry, upload } = place;
    const digest = await digestOf(SMALL);
    registry.intercept = (_request, url) =>
      url.searchParams.get("mount") === digest && url.searchParams.get("from") === "other"
        ? new Response(null, { status: 201 })
        : undefined;
    assert.equal(await upload(SMALL, { from: "other" }), "mounted");
    assert.deepEqual(place.told, ["check"]);
    for (const status of [202, 403, 404, 405]) {
      registry.blobs.clear();
      // 202 is an upload that has begun instead: the registry's own answer.
      registry.intercept = (_request, url) =>
        url.searchParams.has("mount") && status !== 202
          ? new Response(null, { status })
          : undefined;
      assert.equal(await upload(SMALL, { from: "other" }), "uploaded", String(status));
      await assertStored(place, SMALL);
    }
  }),
);

Deno.test(
  "uploadBlob() says what to do about a layer that is nowhere",
  atUploadPlace(async ({ upload, registry }) => {
    await assert.rejects(upload(SMALL, { local: undefined }), {
      message: /^layer neither in the download cache nor in the registry: sha256:/,
      hint: "use --single-layer, or pull the image again",
    });
    assert.equal(registry.uploads.size, 0);
  }),
);
