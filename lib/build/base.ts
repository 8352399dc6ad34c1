// What a stage begins with: the tree and the metadata of its base image.

import { openRoot } from "../../ffi/tree.ts";
import { copyTree, linkTree } from "../../ffi/tree_whole.ts";
import { ChError } from "../error.ts";
import type { ImageReference } from "../reference/reference.ts";
import { initializeImage } from "../store/initialize_image.ts";
import { defaultMetadata, type Metadata } from "../store/metadata.ts";
import { readMetadata, writeMetadata } from "../store/metadata_files.ts";
import type { ImageTransaction } from "../store/transaction.ts";
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
}

/** Gets the base from its registry if it is not in storage. Throws a ChError if there is no such image. */
export async function readBaseMetadata(base: BaseChoice, build: Build): Promise<Metadata> {
  const { options: { dryRun }, finished, tools: { store, log, pull } } = build;
  const known = base.stage === undefined ? undefined : finished.get(base.stage);
  if (known !== undefined) return known;
  if (!store.hasImage(base.reference)) {
    if (base.reference.text === SCRATCH) {
      if (!dryRun) makeScratch(base.reference, build);
      return defaultMetadata();
    }
    if (dryRun || pull === undefined) {
      throw new ChError(`image not in storage: ${base.reference.text}`, {
        hint: "get it with “ch-image pull”",
      });
    }
    await pull(base.reference);
  }
  const path = store.imagePath(base.reference);
  using root = openRoot(path);
  return readMetadata(root.fd, path, log);
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
