// The last part of pulling, wherever the blobs come from: an image in storage is made of them, or found
// in the build cache.

import type { Cache } from "../cache/cache.ts";
import { commitImage } from "../cache/commit_image.ts";
import { DamagedStateError } from "../cache/damaged_state.ts";
import type { State, StateKey } from "../cache/state_store.ts";
import type { Log } from "../log/log.ts";
import { canonicalJson } from "../oci/canonical_json.ts";
import type { ImageReference } from "../reference/reference.ts";
import { Downloads } from "../store/downloads.ts";
import { initializeImage } from "../store/initialize_image.ts";
import type { Metadata } from "../store/metadata.ts";
import type { Store } from "../store/store.ts";
import { withoutVariant } from "./architecture.ts";
import type { BlobFile } from "./blob_file.ts";
import type { FetchedManifest } from "./fetch_manifest.ts";
import { labelLayer, layerFileName } from "./image_blobs.ts";
import type { PulledManifest } from "./manifest.ts";
import { writePulledFiles } from "./pulled_files.ts";
import { unpackLayers } from "./unpack_layers.ts";

export interface PulledConfig {
  /** As the registry has it; undefined for images of the first format. */
  readonly bytes: Uint8Array | undefined;
  readonly metadata: Metadata;
  /** Digest of each layer when it is uncompressed; undefined if nobody tells. */
  readonly diffIds: readonly string[] | undefined;
}

export interface ArrivingImage {
  /** As the user has it. */
  readonly source: string;
  /** The same as a reference, if it is one: FROM may use it, too. */
  readonly name: ImageReference | undefined;
  /** For whoever wants to know later. */
  readonly from: string;
  readonly destination: ImageReference;
  readonly manifest: PulledManifest;
  readonly fetched: FetchedManifest;
  readonly config: PulledConfig;
  /** Of the layers, the lowest first, in the download cache. */
  readonly files: readonly BlobFile[];
  /** What was asked for in the end. */
  readonly architecture: string;
  /** So many layers only; undefined is all. */
  readonly lastLayer: number | undefined;
}

export interface StoringSettings {
  readonly hostArchitecture: string;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Throws a ChError if a blob fails or is not what it should be; nothing has changed then. */
export async function storePulled(
  store: Store,
  arriving: ArrivingImage,
  settings: StoringSettings,
  cache: Cache | undefined,
): Promise<void> {
  const { manifest, config, files, lastLayer, destination, source } = arriving;
  const { log, signal } = settings;
  const key = describeManifest(new TextDecoder().decode(arriving.fetched.bytes));
  if (cache !== undefined && lastLayer === undefined) {
    const isFound = await takeKnown(cache, key, arriving, async () => {
      await Promise.all(files.map(({ whole }) => whole));
    });
    if (isFound) return reportArchitecture(config.metadata, arriving.architecture, settings);
  }
  log.info("pulled image: adding to build cache");
  using image = store.newImage(destination);
  const downloads = new Downloads(store.path);
  const layers = manifest.layers.map((layer, index) => ({
    file: files[index]!,
    label: labelLayer(index + 1, manifest.layers.length, layer),
    name: downloads.pathOf(layerFileName(layer)),
    diffId: config.diffIds?.[index],
  }));
  const wanted = layers.slice(0, lastLayer);
  await unpackLayers(wanted, image.rootFd, log, signal);
  for (const { label } of layers.slice(wanted.length)) {
    log.info(`${label}skipping per --last-layer`);
  }
  initializeImage(image.rootFd);
  const isWhole = wanted.length === layers.length;
  const fetched = isWhole ? arriving.fetched : undefined;
  writePulledFiles(image.rootFd, config, fetched, { text: arriving.from }, log);
  reportArchitecture(config.metadata, arriving.architecture, settings);
  signal.throwIfAborted();
  if (isWhole) {
    const state = await commitImage(cache, image, { label: `PULL ${source}`, key });
    if (state !== undefined) nameSource(cache!, state, arriving);
  } else {
    image.commit();
  }
}

/** What the image is known by in the build cache: its manifest, wherever it is from. */
export function describeManifest(text: string): StateKey {
  return { text: "PULL", inputs: [canonicalJson(JSON.parse(text))] };
}

/** The image becomes that of an earlier pull, if the cache has it. FETCH gets the rest of its blobs. */
async function takeKnown(
  cache: Cache,
  key: StateKey,
  arriving: ArrivingImage,
  fetch: () => Promise<void>,
): Promise<boolean> {
  const { log } = cache.options;
  const { destination } = arriving;
  const state = cache.lookUp(cache.root, key, destination);
  if (state === undefined) return false;
  log.info("pulled image: found in build cache");
  // For those who push what they build on it.
  await fetch();
  try {
    await cache.finish(destination, state, undefined);
    nameSource(cache, state, arriving);
    return true;
  } catch (error) {
    if (!(error instanceof DamagedStateError)) throw error;
    log.warning(error.message);
    return false;
  }
}

/** FROM may use the name that the registry has for it, too. */
function nameSource(cache: Cache, state: State, { name, destination }: ArrivingImage): void {
  if (name !== undefined && name.text !== destination.text) cache.setName(name, state);
}

function reportArchitecture(
  { arch }: Metadata,
  requested: string,
  { hostArchitecture, log }: StoringSettings,
): void {
  const host = withoutVariant(hostArchitecture);
  const note = withoutVariant(arch) === host ? "" : ` (may not match host ${hostArchitecture})`;
  log.info(`image arch: ${arch}${note}`);
  if (requested === "yolo" || withoutVariant(requested) === withoutVariant(arch)) return;
  log.warning(`image architecture does not match requested: ${requested} ≠ ${arch}`);
}
