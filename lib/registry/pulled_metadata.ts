// An image's metadata, as a registry's configuration has them (spec ch-image §7, §11.2).

import { ChError } from "../error.ts";
import { toMetadata } from "../oci/image_metadata.ts";
import { JsonValue, parseJson } from "../oci/json_value.ts";
import { parseImageConfig } from "../oci/model.ts";
import type { Metadata } from "../store/metadata.ts";

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

function checkEnvironment(list: JsonValue): void {
  if (!list.isPresent) return;
  const wrong = list.texts().find((line) => line.indexOf("=") < 1);
  if (wrong !== undefined) throw new ChError(`can’t parse config: bad Env line: ${wrong}`);
}
