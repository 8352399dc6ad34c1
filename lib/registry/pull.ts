// Pulling: an image of a registry becomes one in storage (spec ch-image §11). Layers are fetched side by
// side, and each is unpacked while it, and those above, are still on their way.

import { BUILT_IN, BUILT_IN_ORIGIN, fillBuiltIn } from "../cache/built_in.ts";
import type { Cache } from "../cache/cache.ts";
import { commitImage } from "../cache/commit_image.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { canonicalizeReference, type RegistryDefaults } from "../reference/canonical.ts";
import type { ImageReference } from "../reference/reference.ts";
import { Downloads } from "../store/downloads.ts";
import { defaultMetadata } from "../store/metadata.ts";
import type { Store } from "../store/store.ts";
import { type BlobsRequest, fetchConfig, fetchLayers } from "./image_blobs.ts";
import type { PulledManifest } from "./manifest.ts";
import type { Mirror } from "./mirror.ts";
import { readDiffIds, readPulledMetadata } from "./pulled_metadata.ts";
import { Repositories } from "./repositories.ts";
import type { RegistrySettings } from "./repository.ts";
import { resolveManifest } from "./resolve.ts";
import { type PulledConfig, storePulled } from "./store_pulled.ts";

export interface PullSettings {
  readonly registry: RegistrySettings;
  readonly defaults: RegistryDefaults;
  readonly mirrors: readonly Mirror[];
  /** As registries have it, or "yolo". */
  readonly architecture: string;
  /** This machine's, as registries have it. */
  readonly hostArchitecture: string;
  /** Fetch configuration and layers even if they are in the download cache. */
  readonly always: boolean;
}

export interface PullRequest {
  readonly source: ImageReference;
  readonly destination: ImageReference;
  /** So many layers only, for debugging; undefined is all. */
  readonly lastLayer?: number | undefined;
}

/** CACHE: the build cache of STORE, if the image shall go there. Throws a ChError; an image that had the
 * name stays then. */
export async function pullImage(
  store: Store,
  request: PullRequest,
  settings: PullSettings,
  cache?: Cache,
): Promise<void> {
  const { source, destination } = request;
  const { log } = settings.registry;
  log.info(`pulling image:    ${source.text}`);
  if (destination.text !== source.text) log.info(`destination:      ${destination.text}`);
  log.info(`requesting arch:  ${settings.architecture}`);
  if (source.text === BUILT_IN) await makeBuiltIn(store, destination, log, cache);
  else await pullFromRegistry(store, request, settings, cache);
  log.info("done");
}

async function makeBuiltIn(
  store: Store,
  destination: ImageReference,
  log: Log,
  cache: Cache | undefined,
): Promise<void> {
  log.info("manifest: using internal library");
  using image = store.newImage(destination);
  fillBuiltIn(image.rootFd, log);
  await commitImage(cache, image, BUILT_IN_ORIGIN);
}

async function pullFromRegistry(
  store: Store,
  { source, destination, lastLayer }: PullRequest,
  settings: PullSettings,
  cache: Cache | undefined,
): Promise<void> {
  const { registry: { log, signal } } = settings;
  const reference = canonicalizeReference(source, settings.defaults);
  using repositories = new Repositories(reference, settings.registry, settings.mirrors);
  const downloads = new Downloads(store.path);
  const resolved = await resolveManifest({
    ...settings,
    reference,
    destination,
    repositories: repositories.all,
    downloads,
    log,
  });
  const { manifest } = resolved;
  // What goes on in parallel ends with the rest, however that comes about.
  const stop = new AbortController();
  const blobs: BlobsRequest = {
    repositories: repositories.all,
    downloads,
    always: settings.always,
    log,
    signal: AbortSignal.any(signal === undefined ? [stop.signal] : [stop.signal, signal]),
  };
  const config = await readConfig(manifest, blobs);
  const { files, ended } = fetchLayers(manifest.layers, blobs);
  try {
    await storePulled(
      store,
      {
        source: source.text,
        name: source,
        from: reference.text,
        destination,
        manifest,
        fetched: resolved.fetched,
        config,
        files,
        architecture: resolved.architecture,
        lastLayer,
      },
      { ...settings, log, signal: blobs.signal },
      cache,
    );
  } finally {
    stop.abort(new ChError("pull ended"));
    await ended;
  }
}

async function readConfig(
  manifest: PulledManifest,
  request: BlobsRequest,
): Promise<PulledConfig> {
  if (manifest.config === undefined) {
    request.log.info("no config found; initializing empty metadata");
    return { bytes: undefined, metadata: defaultMetadata(), diffIds: undefined };
  }
  const bytes = await fetchConfig(manifest.config, request);
  return {
    bytes,
    metadata: readPulledMetadata(bytes),
    diffIds: readDiffIds(bytes, manifest),
  };
}
