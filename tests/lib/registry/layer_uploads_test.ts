import assert from "node:assert/strict";
import { LayerUploads } from "../../../lib/registry/layer_uploads.ts";
import { layerFileName } from "../../../lib/registry/image_blobs.ts";
import { Spool } from "../../../lib/registry/spool.ts";
import { Downloads } from "../../../lib/store/downloads.ts";
import { DOWNLOADS } from "../../../lib/store/layout.ts";
import { digestOf } from "../../fake_registry.ts";
import { atUploadPlace, count, LARGE, SMALL, type UploadPlace } from "./upload_place.ts";

interface Uploading {
  readonly uploads: LayerUploads;
  /** A layer in the download cache. */
  addKept(bytes: Uint8Array<ArrayBuffer>): Promise<ReturnType<typeof toLayer>>;
}

function toLayer(bytes: Uint8Array, digest: string) {
  return { mediaType: "type", digest, size: bytes.length };
}

async function withUploads(
  { repository }: UploadPlace,
  isNew: boolean,
  body: (uploading: Uploading) => Promise<void>,
): Promise<void> {
  const path = Deno.makeTempDirSync();
  Deno.mkdirSync(`${path}/${DOWNLOADS}`);
  const downloads = new Downloads(path);
  try {
    using spool = new Spool(path);
    await using uploads = new LayerUploads(repository, {
      spool,
      downloads,
      from: undefined,
      isNew: Promise.resolve(isNew),
    });
    await body({
      uploads,
      async addKept(bytes) {
        const layer = toLayer(bytes, await digestOf(bytes));
        Deno.writeFileSync(downloads.pathOf(layerFileName(layer)), bytes);
        return layer;
      },
    });
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}

async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
}

Deno.test(
  "LayerUploads send what is kept and what is being made before the image is known",
  atUploadPlace(async (place) => {
    const { registry, log } = place;
    await withUploads(place, true, async ({ uploads, addKept }) => {
      const kept = await addKept(SMALL);
      uploads.keep([kept, kept]);
      const made = await uploads.write(
        "type",
        async function* () {
          for (let at = 0; at < LARGE.length; at += 1 << 20) {
            yield LARGE.subarray(at, at + (1 << 20));
          }
          await until(() => registry.blobs.has(kept.digest) && count(place, "PATCH") > 0);
        }(),
      );
      assert.deepEqual(log.lines, []);
      await uploads.finish([kept, kept, made]);
      assert.deepEqual([...registry.blobs.keys()].sort(), [kept.digest, made.digest].sort());
      assert.equal(registry.uploads.size, 0);
      const told = (at: number, { digest, size }: typeof kept) => {
        const label = `layer ${at}/3: ${digest.slice(7, 14)}: `;
        assert.deepEqual(log.lines.filter((line) => line.includes(label)), [
          `${label}checking if already in repository`,
          `progress: ${label}not present, uploading... of ${size}`,
        ]);
      };
      told(1, kept);
      told(3, made);
    });
  }),
);

Deno.test(
  "LayerUploads send nothing in vain if the registry is likely to have it",
  atUploadPlace(async (place) => {
    const digest = await place.registry.addBlob(LARGE);
    await withUploads(place, false, async ({ uploads }) => {
      const made = await uploads.write(
        "type",
        async function* () {
          yield await Promise.resolve(LARGE);
        }(),
      );
      assert.equal(made.digest, digest);
      await uploads.finish([made]);
    });
    assert.equal(count(place, "POST"), 0);
    assert.match(place.log.visible.join("\n"), /^layer 1\/1: .*already present$/m);
  }),
);

Deno.test(
  "LayerUploads that are given up leave no upload behind, and are over when they are disposed of",
  atUploadPlace(async (place) => {
    const { registry, log } = place;
    registry.intercept = async (request) => {
      if (request.method === "PATCH") await new Promise((resolve) => setTimeout(resolve, 100));
      return undefined;
    };
    const giveUp = withUploads(place, true, async ({ uploads, addKept }) => {
      uploads.keep([await addKept(LARGE)]);
      await until(() => registry.uploads.size > 0);
      throw new Error("planned on purpose");
    });
    await assert.rejects(giveUp, { message: "planned on purpose" });
    const asked = registry.asked.length;
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(registry.asked.length, asked);
    assert.equal(registry.uploads.size, 0);
    assert.equal(registry.blobs.size, 0);
    assert.deepEqual(log.visible, []);
  }),
);

Deno.test(
  "LayerUploads tell what went wrong",
  atUploadPlace(async (place) => {
    place.registry.intercept = (request) =>
      request.method === "PUT" ? new Response(null, { status: 403 }) : undefined;
    await withUploads(place, true, async ({ uploads, addKept }) => {
      const kept = await addKept(SMALL);
      uploads.keep([kept]);
      await assert.rejects(uploads.finish([kept]), /PUT failed; .* got 403/);
    });
    assert.equal(place.registry.uploads.size, 0);
  }),
);

Deno.test(
  "LayerUploads do not make the rest of a layer whose upload failed",
  atUploadPlace(async (place) => {
    place.registry.intercept = (request) =>
      request.method === "PATCH" ? new Response(null, { status: 403 }) : undefined;
    await withUploads(place, true, async ({ uploads }) => {
      const long = async function* () {
        yield LARGE;
        await until(() => count(place, "PATCH") > 0);
        for (let at = 0; at < 2000; at++) {
          yield SMALL;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      };
      await assert.rejects(uploads.write("type", long()), /PATCH failed; .* got 403/);
    });
    assert.equal(place.registry.blobs.size, 0);
  }),
);
