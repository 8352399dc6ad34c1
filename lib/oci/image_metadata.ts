// An image's configuration in the two forms there are: OCI's, for other tools, and Charliecloud's files
// in the image's /ch (spec ch-image §7). Pure.

import { parseAssignments } from "../container/assignments.ts";
import { pickSettings, SETTINGS } from "../store/image_settings.ts";
import { defaultMetadata, formatEnvironment, type Metadata } from "../store/metadata.ts";
import { ENVIRONMENT_FILE } from "../store/metadata_files.ts";
import type { HistoryEntry, ImageDetails, RunConfig } from "./model.ts";

/** The configuration exactly as it came from elsewhere. */
export const PULLED_FILE = "ch/config.pulled.json";

/** CONFIG as metadata; what it does not say is BASE's, e.g. that in the layers. */
export function toMetadata(config: ImageDetails, base: Metadata = defaultMetadata()): Metadata {
  const { Env = [], WorkingDir, Labels = {}, Shell = [], Volumes = {} } = config.config ?? {};
  const { author: _, ...kept } = base;
  const { author } = config;
  return {
    ...kept,
    ...typeof author === "string" ? { author } : {},
    arg: base.arg,
    arch: config.architecture,
    config: pickSettings(config.config),
    cwd: WorkingDir || "/",
    env: Object.fromEntries(Env.map(splitAssignment)),
    history: config.history ?? [],
    labels: Labels,
    shell: Shell.length > 0 ? Shell : defaultMetadata().shell,
    volumes: Object.keys(Volumes),
  };
}

/** What is in an image's files; undefined where it has no such file. */
export interface MetadataFiles {
  readonly metadata: Metadata | undefined;
  /** Text of ch/environment. */
  readonly environment: Uint8Array | undefined;
  readonly pulled: ImageDetails | undefined;
}

/** The files as a configuration. `pulled` gives what metadata have no place for; the environment is that
 * which containers get. */
export function toImageDetails(files: MetadataFiles): ImageDetails {
  const { metadata, pulled } = files;
  const { architecture = metadata?.arch ?? defaultMetadata().arch } = pulled ?? {};
  const author = metadata?.["author"];
  return {
    ...pulled,
    ...typeof author === "string" ? { author } : {},
    architecture: metadata?.arch ?? architecture,
    os: pulled?.os ?? "linux",
    config: withoutEmpty({
      ...pulled?.config,
      ...metadata && toRunConfig(metadata),
      Env: environmentOf(files),
    }),
    history: (metadata?.history ?? pulled?.history ?? []).filter(isHistoryEntry),
  };
}

function toRunConfig(metadata: Metadata): RunConfig {
  const { config } = metadata;
  return {
    WorkingDir: metadata.cwd,
    Labels: metadata.labels,
    // OCI has no such thing, so it is said only where it is unusual.
    Shell: isUsualShell(metadata.shell) ? [] : metadata.shell,
    Volumes: Object.fromEntries(metadata.volumes.map((volume) => [volume, {}])),
    // They belong together: where one is the image's own, so is the lack of another.
    ...config !== undefined && {
      ...Object.fromEntries(SETTINGS.map((name) => [name, undefined])),
      ...pickSettings(config),
    },
  };
}

/** The file is what counts, but for values that it has no room for. */
function environmentOf({ metadata, environment, pulled }: MetadataFiles): readonly string[] {
  const env = metadata?.env;
  const known = env === undefined
    ? pulled?.config?.Env ?? []
    : Object.keys(env).sort().map((name) => `${name}=${env[name]}`);
  if (environment === undefined) return known;
  const text = new TextDecoder().decode(environment);
  if (env !== undefined && formatEnvironment(env).text === text) return known;
  return parseAssignments(environment, "\n", ENVIRONMENT_FILE)
    .map(({ name, value }) => `${name}=${value}`);
}

function splitAssignment(entry: string): [string, string] {
  const at = entry.indexOf("=");
  return [entry.slice(0, at), entry.slice(at + 1)];
}

function isUsualShell(shell: readonly string[]): boolean {
  return shell.join("\0") === defaultMetadata().shell.join("\0");
}

function isHistoryEntry(value: unknown): value is HistoryEntry {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What says nothing need not be said. */
function withoutEmpty(config: RunConfig): RunConfig {
  const isEmpty = (value: unknown) =>
    value === undefined || value === "" ||
    (typeof value === "object" && value !== null && Object.keys(value).length === 0);
  return Object.fromEntries(Object.entries(config).filter(([, value]) => !isEmpty(value)));
}
