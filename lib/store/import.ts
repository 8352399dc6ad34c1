// Importing: a directory, an archive or any other source of entries becomes an image in storage (spec
// ch-image §13).

import { displayOsString } from "../../ffi/os_string.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { openRoot } from "../../ffi/tree.ts";
import type { Cache } from "../cache/cache.ts";
import { commitImage } from "../cache/commit_image.ts";
import { ChError } from "../error.ts";
import { copyEntries, type Source } from "../layer/entry.ts";
import { TreeWriter } from "../layer/tree_writer.ts";
import type { Log } from "../log/log.ts";
import type { ImageReference } from "../reference/reference.ts";
import { copyDirectory } from "./copy_directory.ts";
import { extractArchive } from "./extract_archive.ts";
import { initializeImage } from "./initialize_image.ts";
import { readMetadata, writeMetadata } from "./metadata_files.ts";
import type { Store } from "./store.ts";

export interface ImportOptions {
  readonly log: Log;
  /** The build cache of the storage; without one, or if it is disabled, the image does not get there. */
  readonly cache?: Cache | undefined;
  /** What the image is for, if that is known better than the image knows. */
  readonly arch?: string | undefined;
  /** When aborted, the import stops, leaves nothing, and throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

const HISTORY_ENTRY = { command: "ch-image import", empty_layer: false };

/** Imports PATH (an OsString), a directory or a tar archive, compressed or not. */
export async function importImage(
  store: Store,
  path: string,
  reference: ImageReference,
  options: ImportOptions,
): Promise<void> {
  const isDirectory = checkDirectory(path);
  if (isDirectory && containsStore(path, store.path)) {
    throw new ChError(`can’t copy: contains the storage directory: ${displayOsString(path)}`);
  }
  const fill = isDirectory ? copyDirectory : extractArchive;
  await makeImage(store, reference, displayOsString(path), options, async (rootFd) => {
    await fill(path, rootFd, options);
  });
}

/** Imports ENTRIES as they are. ORIGIN is for messages. */
export async function importEntries(
  store: Store,
  entries: Source,
  origin: string,
  reference: ImageReference,
  options: ImportOptions,
): Promise<void> {
  await makeImage(store, reference, origin, options, async (rootFd) => {
    using writer = new TreeWriter(rootFd);
    await copyEntries(stopWhenAborted(entries, options.signal), writer);
    const { devices, sockets } = writer.skipped;
    if (devices > 0) options.log.warning(`ignored ${devices} devices and/or FIFOs`);
    if (sockets > 0) options.log.warning(`ignored ${sockets} sockets`);
  });
}

async function makeImage(
  store: Store,
  reference: ImageReference,
  origin: string,
  { log, cache, arch, signal }: ImportOptions,
  fill: (rootFd: number) => Promise<void>,
): Promise<void> {
  log.info(`importing:    ${origin}`);
  log.info(`destination:  ${reference.text}`);
  using image = store.newImage(reference);
  await fill(image.rootFd);
  initializeImage(image.rootFd);
  const metadata = readMetadata(image.rootFd, image.rootPath, log);
  const history = metadata.history.length > 0 ? metadata.history : [HISTORY_ENTRY];
  writeMetadata(image.rootFd, { ...metadata, history, arch: arch ?? metadata.arch }, log);
  signal?.throwIfAborted();
  await commitImage(cache, image, { label: `IMPORT ${reference.text}`, key: "content" });
  log.info("done");
}

function checkDirectory(path: string): boolean {
  try {
    using _root = openRoot(path);
    return true;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (error.code === "ENOTDIR") return false;
    const name = displayOsString(path);
    if (error.code === "ENOENT") throw new ChError(`can’t copy: not found: ${name}`);
    throw new ChError(`can’t copy: ${name}`, { cause: error });
  }
}

/** The copy would find itself, without end. */
function containsStore(path: string, storePath: string): boolean {
  const store = Deno.realPathSync(storePath);
  try {
    const directory = Deno.realPathSync(path);
    return directory === "/" || store === directory || store.startsWith(`${directory}/`);
  } catch {
    // No text, but then not above the storage directory, whose path is text.
    return false;
  }
}

async function* stopWhenAborted(source: Source, signal: AbortSignal | undefined): Source {
  for await (const entry of source) {
    signal?.throwIfAborted();
    yield entry;
  }
}
