// Pushing: an image in storage, or any directory, becomes one in a registry (spec ch-image §12).

import { openRoot } from "../../ffi/tree.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { shortDigest } from "../oci/unpack.ts";
import { canonicalizeReference, type RegistryDefaults } from "../reference/canonical.ts";
import type { ImageReference } from "../reference/reference.ts";
import { Downloads } from "../store/downloads.ts";
import { UPLOADS } from "../store/layout.ts";
import type { Metadata } from "../store/metadata.ts";
import { readMetadata } from "../store/metadata_files.ts";
import type { Store } from "../store/store.ts";
import { layerFileName } from "./image_blobs.ts";
import type { LayoutPlace } from "./layout_place.ts";
import { checkLayoutPlace, writeLayoutPlace } from "./push_layout.ts";
import { PULLED_FROM } from "./pulled_files.ts";
import { planPush, type PushPlan } from "./push_plan.ts";
import { type RegistrySettings, Repository } from "./repository.ts";
import { BlobInFile, Spool } from "./spool.ts";
import { uploadIndex, uploadManifest } from "./upload_manifest.ts";
import { PIECE, type RemoteBlob, requirePush, uploadBlob } from "./upload.ts";

export interface PushSettings {
  readonly registry: RegistrySettings;
  readonly defaults: RegistryDefaults;
  /** Whether the build cache may be asked what was built. */
  readonly usesCache: boolean;
}

export interface PushRequest {
  readonly source: ImageReference;
  readonly destination: ImageReference | LayoutPlace;
  /** Directory to push instead of the image SOURCE of the storage. */
  readonly directory?: string | undefined;
  /** All in one layer, even if it is known which were pulled. */
  readonly isSingleLayer: boolean;
  /** Beside what DESTINATION has for other platforms, instead of in place of it. */
  readonly isForIndex: boolean;
}

/** Blobs on their way at the same time. */
const PARALLEL = 3;

/** Throws a ChError; what the registry had under the name stays then. */
export async function pushImage(
  store: Store,
  request: PushRequest,
  settings: PushSettings,
): Promise<void> {
  const { source, destination, directory, isSingleLayer, isForIndex } = request;
  const { log, signal } = settings.registry;
  const layout = "kind" in destination ? destination : undefined;
  const reference = "kind" in destination ? undefined : findTag(destination, settings.defaults);
  log.info(`pushing image:   ${source.text}`);
  const path = directory ?? store.imagePath(source);
  if (directory === undefined) log.verbose(`image path:      ${path}`);
  else log.info(`image path:      ${path}`);
  if (destination.text !== source.text) log.info(`destination:     ${destination.text}`);
  if (directory === undefined && !store.hasImage(source)) {
    throw new ChError(`can’t push: no image ${source.text}`);
  }
  using root = openImage(path);
  using repository = reference && new Repository(reference, settings.registry);
  if (repository !== undefined) await requirePush(repository);
  if (layout !== undefined) checkLayoutPlace(layout);

  using spool = new Spool(`${store.path}/${UPLOADS}`);
  const downloads = new Downloads(store.path);
  const metadata = readMetadata(root.fd, path, log);
  const stored = directory === undefined && settings.usesCache ? source : undefined;
  const image = { rootFd: root.fd, name: path, metadata, reference: stored };
  const mode = isSingleLayer ? "single" : "layered";
  const plan = await planPush(image, mode, { spool, store, log });
  signal?.throwIfAborted();

  if (layout !== undefined) {
    await writeLayoutPlace({ place: layout, plan, isForIndex }, { spool, store, log });
  }
  if (repository !== undefined) {
    log.info("starting upload");
    const from = findOrigin(metadata, repository);
    await uploadLayers(repository, plan, { spool, downloads, from, log });
    await uploadConfig(repository, plan, log);
    const tag = reference!.tag!;
    log.info("manifest: uploading");
    await (isForIndex ? uploadIndex : uploadManifest)(repository, plan, tag);
    log.info("cleaning up");
  }
  log.info("done");
}

function findTag(destination: ImageReference, defaults: RegistryDefaults) {
  const reference = canonicalizeReference(destination, defaults);
  if (reference.digest === undefined) return reference;
  throw new ChError(`can’t push to a digest, only to a tag: ${destination.text}`);
}

function openImage(path: string) {
  try {
    return openRoot(path);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new ChError(`can’t push: ${path} does not appear to be an image`, { cause: error });
  }
}

/** Repository of the same registry that the image's layers came from. */
function findOrigin(metadata: Metadata, { registry }: Repository): string | undefined {
  const from = metadata[PULLED_FROM];
  if (typeof from !== "string" || !from.startsWith(`${registry}/`)) return undefined;
  return from.slice(registry.length + 1).replace(/(@sha256)?:[^/]*$/, "");
}

interface Places {
  readonly spool: Spool;
  readonly downloads: Downloads;
  readonly from: string | undefined;
  readonly log: Log;
}

async function uploadLayers(
  repository: Repository,
  { manifest: { layers }, kept }: PushPlan,
  { spool, downloads, from, log }: Places,
): Promise<void> {
  const waiting = [...layers.entries()].filter(([index, { digest }]) =>
    layers.findIndex((other) => other.digest === digest) === index
  );
  const work = async () => {
    const buffer = new Uint8Array(PIECE);
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, { digest, size }] = next;
      const isKept = kept.some((layer) => layer.digest === digest);
      using file = isKept && downloads.has(layerFileName({ digest }), size)
        ? new BlobInFile(downloads.pathOf(layerFileName({ digest })), digest, size)
        : undefined;
      const blob = {
        digest,
        size,
        from: isKept ? from : undefined,
        local: file ?? spool.open(digest),
      };
      const label = `layer ${index + 1}/${layers.length}: ${shortDigest({ digest })}: `;
      await uploadOne(repository, blob, label, buffer, log);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
}

async function uploadConfig(
  repository: Repository,
  { manifest: { config }, configBytes }: PushPlan,
  log: Log,
): Promise<void> {
  const { digest, size } = config;
  const local = {
    digest,
    size,
    read: (start: number, end: number) => configBytes.subarray(start, end),
  };
  const label = `config: ${shortDigest({ digest })}: `;
  const blob = { digest, size, from: undefined, local };
  await uploadOne(repository, blob, label, new Uint8Array(), log);
}

async function uploadOne(
  repository: Repository,
  blob: RemoteBlob,
  label: string,
  buffer: Uint8Array<ArrayBuffer>,
  log: Log,
): Promise<void> {
  log.info(`${label}checking if already in repository`);
  let meter: Disposable & { update(done: number): void } | undefined;
  let done = 0;
  try {
    const result = await uploadBlob(repository, blob, {
      buffer,
      onStart: () => meter = log.progress(`${label}not present, uploading...`, blob.size),
      onProgress: (bytes) => meter?.update(done += bytes),
    });
    if (result === "present") log.info(`${label}already present`);
    if (result === "mounted") log.info(`${label}mounted from the repository it was pulled from`);
  } finally {
    meter?.[Symbol.dispose]();
  }
}
