// Pulling: an image of a registry becomes one in storage (spec ch-image §11). Layers are fetched side by
// side, and each is unpacked while it, and those above, are still on their way.

import type { Cache } from "../cache/cache.ts";
import { commitImage } from "../cache/commit_image.ts";
import { DamagedStateError } from "../cache/damaged_state.ts";
import type { State, StateKey } from "../cache/state_store.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { canonicalizeReference, type RegistryDefaults } from "../reference/canonical.ts";
import { canonicalJson } from "../oci/canonical_json.ts";
import type { ImageReference } from "../reference/reference.ts";
import { Downloads } from "../store/downloads.ts";
import { initializeImage } from "../store/initialize_image.ts";
import { defaultMetadata, type Metadata } from "../store/metadata.ts";
import { writeMetadata } from "../store/metadata_files.ts";
import type { Store } from "../store/store.ts";
import { withoutVariant } from "./architecture.ts";
import { type BlobsRequest, fetchConfig, fetchLayers, labelLayer } from "./image_blobs.ts";
import { layerFileName } from "./image_blobs.ts";
import type { PulledManifest } from "./manifest.ts";
import type { Mirror } from "./mirror.ts";
import { readPulledMetadata } from "./pulled_metadata.ts";
import { writePulledFiles } from "./pulled_files.ts";
import { Repositories } from "./repositories.ts";
import type { RegistrySettings } from "./repository.ts";
import { resolveManifest } from "./resolve.ts";
import { unpackLayers } from "./unpack_layers.ts";

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

/** An image without layers, known without any registry. */
const BUILT_IN = "scratch";

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
  initializeImage(image.rootFd);
  writeMetadata(image.rootFd, defaultMetadata(), log);
  await commitImage(cache, image, { label: `PULL ${BUILT_IN}`, key: describeManifest("{}") });
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
  const key = describeManifest(new TextDecoder().decode(resolved.fetched.bytes));
  try {
    if (cache !== undefined && lastLayer === undefined) {
      const isFound = await takeKnown(cache, key, { source, destination }, async () => {
        await Promise.all(files.map(({ whole }) => whole));
      });
      if (isFound) return reportArchitecture(config.metadata, resolved.architecture, settings);
    }
    log.info("pulled image: adding to build cache");
    using image = store.newImage(destination);
    const layers = manifest.layers.map((layer, index) => ({
      file: files[index]!,
      label: labelLayer(index + 1, manifest.layers.length, layer),
      name: downloads.pathOf(layerFileName(layer)),
    }));
    const wanted = layers.slice(0, lastLayer);
    await unpackLayers(wanted, image.rootFd, log, blobs.signal);
    for (const { label } of layers.slice(wanted.length)) {
      log.info(`${label}skipping per --last-layer`);
    }
    initializeImage(image.rootFd);
    const isWhole = wanted.length === layers.length;
    writePulledFiles(image.rootFd, config, isWhole ? resolved.fetched : undefined, reference, log);
    reportArchitecture(config.metadata, resolved.architecture, settings);
    signal?.throwIfAborted();
    if (isWhole) {
      const state = await commitImage(cache, image, { label: `PULL ${source.text}`, key });
      if (state !== undefined) nameSource(cache!, state, { source, destination });
    } else {
      image.commit();
    }
  } finally {
    stop.abort(new ChError("pull ended"));
    await ended;
  }
}

/** What the image is known by in the build cache: its manifest, wherever it is from. */
function describeManifest(text: string): StateKey {
  return { text: "PULL", inputs: [canonicalJson(JSON.parse(text))] };
}

/** The image becomes that of an earlier pull, if the cache has it. FETCH gets the rest of its blobs. */
async function takeKnown(
  cache: Cache,
  key: StateKey,
  { source, destination }: PullRequest,
  fetch: () => Promise<void>,
): Promise<boolean> {
  const { log } = cache.options;
  const state = cache.lookUp(cache.root, key, destination);
  if (state === undefined) return false;
  log.info("pulled image: found in build cache");
  // For those who push what they build on it.
  await fetch();
  try {
    await cache.finish(destination, state, undefined);
    nameSource(cache, state, { source, destination });
    return true;
  } catch (error) {
    if (!(error instanceof DamagedStateError)) throw error;
    log.warning(error.message);
    return false;
  }
}

/** FROM may use the name that the registry has for it, too. */
function nameSource(cache: Cache, state: State, { source, destination }: PullRequest): void {
  if (source.text !== destination.text) cache.setName(source, state);
}

export interface PulledConfig {
  /** As the registry has it; undefined for images of the first format. */
  readonly bytes: Uint8Array | undefined;
  readonly metadata: Metadata;
}

async function readConfig(
  { config }: PulledManifest,
  request: BlobsRequest,
): Promise<PulledConfig> {
  if (config === undefined) {
    request.log.info("no config found; initializing empty metadata");
    return { bytes: undefined, metadata: defaultMetadata() };
  }
  const bytes = await fetchConfig(config, request);
  return { bytes, metadata: readPulledMetadata(bytes) };
}

function reportArchitecture(
  { arch }: Metadata,
  requested: string,
  { hostArchitecture, registry: { log } }: PullSettings,
): void {
  const host = withoutVariant(hostArchitecture);
  const note = withoutVariant(arch) === host ? "" : ` (may not match host ${hostArchitecture})`;
  log.info(`image arch: ${arch}${note}`);
  if (requested === "yolo" || withoutVariant(requested) === withoutVariant(arch)) return;
  log.warning(`image architecture does not match requested: ${requested} ≠ ${arch}`);
}
