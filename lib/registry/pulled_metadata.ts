// An image's metadata, as a registry's configuration has them (spec ch-image §7, §11.2).

import { ChError } from "../error.ts";
import { toMetadata } from "../oci/image_metadata.ts";
import { JsonValue, parseJson } from "../oci/json_value.ts";
import { parseImageConfig } from "../oci/model.ts";
import type { Metadata } from "../store/metadata.ts";
import type { PulledManifest } from "./manifest.ts";

/** BYTES are the configuration blob; BASE is what the image's own layers say, which counts where the
 * configuration has no place for it. Throws a ChError that says what is wrong. */
export function readPulledMetadata(bytes: Uint8Array, base?: Metadata): Metadata {
  const root = parseJson(bytes, "can’t parse config");
  if (!Object.hasOwn(root.object(), "config")) throw new ChError("config missing key 'config'");
  const config = root.member("config");
  if (config.isPresent) checkEnvironment(config.member("Env"));
  const metadata = toMetadata(parseImageConfig(bytes, "configuration"), base);
  const { cwd } = metadata;
  return { ...metadata, cwd: cwd.startsWith("/") ? cwd : `/${cwd}` };
}

/** Digests of the uncompressed layers, as many as MANIFEST has layers; undefined if the configuration does
 * not tell. Throws a ChError. */
export function readDiffIds(
  bytes: Uint8Array,
  { layers }: Pick<PulledManifest, "layers">,
): readonly string[] | undefined {
  const { rootfs: { diff_ids: diffIds } } = parseImageConfig(bytes, "configuration");
  if (diffIds.length === 0) return undefined;
  if (diffIds.length === layers.length) return diffIds;
  throw new ChError(`config: ${diffIds.length} layers, but ${layers.length} in the manifest`);
}

function checkEnvironment(list: JsonValue): void {
  if (!list.isPresent) return;
  const wrong = list.texts().find((line) => line.indexOf("=") < 1);
  if (wrong !== undefined) throw new ChError(`can’t parse config: bad Env line: ${wrong}`);
}
