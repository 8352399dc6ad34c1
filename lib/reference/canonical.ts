// What a reference means to registries: the defaults filled in (spec ch-image §6.3), and the report
// that shows how a reference was understood (§6.5).

import { type ImageReference, mangleReference } from "./reference.ts";

/** The registry that references without a host belong to; from CH_REGY_*. */
export interface RegistryDefaults {
  readonly host?: string;
  readonly port?: number;
  /** Prepended to the path of references without a host. */
  readonly pathPrefix?: readonly string[];
}

const DOCKER_HUB = "registry-1.docker.io";

/** REF with host, port, path and version as a registry wants them; `text` is the printed form. */
export function canonicalizeReference(
  ref: ImageReference,
  defaults: RegistryDefaults = {},
): ImageReference & { readonly host: string; readonly port: number } {
  const isForeign = ref.host === undefined && defaults.host !== undefined;
  const host = ref.host ?? defaults.host ?? DOCKER_HUB;
  const port = ref.port ?? (isForeign ? defaults.port : undefined) ?? 443;
  let path = isForeign ? [...defaults.pathPrefix ?? [], ...ref.path] : ref.path;
  if (host === DOCKER_HUB && path.length === 0) path = ["library"];
  const tag = ref.tag ?? (ref.digest === undefined ? "latest" : undefined);
  const version = ref.digest === undefined ? `:${tag}` : `@sha256:${ref.digest}`;
  const text = `${host}:${port}/${[...path, ref.name].join("/")}${version}`;
  return { ...ref, text, host, port, path, tag };
}

/** What `pull --parse-only` prints, without the last newline. */
export function formatParseReport(ref: ImageReference): string {
  const quote = (text: string | undefined) => text === undefined ? "None" : `'${text}'`;
  return [
    `as string:    ${ref.text}`,
    `for filename: ${mangleReference(ref.text)}`,
    "fields:",
    `  host    ${quote(ref.host)}`,
    `  port    ${ref.port ?? "None"}`,
    `  path    [${ref.path.map(quote).join(", ")}]`,
    `  name    ${quote(ref.name)}`,
    `  tag     ${quote(ref.tag)}`,
    `  digest  ${quote(ref.digest)}`,
  ].join("\n");
}
