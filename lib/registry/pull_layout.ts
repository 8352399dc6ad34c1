// Pulling from an OCI layout: its blobs go into the download cache, as those of a registry do, so that
// what is built on the image can be pushed with its layers as they are.

import type { Cache } from "../cache/cache.ts";
import { ChError } from "../error.ts";
import { OutputFile } from "../../ffi/output_file.ts";
import { TemporaryDirectory } from "../convert/temporary_directory.ts";
import { ArchiveFiles } from "../oci/archive_files.ts";
import type { BlobSource } from "../oci/blobs.ts";
import { Layout } from "../oci/layout.ts";
import { type Descriptor, MAX_DOCUMENT, type Platform, requireImage } from "../oci/model.ts";
import { DirectoryFiles, type NamedFiles } from "../oci/named_files.ts";
import { readManifest } from "../oci/unpack.ts";
import type { ImageReference } from "../reference/reference.ts";
import { Downloads } from "../store/downloads.ts";
import { UPLOADS } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import { BlobFile } from "./blob_file.ts";
import { labelLayer, layerFileName } from "./image_blobs.ts";
import type { LayoutPlace } from "./layout_place.ts";
import { hexOf } from "./manifest.ts";
import type { PullSettings } from "./pull.ts";
import { readDiffIds, readPulledMetadata } from "./pulled_metadata.ts";
import { storePulled } from "./store_pulled.ts";

export interface LayoutPullRequest {
  readonly source: LayoutPlace;
  readonly destination: ImageReference;
  readonly lastLayer?: number | undefined;
}

/** As pullImage(). */
export async function pullLayout(
  store: Store,
  { source, destination, lastLayer }: LayoutPullRequest,
  settings: PullSettings,
  cache?: Cache,
): Promise<void> {
  const { architecture, registry: { log, signal = new AbortController().signal } } = settings;
  log.info(`pulling image:    ${source.text}`);
  log.info(`destination:      ${destination.text}`);
  log.info(`requesting arch:  ${architecture}`);
  using temporary = new TemporaryDirectory(`${store.path}/${UPLOADS}`);
  const files = await openFiles(source, temporary.path);
  const layout = await Layout.open(files);
  const platform = platformOf(settings);
  const target = layout.findImage(source.name, platform);
  const { manifest, blob, bytes } = await readManifest(layout, target, platform, files.name);
  requireImage(manifest, files.name);
  const { config, layers } = manifest;
  if (config.size > MAX_DOCUMENT) {
    throw new ChError(`too large: ${config.digest}: ${config.size} bytes of metadata`);
  }
  const downloads = new Downloads(store.path);
  const take = { source: layout, downloads, signal };
  log.info("config: copying");
  const configName = `${hexOf(config.digest)}.json`;
  await takeBlob(config, configName, take);
  const configBytes = downloads.read(configName);
  const arriving: BlobFile[] = [];
  for (const [index, layer] of layers.entries()) {
    log.info(`${labelLayer(index + 1, layers.length, layer)}copying`);
    await takeBlob(layer, layerFileName(layer), take);
    const file = new BlobFile();
    file.complete(downloads.pathOf(layerFileName(layer)));
    arriving.push(file);
  }
  await storePulled(
    store,
    {
      source: source.text,
      name: undefined,
      from: source.text,
      destination,
      manifest: { schemaVersion: 2, config, layers },
      fetched: { bytes, digest: blob.digest, mediaType: manifest.mediaType },
      config: {
        bytes: configBytes,
        metadata: readPulledMetadata(configBytes),
        diffIds: readDiffIds(configBytes, manifest),
      },
      files: arriving,
      architecture,
      lastLayer,
    },
    { ...settings, log, signal },
    cache,
  );
  log.info("done");
}

async function openFiles({ kind, path }: LayoutPlace, temporary: string): Promise<NamedFiles> {
  switch (kind) {
    case "oci":
      return new DirectoryFiles(path);
    case "oci-archive":
      return await ArchiveFiles.open(path, temporary);
    default:
      return kind satisfies never;
  }
}

function platformOf({ architecture, hostArchitecture }: PullSettings): Platform {
  const wanted = architecture === "yolo" ? hostArchitecture : architecture;
  const [name, variant] = wanted.split("/") as [string, string?];
  return { os: "linux", architecture: name, ...variant !== undefined && { variant } };
}

interface Take {
  readonly source: BlobSource;
  readonly downloads: Downloads;
  readonly signal: AbortSignal;
}

/** BLOB into the download cache, as NAME, unless it is there. */
async function takeBlob(
  blob: Descriptor,
  name: string,
  { source, downloads, signal }: Take,
): Promise<void> {
  using _lock = await downloads.lock(name, signal, () => {});
  try {
    if (downloads.has(name, blob.size)) return;
    downloads.discard(name);
    using file = new OutputFile(downloads.partialPathOf(name));
    for await (const chunk of source.read(blob)) {
      signal.throwIfAborted();
      await file.write(chunk);
    }
    await file.commit();
    downloads.complete(name);
  } finally {
    downloads.removeLockFile(name);
  }
}
