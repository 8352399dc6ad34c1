// Pushing: an image in storage, or any directory, becomes one in a registry (spec ch-image §12).

import { openRoot } from "../../ffi/tree.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../error.ts";
import type { Log, Progress } from "../log/log.ts";
import { parseDocument, parseImageConfig } from "../oci/model.ts";
import { shortDigest } from "../oci/unpack.ts";
import { canonicalizeReference, type RegistryDefaults } from "../reference/canonical.ts";
import type { ImageReference } from "../reference/reference.ts";
import { Downloads } from "../store/downloads.ts";
import { UPLOADS } from "../store/layout.ts";
import type { Metadata } from "../store/metadata.ts";
import { readMetadata } from "../store/metadata_files.ts";
import type { Store } from "../store/store.ts";
import { fetchManifest } from "./fetch_manifest.ts";
import { LayerUploads } from "./layer_uploads.ts";
import { toLocalBlob } from "./local_blob.ts";
import type { LayoutPlace } from "./layout_place.ts";
import { checkLayoutPlace, writeLayoutPlace } from "./push_layout.ts";
import { PULLED_FROM } from "./pulled_files.ts";
import { findCreated, type LayerCompression, planPush, type PushPlan } from "./push_plan.ts";
import { type RegistrySettings, Repository } from "./repository.ts";
import { readLimited } from "./response.ts";
import { Spool } from "./spool.ts";
import { uploadIndex, uploadManifest } from "./upload_manifest.ts";
import { requirePush } from "./upload_session.ts";
import { uploadBlob } from "./upload.ts";

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
  /** Of layers that are made; the usual one if not given. */
  readonly compression?: LayerCompression | undefined;
}

/** Throws a ChError; what the registry had under the name stays then. */
export async function pushImage(
  store: Store,
  request: PushRequest,
  settings: PushSettings,
): Promise<void> {
  const { source, destination, directory, isSingleLayer, isForIndex, compression } = request;
  const { log, signal = new AbortController().signal } = settings.registry;
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

  const metadata = readMetadata(root.fd, path, log);
  const stored = directory === undefined && settings.usesCache ? source : undefined;
  const image = { rootFd: root.fd, name: path, metadata, reference: stored };
  const mode = isSingleLayer ? "single" : "layered";
  using spool = new Spool(`${store.path}/${UPLOADS}`, signal);
  const tools = { spool, store, compression, log, signal };
  if (layout !== undefined) {
    const plan = await planPush(image, mode, { ...tools, layers: spool });
    await writeLayoutPlace({ place: layout, plan, isForIndex }, tools);
  }
  if (repository !== undefined) {
    const { tag } = reference!;
    await using uploads = new LayerUploads(repository, {
      spool,
      downloads: new Downloads(store.path),
      from: findOrigin(metadata, repository),
      isNew: isNewImage(repository, tag!, findCreated(image)),
    });
    const plan = await planPush(image, mode, { ...tools, layers: uploads });
    signal.throwIfAborted();
    log.info("starting upload");
    await uploads.finish(plan.manifest.layers);
    await uploadConfig(repository, plan, log);
    log.info("manifest: uploading");
    await (isForIndex ? uploadIndex : uploadManifest)(repository, plan, tag!);
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

/** Whether the image that TAG means was CREATED at another time: the layer that is made here will be new
 * then. It is only a guess, and it does not matter if nobody can tell. */
async function isNewImage(
  repository: Repository,
  tag: string,
  created: string,
): Promise<boolean> {
  try {
    const found = await fetchManifest([repository], tag, "any");
    if (found === undefined) return true;
    const document = parseDocument(found.bytes, tag, found.mediaType);
    if (document.kind !== "manifest") return false; // for one platform of several it would take more
    const { digest } = document.manifest.config;
    const response = await repository.request("GET", `blobs/${digest}`, { expected: [200] });
    return parseImageConfig(await readLimited(response, digest), digest).created !== created;
  } catch (error) {
    if (!(error instanceof ChError)) throw error;
    repository.log.debug(`can’t tell what ${tag} is: ${error.message}`);
    return false;
  }
}

async function uploadConfig(
  repository: Repository,
  { manifest: { config: { digest, size } }, configBytes }: PushPlan,
  log: Log,
): Promise<void> {
  const label = `config: ${shortDigest({ digest })}: `;
  const blob = { digest, size, from: undefined, local: toLocalBlob(digest, configBytes) };
  let meter: Progress | undefined;
  try {
    const result = await uploadBlob(repository, blob, {
      buffer: new Uint8Array(),
      onCheck: () => log.info(`${label}checking if already in repository`),
      onStart: () => meter = log.progress(`${label}not present, uploading...`, size),
      onProgress: (sent) => meter?.update(sent),
    });
    if (result === "present") log.info(`${label}already present`);
  } finally {
    meter?.[Symbol.dispose]();
  }
}
