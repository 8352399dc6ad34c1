// Manifests, lists and configurations that must be refused, as cases of one test.

import type { FakeRegistry } from "../../fake_registry.ts";
import { makeTar } from "../../tar_archive.ts";
import { expectRefusal } from "./hostile_place.ts";
import { assertNothing, atPullPlace, type PullOptions } from "./pull_place.ts";

export const LAYER = makeTar([{ name: "file", data: "text" }]);
export const NOWHERE = `sha256:${"0".repeat(64)}`;
export const INDEX = "application/vnd.oci.image.index.v1+json";

export const GOOD = { architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers" } };

/** The parts of a good image, to be made worse. */
export async function makeParts(registry: FakeRegistry) {
  const config = JSON.stringify({ ...GOOD, history: [] });
  const layer = await registry.addBlob(LAYER);
  return {
    schemaVersion: 2,
    config: { mediaType: "c", digest: await registry.addBlob(config), size: config.length },
    layers: [{ mediaType: "l", digest: layer, size: LAYER.length }],
  };
}
export type Parts = Awaited<ReturnType<typeof makeParts>>;

export interface DocumentCase {
  readonly what: string;
  /** Makes what is served as the image; a string is served as it is. */
  readonly serve: (parts: Parts, registry: FakeRegistry) => unknown;
  readonly message: RegExp;
  readonly options?: PullOptions;
}

export const AMD64: PullOptions = { architecture: "amd64" };
export const platform = (architecture: string, os = "linux") => ({ os, architecture });

export async function withConfig(parts: Parts, registry: FakeRegistry, text: string) {
  const digest = await registry.addBlob(text);
  const size = new TextEncoder().encode(text).length;
  return { ...parts, config: { ...parts.config, digest, size } };
}

/** Registers a test for each of CASES. */
export function testDocuments(cases: readonly DocumentCase[]): void {
  for (const { what, serve, message, options } of cases) {
    Deno.test(
      `pullImage() refuses: ${what}`,
      atPullPlace(async (place) => {
        const { registry } = place;
        await registry.addManifest("1", await serve(await makeParts(registry), registry));
        await expectRefusal(place, message, options);
        assertNothing(place);
      }),
    );
  }
}
