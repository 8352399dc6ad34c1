// What an image in storage tells of the image that was pulled, be it itself or what it was built on.

import { readWhole } from "../../ffi/descriptor.ts";
import { findEntry, openFile } from "../../ffi/tree.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { digestBytes } from "../oci/digest.ts";
import {
  type ImageConfig,
  type Manifest,
  MAX_DOCUMENT,
  parseDocument,
  parseImageConfig,
} from "../oci/model.ts";
import { PULLED_CONFIG, PULLED_MANIFEST } from "./pulled_files.ts";

export interface PulledBase {
  readonly manifest: Manifest;
  /** As the registry had it. */
  readonly manifestBytes: Uint8Array;
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
}

/** Undefined if the image was not pulled, or what it tells does not hold together. */
export async function findPulledBase(rootFd: number, log: Log): Promise<PulledBase | undefined> {
  const manifestBytes = findFile(rootFd, PULLED_MANIFEST);
  const configBytes = findFile(rootFd, PULLED_CONFIG);
  if (manifestBytes === undefined || configBytes === undefined) return undefined;
  try {
    const document = parseDocument(manifestBytes, PULLED_MANIFEST);
    if (document.kind !== "manifest") throw new ChError(`not a manifest: ${PULLED_MANIFEST}`);
    const { manifest } = document;
    const config = parseImageConfig(configBytes, PULLED_CONFIG);
    if (await digestBytes(configBytes) !== manifest.config.digest) {
      throw new ChError(`not the configuration of its manifest: ${PULLED_CONFIG}`);
    }
    if (config.rootfs.diff_ids.length !== manifest.layers.length) {
      throw new ChError(`not as many layers as in its manifest: ${PULLED_CONFIG}`);
    }
    return { manifest, manifestBytes, config, configBytes };
  } catch (error) {
    if (!(error instanceof ChError)) throw error;
    log.verbose(`layers of base image not known: ${error.message}`);
    return undefined;
  }
}

function findFile(rootFd: number, path: string): Uint8Array | undefined {
  const found = findEntry(rootFd, path);
  if (found?.type !== "file" || found.size > MAX_DOCUMENT) return undefined;
  using file = openFile(rootFd, path);
  return readWhole(file.fd, found.size);
}
