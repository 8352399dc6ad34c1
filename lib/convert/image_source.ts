// The input of a conversion as a source of entries, whatever its format.

import { openRoot } from "../../ffi/tree.ts";
import { displayOsString } from "../../ffi/os_string.ts";
import { ChError } from "../error.ts";
import { decompress, openFileChunks } from "../layer/codec.ts";
import { surveyMembers } from "../layer/enclosing_directory.ts";
import type { Source } from "../layer/entry.ts";
import { applyImageRules, CONVERT_RULES } from "../layer/image_rules.ts";
import { readTar } from "../layer/tar_reader.ts";
import { readTree } from "../layer/tree_reader.ts";
import { isPortableXattr } from "../layer/xattr.ts";
import { readSquashfs } from "../squashfs/reader.ts";
import { readFiles } from "../oci/unpack.ts";
import { IMAGES } from "../store/layout.ts";
import { Owners, OWNERS_FILE, withOwners } from "../store/owners.ts";
import { findFileType } from "./file_type.ts";
import { isLayered, type LayeredFormat } from "./format.ts";
import { refuseLayeredArchive } from "./layered_archive.ts";
import { checkLayeredInput, openLayeredInput } from "./layered_input.ts";
import { withConfiguration } from "./metadata_entries.ts";
import * as meters from "./meter.ts";
import type { ConvertSettings, Endpoint } from "./request.ts";

/** Upstream's build cache keeps its own files there; they never leave storage. */
export const BOOKKEEPING: ReadonlySet<string> = new Set(["ch/git", "ch/git.pickle"]);

/** Throws a ChError if there is no such input; nothing is read yet. */
export async function checkInput(input: Endpoint, settings: ConvertSettings): Promise<void> {
  const { format, descriptor } = input;
  if (isLayered(format)) return await checkLayeredInput({ format, descriptor }, settings);
  switch (format) {
    case "ch-image":
      if (isDirectory(storagePath(descriptor, settings))) return;
      throw new ChError(
        `source image not found in ch-image storage: ${displayOsString(descriptor)}`,
      );
    case "dir":
      if (isDirectory(descriptor)) return;
      throw new ChError(`not a directory: ${displayOsString(descriptor)}`);
    case "tar":
    case "squash":
      if (findFileType(descriptor, "follow") !== undefined) return;
      throw new ChError(`not found: ${displayOsString(descriptor)}`);
    default:
      format satisfies never;
  }
}

/** All that goes into the output. Attributes are there only if wanted. PHASE is what to say when entries
 * begin to flow. */
export async function* readInput(
  input: Endpoint,
  settings: ConvertSettings,
  phase: string | undefined,
): Source {
  for await (const entry of openSource(input, settings, phase)) {
    if (isBookkeeping(entry.path)) continue;
    if (entry.xattrs === undefined) {
      yield entry;
      continue;
    }
    const kept = settings.xattrs ? [...entry.xattrs].filter(([name]) => isPortableXattr(name)) : [];
    yield { ...entry, xattrs: new Map(kept) };
  }
}

/** Path of the input if it is a directory of files; undefined: it is something else. */
export function directoryOf(
  { format, descriptor }: Endpoint,
  settings: ConvertSettings,
): string | undefined {
  if (format === "ch-image") return storagePath(descriptor, settings);
  return format === "dir" ? descriptor : undefined;
}

/** Path of the directory that the storage keeps the image in: the reference as it is, only without "/"
 * and ":" (spec ch-convert §6.1). */
export function storagePath(reference: string, settings: ConvertSettings): string {
  const name = reference.replaceAll("/", "%").replaceAll(":", "+");
  return `${settings.findStorage()}/${IMAGES}/${name}`;
}

function openSource(
  { format, descriptor }: Endpoint,
  settings: ConvertSettings,
  phase: string | undefined,
): Source {
  if (isLayered(format)) return readLayered(format, descriptor, settings, phase);
  if (format === "tar") return readArchive(descriptor, settings, phase);
  if (phase !== undefined) settings.log.info(phase);
  return metered(openFiles(format, descriptor, settings), phase ?? "unpacking", settings);
}

function openFiles(
  format: "ch-image" | "dir" | "squash",
  descriptor: string,
  settings: ConvertSettings,
): Source {
  switch (format) {
    case "ch-image":
      return readDirectory(storagePath(descriptor, settings), settings);
    case "dir":
      return readDirectory(descriptor, settings);
    case "squash":
      return readImageFile(descriptor, settings);
    default:
      return format satisfies never;
  }
}

async function* metered(source: Source, message: string, { log }: ConvertSettings): Source {
  using meter = new meters.ByteMeter(log, message, undefined);
  yield* meters.meterFiles(source, meter);
}

async function* readLayered(
  format: LayeredFormat,
  descriptor: string,
  settings: ConvertSettings,
  phase: string | undefined,
): Source {
  const { blobs, image } = await openLayeredInput({ format, descriptor }, settings);
  const { log, isPrivileged } = settings;
  if (phase !== undefined) log.info(phase);
  const { layers } = image.manifest;
  // Each is read twice.
  using meter = new meters.ByteMeter(log, phase ?? "reading layers", 2 * meters.sumSizes(layers));
  const files = readFiles(meters.meterBlobs(blobs, layers, meter), layers, {
    ...CONVERT_RULES,
    log,
    devices: isPrivileged ? "keep" : "drop",
  });
  yield* withConfiguration(files, image, log);
}

async function* readDirectory(path: string, { xattrs }: ConvertSettings): Source {
  using root = openRoot(path);
  const files = readTree(root.fd, { name: path, xattrs, exclude: isBookkeeping });
  yield* withOwners(files, Owners.read(root.fd));
}

async function* readImageFile(path: string, { xattrs }: ConvertSettings): Source {
  const owners = await findOwners(path);
  using image = readSquashfs(path, { xattrs, exclude: isBookkeeping });
  yield* withOwners(image, owners);
}

/** Known before the first entry that they are about. */
async function findOwners(path: string): Promise<Owners> {
  const exclude = (path: string) => path !== "ch" && path !== OWNERS_FILE;
  using image = readSquashfs(path, { exclude });
  for await (const entry of image) {
    if (entry.path === OWNERS_FILE && entry.type === "file") return await Owners.readFrom(entry);
  }
  return Owners.parse("");
}

async function* readArchive(
  path: string,
  { log, isPrivileged }: ConvertSettings,
  phase: string | undefined,
): Source {
  const size = meters.findFileSize(path);
  const open = (meter: meters.ByteMeter) => {
    const chunks = meters.meterChunks(openFileChunks(path), meter);
    return refuseLayeredArchive(readTar(decompress(chunks, path), path), path);
  };
  const { enclosing } = await survey();
  log.verbose(`tarbomb: ${enclosing === undefined ? "yes" : "no"}`);
  log.verbose("exclude patterns: dev/*");
  if (phase !== undefined) log.info(phase);
  using meter = new meters.ByteMeter(log, phase ?? "unpacking", size);
  yield* applyImageRules(open(meter), {
    ...CONVERT_RULES,
    archive: path,
    label: "",
    log,
    devices: isPrivileged ? "keep" : "drop",
  }, enclosing);

  async function survey() {
    log.info("analyzing ...");
    using meter = new meters.ByteMeter(log, "analyzing", size);
    return await surveyMembers(open(meter));
  }
}

function isBookkeeping(path: string): boolean {
  if (!path.startsWith("ch/git")) return false;
  return BOOKKEEPING.has(path) || path.startsWith("ch/git/");
}

function isDirectory(path: string): boolean {
  return findFileType(path, "follow") === "directory";
}
