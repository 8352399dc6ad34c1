// An image from one place to another, layers and configuration as they are. What may change is how the
// layers are compressed, which no digest in the configuration depends on.

import { ChError } from "../error.ts";
import { decompress } from "../layer/codec.ts";
import { compress } from "../layer/compress.ts";
import { type BlobSink, type BlobSource, writeBytes } from "./blobs.ts";
import { digestChunks, Digester } from "./digest.ts";
import { DOCKER, OCI } from "./media_type.ts";
import { type Descriptor, encodeDocument, type Manifest } from "./model.ts";
import { type ImageStyle, type LayerOptions, layerType, type PackedImage } from "./pack.ts";
import type { Image } from "./unpack.ts";

export interface CopyOptions {
  readonly style: ImageStyle;
  /** Undefined: as they are, where the style has that. */
  readonly compressor: LayerOptions["compressor"] | undefined;
  readonly level?: number | undefined;
  /** Told of each layer before it is copied. */
  readonly onLayer?: (layer: Descriptor, at: number) => void;
}

/** Writes all of IMAGE, whose blobs SOURCE has, into SINK. Throws a ChError if it is damaged. */
export async function copyImage(
  source: BlobSource,
  image: Image,
  sink: BlobSink,
  options: CopyOptions,
): Promise<PackedImage> {
  const { style } = options;
  const types = style === "oci" ? OCI : DOCKER;
  const layers: Descriptor[] = [];
  for (const [at, layer] of image.manifest.layers.entries()) {
    options.onLayer?.(layer, at);
    const diffId = image.config.rootfs.diff_ids[at]!;
    layers.push(await copyLayer(source, layer, diffId, sink, options));
  }
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: types.manifest,
    config: await writeBytes(sink, types.config, image.configBytes),
    layers,
  };
  return { blob: await writeBytes(sink, types.manifest, encodeDocument(manifest)), manifest };
}

async function copyLayer(
  source: BlobSource,
  layer: Descriptor,
  diffId: string,
  sink: BlobSink,
  { style, compressor, level }: CopyOptions,
): Promise<Descriptor> {
  const present = compressorOf(layer.mediaType);
  const wanted = compressor ?? (present === "zstd" && style === "docker" ? "gzip" : present);
  const mediaType = layerType(style, wanted);
  if (wanted === present && level === undefined) {
    const same = { mediaType, digest: layer.digest, size: layer.size };
    return await sink.has(same) ? same : await sink.write(mediaType, source.read(layer));
  }
  const digester = new Digester();
  const archive = digestChunks(decompress(source.read(layer), layer.digest), digester);
  const blob = await sink.write(mediaType, compress(archive, wanted, level));
  const actual = digester.end();
  if (actual === diffId) return blob;
  throw new ChError(
    `wrong content: ${layer.digest}: its archive’s digest is ${actual}, not ${diffId}`,
  );
}

function compressorOf(mediaType: string): LayerOptions["compressor"] {
  if (/[+.]gzip$/.test(mediaType)) return "gzip";
  return /[+.]zstd$/.test(mediaType) ? "zstd" : "none";
}
