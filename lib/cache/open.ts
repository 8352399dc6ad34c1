// Opening the build cache of a storage directory; the first time, it is made.

import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { CACHE } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import { Cache, type CacheOptions } from "./cache.ts";
import { CACHE_DIRECTORIES, CACHE_FORMAT, FORMAT_FILE } from "./layout.ts";

/** Throws a ChError if what is there is no build cache, or one of a newer format. */
export function openCache(store: Store, options: CacheOptions): Cache {
  if (options.mode !== "disabled") initializeCache(store, options.log);
  return new Cache(store, options);
}

/** Makes what is missing. True if the cache was empty. */
export function initializeCache(store: Store, log: Log): boolean {
  const format = readFormat(store);
  if (format === CACHE_FORMAT) return false;
  if (format !== undefined) {
    throw new ChError(`storage broken: unknown format of build cache: ${format}`, {
      hint: "a newer ch-image made it; you can delete and re-initialize with “ch-image reset”",
    });
  }
  const known = CACHE_DIRECTORIES.map((path) => path.slice(CACHE.length + 1));
  const names = [...Deno.readDirSync(`${store.path}/${CACHE}`)].map(({ name }) => name);
  if (names.some((name) => !known.includes(name))) {
    // Without locks, another command may be making it at this moment.
    if (readFormat(store) !== undefined) return initializeCache(store, log);
    throw new ChError(`storage broken: not a build cache: ${store.path}/${CACHE}`, {
      hint: "you can delete and re-initialize with “ch-image reset”",
    });
  }
  log.info("initializing empty build cache");
  for (const path of CACHE_DIRECTORIES) {
    Deno.mkdirSync(`${store.path}/${path}`, { recursive: true });
  }
  Deno.writeTextFileSync(`${store.path}/${FORMAT_FILE}`, `${CACHE_FORMAT}\n`);
  return true;
}

function readFormat({ path }: Store): number | undefined {
  try {
    const text = Deno.readTextFileSync(`${path}/${FORMAT_FILE}`).trim();
    // Empty: a crash of the machine took what was in it, and the cache is new.
    return text === "" ? CACHE_FORMAT : Number(text);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
