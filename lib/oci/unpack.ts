// From a source of blobs to an image: its documents, its layers, its files.

import { ChError } from "../error.ts";
import { displayOsString } from "../../ffi/os_string.ts";
import { decompress } from "../layer/codec.ts";
import type { Source } from "../layer/entry.ts";
import { applyImageRules, type ImageRules } from "../layer/image_rules.ts";
import { readTar } from "../layer/tar_reader.ts";
import { SILENT_LOG } from "../log/silent_log.ts";
import { type BlobSource, readDocument } from "./blobs.ts";
import { mergeLayers } from "./layer_merge.ts";
import { type Descriptor, type ImageConfig, type Manifest, type Platform } from "./model.ts";
import { parseDocument, parseImageConfig, requireImage } from "./model.ts";
import { choosePlatform } from "./platform.ts";

export interface Image {
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** The configuration as it came: what its digest is of. */
  readonly configBytes: Uint8Array;
}

/** What layers may bring; names and numbers of layers are filled in. */
export type LayerRules = Omit<ImageRules, "archive" | "label">;

/** Indexes in indexes; real ones have two. */
const MAX_DEPTH = 8;

/** The image that TARGET, a manifest or an index, leads to. NAME is for messages. Throws a ChError if
 * a document is missing or wrong, or none is for PLATFORM. */
export async function readImage(
  source: BlobSource,
  target: Descriptor,
  platform: Platform,
  name: string,
): Promise<Image> {
  const { manifest } = await readManifest(source, target, platform, name);
  requireImage(manifest, name);
  const configBytes = await readDocument(source, manifest.config);
  const config = parseImageConfig(
    configBytes,
    `${displayOsString(name)}: ${manifest.config.digest}`,
  );
  const count = config.rootfs.diff_ids.length;
  if (count !== manifest.layers.length) {
    throw new ChError(
      `bad image configuration: ${displayOsString(name)}: ` +
        `${count} layers, but ${manifest.layers.length} in the manifest`,
    );
  }
  return { manifest, config, configBytes };
}

/** Everything in the image, its LAYERS put upon one another. Each layer is read twice. */
export function readFiles(
  source: BlobSource,
  layers: readonly Descriptor[],
  rules: LayerRules,
): Source {
  return mergeLayers(layers.map((layer, at) => (pass) => {
    const label = `layer ${at + 1}/${layers.length}: ${shortDigest(layer)}: `;
    // Told once is enough.
    const log = pass === "listing" ? SILENT_LOG : rules.log;
    return readLayer(source, layer, { ...rules, log, label });
  }));
}

/** One layer's entries, in their order, names and targets as an image has them; whiteouts as well. For
 * LayeredTree. */
export function readLayer(
  source: BlobSource,
  layer: Descriptor,
  rules: Omit<ImageRules, "archive">,
): Source {
  const members = readTar(decompress(source.read(layer), layer.digest), layer.digest);
  return applyImageRules(members, { ...rules, archive: layer.digest });
}

/** The first seven digits, as messages have it. */
export function shortDigest({ digest }: Pick<Descriptor, "digest">): string {
  return digest.replace(/^.*:/, "").slice(0, 7);
}

/** The manifest that TARGET leads to, and the very bytes of it. As {@linkcode readImage}. */
export async function readManifest(
  source: BlobSource,
  target: Descriptor,
  platform: Platform,
  name: string,
): Promise<{ readonly manifest: Manifest; readonly blob: Descriptor; readonly bytes: Uint8Array }> {
  let blob = target;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    const bytes = await readDocument(source, blob);
    const document = parseDocument(bytes, `${name}: ${blob.digest}`, blob.mediaType);
    if (document.kind === "manifest") return { manifest: document.manifest, blob, bytes };
    blob = choosePlatform(document.index, platform, name);
  }
  throw new ChError(`too many indexes in indexes: ${displayOsString(name)}`);
}
