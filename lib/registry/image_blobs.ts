// The blobs of one image on their way into the download cache, some at a time.

import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { MAX_DOCUMENT } from "../oci/model.ts";
import type { Downloads } from "../store/downloads.ts";
import { BlobFile } from "./blob_file.ts";
import { downloadBlob } from "./download.ts";
import { type BlobName, hexOf } from "./manifest.ts";
import type { Repository } from "./repository.ts";

export interface BlobsRequest {
  readonly repositories: readonly Repository[];
  readonly downloads: Downloads;
  /** Fetch them even if they are there. */
  readonly always: boolean;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Connections of their own; large blobs use some more each (blob_stream.ts). */
const PARALLEL = 3;

/** How messages name blob NUMBER (from 1) of COUNT layers. */
export function labelLayer(number: number, count: number, { digest }: BlobName): string {
  return `layer ${number}/${count}: ${hexOf(digest).slice(0, 7)}: `;
}

export function layerFileName({ digest }: Pick<BlobName, "digest">): string {
  return `${hexOf(digest)}.tar.gz`;
}

/** The configuration, all of it. */
export async function fetchConfig(config: BlobName, request: BlobsRequest): Promise<Uint8Array> {
  const { downloads, log, always } = request;
  const name = `${hexOf(config.digest)}.json`;
  const isThere = !always && downloads.has(name, config.size);
  log.info(`config: ${isThere ? "using existing file" : "downloading..."}`);
  checkSize(config);
  if (!isThere) {
    const file = new BlobFile();
    let size = 0;
    const stop = new AbortController();
    const onProgress = (bytes: number) => {
      size += bytes;
      if (size > MAX_DOCUMENT) stop.abort(tooLarge({ ...config, size }));
    };
    const signal = AbortSignal.any([request.signal, stop.signal]);
    await downloadBlob(config, file, { ...request, name, onProgress, signal });
    await file.whole;
  }
  return downloads.read(name);
}

function checkSize(blob: BlobName): void {
  if ((blob.size ?? 0) > MAX_DOCUMENT) throw tooLarge(blob);
}

function tooLarge({ digest, size }: BlobName): ChError {
  return new ChError(`too large: ${digest}: ${size} bytes of metadata`);
}

/**
 * Starts fetching LAYERS, each once, in their order; returns a file for each. What goes wrong is told by
 * the files. ON_END runs when nothing is going on any more.
 */
export function fetchLayers(
  layers: readonly BlobName[],
  request: BlobsRequest,
): { readonly files: readonly BlobFile[]; readonly ended: Promise<void> } {
  const { downloads, log, always } = request;
  const files = new Map(layers.map((layer) => [layer.digest, new BlobFile()]));
  const missing: BlobName[] = [];
  const seen = new Set<string>();
  for (const [index, layer] of layers.entries()) {
    const isFirst = !seen.has(layer.digest);
    seen.add(layer.digest);
    const isThere = !always && downloads.has(layerFileName(layer), layer.size);
    const what = isThere || !isFirst ? "using existing file" : "downloading...";
    log.info(`${labelLayer(index + 1, layers.length, layer)}${what}`);
    if (isThere) files.get(layer.digest)!.complete(downloads.pathOf(layerFileName(layer)));
    else if (isFirst) missing.push(layer);
  }
  return {
    files: layers.map(({ digest }) => files.get(digest)!),
    ended: fetchAll(missing, files, request),
  };
}

async function fetchAll(
  layers: readonly BlobName[],
  files: ReadonlyMap<string, BlobFile>,
  request: BlobsRequest,
): Promise<void> {
  if (layers.length === 0) return;
  const sizes = layers.map(({ size }) => size);
  const total = sizes.includes(undefined)
    ? undefined
    : sizes.reduce<number>((sum, size) => sum + size!, 0);
  using meter = request.log.progress("downloading layers", total);
  let done = 0;
  const onProgress = (bytes: number) => meter.update(done += bytes);
  const waiting = [...layers];
  const work = async () => {
    for (let layer = waiting.shift(); layer !== undefined; layer = waiting.shift()) {
      const name = layerFileName(layer);
      await downloadBlob(layer, files.get(layer.digest)!, { ...request, name, onProgress });
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
}
