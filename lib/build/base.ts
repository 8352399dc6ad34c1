// What a stage begins with: the tree and the metadata of its base image.

import { openRoot } from "../../ffi/tree.ts";
import { copyTree, linkTree } from "../../ffi/tree_whole.ts";
import { ChError } from "../error.ts";
import type { ImageReference } from "../reference/reference.ts";
import { initializeImage } from "../store/initialize_image.ts";
import { defaultMetadata, type Metadata } from "../store/metadata.ts";
import { readMetadata, writeMetadata } from "../store/metadata_files.ts";
import type { ImageTransaction } from "../store/transaction.ts";
import type { Platform } from "./platform.ts";
import { readPulledSettings } from "../store/pulled_settings.ts";
import type { Build } from "./request.ts";

/** The image that is built in, an empty one. */
const SCRATCH = "scratch";

/** What FROM names. */
export interface BaseChoice {
  /** As announced. */
  readonly name: string;
  /** Number of the earlier stage it is, if it is one. */
  readonly stage: number | undefined;
  readonly reference: ImageReference;
  /** `FROM --platform` */
  readonly platform: Platform | undefined;
}

/** Metadata of what a stage begins with. Throws a ChError if there is no such image. */
export async function readBaseMetadata(base: BaseChoice, build: Build): Promise<Metadata> {
  const { options: { dryRun }, finished, tools: { store, log } } = build;
  const known = base.stage === undefined ? undefined : finished.get(base.stage);
  if (known !== undefined) return known;
  if (base.reference.text === SCRATCH && !store.hasImage(base.reference)) {
    if (!dryRun) makeScratch(base.reference, build);
    return defaultMetadata();
  }
  const path = await requireImage(base.reference, build, base.platform);
  using root = openRoot(path);
  const metadata = readMetadata(root.fd, path, log);
  checkPlatform(base, metadata);
  return metadata["config"] === undefined
    ? { ...metadata, ...readPulledSettings(root.fd, path) }
    : metadata;
}

/** Path of an image that is in storage. Throws a ChError if it is not. */
export function requireImage(
  reference: ImageReference,
  { tools: { store } }: Build,
  _platform: Platform | undefined,
): Promise<string> {
  if (store.hasImage(reference)) return Promise.resolve(store.imagePath(reference));
  return Promise.reject(
    new ChError(`image not in storage: ${reference.text}`, {
      hint: "this version cannot pull; get the image into storage with “ch-image import”",
    }),
  );
}

/** Variants are left aside, as images often do not tell theirs. */
function checkPlatform({ platform, reference }: BaseChoice, { arch }: Metadata): void {
  if (platform === undefined || platform.architecture.split("/")[0] === arch) return;
  throw new ChError(
    `image in storage is for another platform: ${reference.text}: ${arch}, not ${platform.architecture}`,
    { hint: "get the image for the platform into storage, under this or another name" },
  );
}

/**
 * IMAGE becomes a copy of BASE. SHARED: its files are the base's own, and must not be written to in
 * place.
 */
export async function copyBase(
  base: BaseChoice,
  image: ImageTransaction,
  shared: boolean,
  { tools: { store } }: Build,
): Promise<void> {
  const path = store.imagePath(base.reference);
  try {
    using root = openRoot(path);
    await (shared ? linkTree : copyTree)(root.fd, image.rootFd, { xattrs: true });
    initializeImage(image.rootFd);
  } catch (error) {
    throw new ChError(`can’t copy image: ${path}`, { cause: error });
  }
}

function makeScratch(reference: ImageReference, { tools: { store, log } }: Build): void {
  using image = store.newImage(reference);
  initializeImage(image.rootFd);
  writeMetadata(image.rootFd, defaultMetadata(), log);
  image.commit();
}
