// What a stage begins with: the state, or without a build cache the tree, of its base image.

import { openRoot } from "../../ffi/tree.ts";
import { copyTree, linkTree } from "../../ffi/tree_whole.ts";
import { BUILT_IN, BUILT_IN_ORIGIN, fillBuiltIn } from "../cache/built_in.ts";
import type { State } from "../cache/state_store.ts";
import { ChError } from "../error.ts";
import { type ImageReference, mangleReference } from "../reference/reference.ts";
import { initializeImage } from "../store/initialize_image.ts";
import { placeOf } from "../store/lock.ts";
import { defaultMetadata, type Metadata } from "../store/metadata.ts";
import { readMetadata } from "../store/metadata_files.ts";
import type { ImageTransaction } from "../store/transaction.ts";
import { readPulledSettings } from "../store/pulled_settings.ts";
import type { Store } from "../store/store.ts";
import type { Platform } from "./platform.ts";
import type { Build } from "./request.ts";

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

/** What is known of a base image, or a finished stage. */
export interface Base {
  readonly metadata: Metadata;
  /** Undefined if it is not in the build cache, be it that there is none. */
  readonly state: State | undefined;
}

/** The base if it is known already: nothing has to be looked at or fetched, FROM is a hit. */
export function findKnownBase(base: BaseChoice, { finished, tools }: Build): Base | undefined {
  if (base.stage !== undefined) return finished.get(base.stage);
  const state = tools.cache.findNamed(base.reference);
  return state && check(base, { metadata: state.metadata, state }, tools.store);
}

/** A base that is not known yet. Throws a ChError if there is no such image. */
export async function obtainBase(base: BaseChoice, build: Build): Promise<Base> {
  const { options: { dryRun }, tools: { cache, store, log } } = build;
  const isCached = cache.mode !== "disabled" && !dryRun;
  const isBuiltIn = !store.hasImage(base.reference) && base.reference.text === BUILT_IN;
  if (isBuiltIn) {
    if (dryRun) return { metadata: defaultMetadata(), state: undefined };
    using image = store.newImage(base.reference);
    fillBuiltIn(image.rootFd, log);
    image.commit();
  } else {
    const wasThere = store.hasImage(base.reference);
    await requireImage(base.reference, build, base.platform);
    if (isCached && wasThere) log.warning("base image only exists non-cached; adding to cache");
  }
  if (isCached) {
    const state = cache.findNamed(base.reference) ??
      await cache.adopt(base.reference, isBuiltIn ? BUILT_IN_ORIGIN : undefined);
    return check(base, { metadata: state.metadata, state }, store);
  }
  const path = store.imagePath(base.reference);
  using root = openRoot(path);
  return check(base, { metadata: readMetadata(root.fd, path, log), state: undefined }, store);
}

/**
 * Path of an image, which is brought into storage if it is not there: from the build cache, else from its
 * registry. Throws a ChError if that cannot be.
 */
export async function requireImage(
  reference: ImageReference,
  { options: { dryRun }, tools: { cache, pull, store } }: Build,
  platform: Platform | undefined,
): Promise<string> {
  if (store.hasImage(reference)) return store.imagePath(reference);
  const state = dryRun ? undefined : cache.findNamed(reference);
  if (state !== undefined) {
    await cache.finish(reference, state, undefined);
  } else if (pull !== undefined && !dryRun) {
    await pull(reference, platform);
  } else {
    throw new ChError(`image not in storage: ${reference.text}`, {
      hint: "get it with “ch-image pull”",
    });
  }
  return store.imagePath(reference);
}

/**
 * KNOWN, with what only the registry said of it. Throws a ChError if it is for another platform; variants
 * are left aside, as images often do not tell theirs.
 */
function check({ platform, reference }: BaseChoice, known: Base, store: Store): Base {
  const { metadata } = known;
  if (platform !== undefined && platform.architecture.split("/")[0] !== metadata.arch) {
    const { architecture } = platform;
    throw new ChError(
      `image in storage is for another platform: ${reference.text}: ${metadata.arch}, not ${architecture}`,
      { hint: "get the image for the platform into storage, under this or another name" },
    );
  }
  if (metadata["config"] !== undefined || !store.hasImage(reference)) return known;
  const path = store.imagePath(reference);
  using root = openRoot(path);
  return { ...known, metadata: { ...metadata, ...readPulledSettings(root.fd, path) } };
}

/**
 * IMAGE becomes a copy of BASE. SHARED: its files are the base's own, and must not be written to in
 * place.
 */
export async function copyBase(
  base: BaseChoice,
  image: ImageTransaction,
  shared: boolean,
  { tools: { store, signal } }: Build,
): Promise<void> {
  const path = store.imagePath(base.reference);
  const place = placeOf("image", mangleReference(base.reference.text));
  using _reading = await store.locks.lock(place, { shared: true, signal });
  try {
    using root = openRoot(path);
    await (shared ? linkTree : copyTree)(root.fd, image.rootFd, { xattrs: true });
    initializeImage(image.rootFd);
  } catch (error) {
    throw new ChError(`can’t copy image: ${path}`, { cause: error });
  }
}
