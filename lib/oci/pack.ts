// From a tree to an image: a layer, a configuration and a manifest, all of them blobs. The same tree,
// configuration and settings give the same bytes.

import { compress, type Compressor } from "../layer/compress.ts";
import type { Source } from "../layer/entry.ts";
import { streamTar, type TarStreamOptions } from "../layer/tar_stream.ts";
import { type BlobSink, writeBytes } from "./blobs.ts";
import { digestChunks, Digester } from "./digest.ts";
import { DOCKER, OCI } from "./media_type.ts";
import type { Descriptor, HistoryEntry, ImageConfig, ImageDetails, Manifest } from "./model.ts";
import { encodeDocument } from "./model.ts";

/** Whose names the documents bear; but for those they are the same. */
export type ImageStyle = "oci" | "docker";

export interface LayerOptions {
  readonly style: ImageStyle;
  /** Docker has none with zstd. */
  readonly compressor: Exclude<Compressor, "bzip2" | "xz">;
  /** The usual one if not given. */
  readonly level?: number | undefined;
  /** Whom the files belong to; by default root. */
  readonly owner?: TarStreamOptions["owner"];
  readonly findNames?: TarStreamOptions["findNames"];
  readonly onSkippedSockets?: TarStreamOptions["onSkippedSockets"];
}

export interface PackedLayer {
  readonly blob: Descriptor;
  /** Digest of the archive before it was compressed. */
  readonly diffId: string;
}

/** An image's documents and where they are. */
export interface PackedImage {
  /** The manifest's. */
  readonly blob: Descriptor;
  readonly manifest: Manifest;
}

/** Writes all of SOURCE as one layer. Attributes of entries are written as they come. */
export async function packLayer(
  source: Source,
  sink: BlobSink,
  options: LayerOptions,
): Promise<PackedLayer> {
  const { style, compressor, level, owner = "root", findNames, onSkippedSockets } = options;
  const digester = new Digester();
  const archive = streamTar(source, {
    format: "pax",
    owner,
    ...findNames && { findNames },
    ...onSkippedSockets && { onSkippedSockets },
  });
  const chunks = compress(digestChunks(archive, digester), compressor, level);
  const blob = await sink.write(layerType(style, compressor), chunks);
  return { blob, diffId: digester.end() };
}

/** Writes configuration and manifest for LAYERS, which SINK has. Of CONFIG's history as many entries as
 * there are layers, the last ones, are said to have made one. */
export async function packImage(
  layers: readonly PackedLayer[],
  config: ImageDetails,
  sink: BlobSink,
  style: ImageStyle,
): Promise<PackedImage> {
  const types = style === "oci" ? OCI : DOCKER;
  const complete: ImageConfig = {
    ...config,
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
    history: fitHistory(config.history ?? [], layers.length),
  };
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: await writeBytes(sink, types.config, encodeDocument(complete)),
    layers: layers.map(({ blob }) => blob),
  };
  return { blob: await writeBytes(sink, types.manifest, encodeDocument(manifest)), manifest };
}

export function layerType(style: ImageStyle, compressor: LayerOptions["compressor"]): string {
  switch (compressor) {
    case "gzip":
      return style === "oci" ? OCI.layerGzip : DOCKER.layerGzip;
    case "none":
      return style === "oci" ? OCI.layer : DOCKER.layer;
    case "zstd":
      if (style === "oci") return OCI.layerZstd;
      throw new TypeError("Docker's images have no layers with zstd");
    default:
      return compressor satisfies never;
  }
}

/** HISTORY with exactly COUNT entries that made a layer, which readers insist on: the last that did. */
export function fitHistory(history: readonly HistoryEntry[], count: number): HistoryEntry[] {
  const fitted: HistoryEntry[] = [];
  let left = count;
  for (const { empty_layer: isEmpty, ...entry } of history.toReversed()) {
    const makesLayer = isEmpty !== true && left > 0;
    if (makesLayer) left--;
    fitted.unshift(makesLayer ? entry : { ...entry, empty_layer: true });
  }
  return [...Array.from({ length: left }, () => ({ created_by: "ch-convert" })), ...fitted];
}
