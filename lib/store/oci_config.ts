// An image's metadata as an OCI image configuration (image specification, config.md), for whoever takes
// the image elsewhere. Layers, and so "rootfs", are the taker's business.

import { pickSettings } from "./image_settings.ts";
import type { Metadata } from "./metadata.ts";

export interface OciConfig {
  readonly architecture: string;
  readonly os: "linux";
  readonly author?: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly history: readonly unknown[];
}

/** SETTINGS: the image's own if its metadata have none, see ch/config.pulled.json. */
export function toOciConfig(metadata: Metadata, settings = metadata["config"]): OciConfig {
  const { arch, author, cwd, env, history, labels, shell, volumes } = metadata;
  return {
    architecture: arch,
    os: "linux",
    ...typeof author === "string" ? { author } : {},
    config: {
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      WorkingDir: cwd,
      Labels: labels,
      Shell: shell,
      ...volumes.length === 0
        ? {}
        : { Volumes: Object.fromEntries(volumes.map((path) => [path, {}])) },
      ...pickSettings(settings),
    },
    history,
  };
}
