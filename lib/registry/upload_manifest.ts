// The last step of a push: the tag comes to mean what was pushed, alone or beside the images of other
// platforms.

import { ChError } from "../error.ts";
import { digestBytes } from "../oci/digest.ts";
import { parseImageConfig } from "../oci/model.ts";
import { platformOf } from "../oci/open_index.ts";
import { extendIndex, isInIndex } from "./push_index.ts";
import type { PushPlan } from "./push_plan.ts";
import type { Repository } from "./repository.ts";

type Plan = Pick<PushPlan, "manifest" | "manifestBytes" | "configBytes">;

/** How often an index is written that others write over. */
const ATTEMPTS = 5;
/** Milliseconds that anybody may take from reading an index to writing it. */
const SETTLE = 500;

/** TAG means the image alone. Throws a ChError. */
export async function uploadManifest(
  repository: Repository,
  { manifest: { mediaType }, manifestBytes: bytes }: Plan,
  tag: string,
): Promise<void> {
  await put(repository, { mediaType, bytes }, tag);
}

/** TAG means an index that has the image beside those of other platforms. Throws a ChError. */
export async function uploadIndex(
  repository: Repository,
  { manifest: { mediaType }, manifestBytes: bytes, configBytes }: Plan,
  tag: string,
): Promise<void> {
  const { log, signal } = repository;
  const digest = await digestBytes(bytes);
  await put(repository, { mediaType, bytes }, digest);
  const platform = platformOf(parseImageConfig(configBytes, "configuration"));
  const image = { mediaType, digest, size: bytes.length, platform };
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const index = await extendIndex(repository, tag, image, log);
    log.info("index: uploading");
    await put(repository, index, tag);
    // Registries keep what comes last. Who had read the index before we wrote it has no image of ours in
    // his, which there is no way to prevent; but a way to notice.
    await new Promise((done) => setTimeout(done, SETTLE));
    signal?.throwIfAborted();
    if (await isInIndex(repository, tag, image, index.replaced)) return;
    log.info("index: somebody has written over it, adding the image again");
  }
  throw new ChError(`index: somebody keeps writing over it: ${tag}`);
}

interface Document {
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** NAME is a tag or its digest. */
async function put(
  repository: Repository,
  { mediaType, bytes }: Document,
  name: string,
): Promise<void> {
  const response = await repository.request("PUT", `manifests/${name}`, {
    headers: { "Content-Type": mediaType },
    body: bytes,
    expected: [200, 201, 202],
  });
  await response.body?.cancel();
  const digest = await digestBytes(bytes);
  const theirs = response.headers.get("Docker-Content-Digest");
  if (theirs !== null && theirs !== digest) {
    throw new ChError(`registry stored another manifest than was sent: ${theirs}, not ${digest}`);
  }
  repository.log.verbose(`manifest digest: ${digest}`);
}
