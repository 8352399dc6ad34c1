// What a pulled image keeps of where it came from, in its directory ch: so that pushing it, or an image
// built on it, can leave the layers as they are.

import { findEntry } from "../../ffi/tree.ts";
import { putFile, removeTree } from "../../ffi/tree_change.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import type { Metadata } from "../store/metadata.ts";
import { writeMetadata } from "../store/metadata_files.ts";
import type { FetchedManifest } from "./fetch_manifest.ts";

/** The registry's configuration, byte for byte. */
export const PULLED_CONFIG = "ch/config.pulled.json";
/** Its manifest, likewise. */
export const PULLED_MANIFEST = "ch/manifest.pulled.json";
/** Key in the metadata: from where, in canonical form. */
export const PULLED_FROM = "pulled_from";

interface Config {
  readonly bytes: Uint8Array | undefined;
  readonly metadata: Metadata;
}

/** MANIFEST is undefined if the image has not all that it tells of. */
export function writePulledFiles(
  rootFd: number,
  { bytes, metadata }: Config,
  manifest: FetchedManifest | undefined,
  { text: source }: { readonly text: string },
  log: Log,
): void {
  const now = { mtime: Math.floor(Date.now() / 1000), mtimeNsec: 0 };
  try {
    if (findEntry(rootFd, "ch")?.type !== "directory") throw new ChError("ch: not a directory");
    // An image may have been pushed by ch-image: what its layers say was true there.
    for (const path of [PULLED_CONFIG, PULLED_MANIFEST]) removeTree(rootFd, path);
    if (bytes !== undefined) putFile(rootFd, PULLED_CONFIG, bytes, 0o644, now);
    if (manifest !== undefined && bytes !== undefined) {
      putFile(rootFd, PULLED_MANIFEST, manifest.bytes, 0o644, now);
    }
    const isKnown = manifest !== undefined && bytes !== undefined;
    writeMetadata(rootFd, isKnown ? { ...metadata, [PULLED_FROM]: source } : metadata, log);
  } catch (error) {
    throw new ChError("can’t write metadata of image", { cause: error });
  }
}
