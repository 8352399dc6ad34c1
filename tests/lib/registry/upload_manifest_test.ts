import assert from "node:assert/strict";
import { OCI } from "../../../lib/oci/media_type.ts";
import type { Manifest } from "../../../lib/oci/model.ts";
import { Repository } from "../../../lib/registry/repository.ts";
import { uploadIndex } from "../../../lib/registry/upload_manifest.ts";
import { digestOf, FakeRegistry } from "../../fake_registry.ts";
import { RecordingLog } from "../recording_log.ts";
import { ANONYMOUS } from "./pull_place.ts";

const ARM = planFor("arm64"), AMD = planFor("amd64");

/** An image without layers. */
function planFor(architecture: string) {
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI.manifest,
    config: { mediaType: OCI.config, digest: `sha256:${architecture}`, size: 1 },
    layers: [],
  };
  const config = { os: "linux", architecture, rootfs: { type: "layers", diff_ids: [] } };
  return { manifest, manifestBytes: encode(manifest), configBytes: encode(config) };
}

function encode(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

async function upload(registry: FakeRegistry, plan: typeof ARM): Promise<RecordingLog> {
  const log = new RecordingLog();
  using repository = new Repository(
    { host: "127.0.0.1", port: registry.port, path: ["a"], name: "b" },
    {
      trust: { verify: true },
      credentials: ANONYMOUS,
      plainHttp: true,
      retries: { pauses: [], patience: 20_000 },
      log,
    },
  );
  await uploadIndex(repository, plan, "1");
  return log;
}

function platformsOf(registry: FakeRegistry): readonly string[] {
  const { bytes } = registry.manifests.get("1")!;
  const { manifests } = JSON.parse(new TextDecoder().decode(bytes));
  return manifests.map(({ platform }: { platform: { architecture: string } }) =>
    platform.architecture
  ).sort();
}

Deno.test("uploadIndex(): of images pushed at the same time all are there", async () => {
  await using registry = new FakeRegistry();
  // All have read the index before one writes.
  const allHere = Promise.withResolvers<undefined>();
  const count = () => registry.count("GET", "/manifests/1");
  registry.intercept = (request, url) => {
    if (!url.pathname.endsWith("/manifests/1")) return undefined;
    if (request.method === "GET" && count() === 3) allHere.resolve(undefined);
    return request.method === "PUT" && count() <= 3 ? allHere.promise : undefined;
  };
  const logs = await Promise.all(
    [ARM, AMD, planFor("s390x")].map((plan) => upload(registry, plan)),
  );
  assert.deepEqual(platformsOf(registry), ["amd64", "arm64", "s390x"]);
  assert(logs.some(({ lines }) => lines.some((line) => line.includes("adding the image again"))));
});

Deno.test("uploadIndex() leaves alone who replaces its image", async () => {
  await using registry = new FakeRegistry();
  const later = {
    mediaType: OCI.manifest,
    digest: await digestOf(encode("later")),
    size: 7,
    platform: { os: "linux", architecture: "arm64" },
  };
  const replace = () =>
    registry.addManifest("1", { schemaVersion: 2, manifests: [later] }, OCI.index);
  registry.intercept = (request, url) => {
    if (request.method !== "GET" || !url.pathname.endsWith("/manifests/1")) return undefined;
    const isCheck = registry.count("PUT", "/manifests/1") > 0;
    return isCheck ? replace().then(() => undefined) : undefined;
  };
  await upload(registry, ARM);
  assert.equal(registry.count("PUT", "/manifests/1"), 1);
});

Deno.test("uploadIndex() notices that its image is replaced by the one before", async () => {
  await using registry = new FakeRegistry();
  await upload(registry, AMD);
  const before = registry.manifests.get("1")!;
  const changed = { ...ARM, configBytes: AMD.configBytes };
  registry.intercept = (request, url) => {
    const isCheck = request.method === "GET" && url.pathname.endsWith("/manifests/1") &&
      registry.count("PUT", "/manifests/1") === 2;
    if (isCheck) registry.manifests.set("1", before);
    return undefined;
  };
  await upload(registry, changed);
  assert.equal(registry.count("PUT", "/manifests/1"), 3);
});

Deno.test("uploadIndex() gives up where somebody keeps writing over it", async () => {
  await using registry = new FakeRegistry();
  registry.intercept = (request, url) =>
    request.method === "PUT" && url.pathname.endsWith("/manifests/1")
      ? new Response(null, { status: 201 })
      : undefined;
  await assert.rejects(upload(registry, ARM), /somebody keeps writing over it: 1/);
});
