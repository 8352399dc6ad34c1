// One image from one format to another (spec ch-convert §7). Entries go straight from the input to the
// output; no format needs an intermediate one on disk.

import { displayOsString } from "../../ffi/os_string.ts";
import { ChError } from "../error.ts";
import type { Entry, Source } from "../layer/entry.ts";
import { copyEntries } from "../layer/entry.ts";
import { addSkeleton, MOUNT_POINTS } from "../layer/image_skeleton.ts";
import { type ImageReference, parseReference } from "../reference/reference.ts";
import { SquashfsWriter } from "../squashfs/writer.ts";
import { importEntries, importImage } from "../store/import.ts";
import { openStore } from "../store/store.ts";
import { writeDirectory } from "./directory_output.ts";
import { checkInput, readInput, storagePath } from "./image_source.ts";
import { checkDirectoryOutput, checkFileOutput, checkTarName } from "./output_check.ts";
import type { PresentDirectory } from "./output_check.ts";
import type { ConvertRequest } from "./request.ts";
import { stopWhenAborted } from "./stop.ts";
import { writeTarFile } from "./tar_file.ts";

/** Converts. Throws a ChError, with nothing changed, if that can't be done. */
export async function convertImage(request: ConvertRequest): Promise<void> {
  const target = checkOutput(request);
  checkInput(request.input, request);
  try {
    await writeOutput(request, target);
  } catch (error) {
    // What was interrupted may have failed in its own way.
    request.signal.throwIfAborted();
    throw error;
  }
}

/** The output, found to be one that may be written. */
type Target =
  | { readonly format: "ch-image"; readonly reference: ImageReference }
  | { readonly format: "dir"; readonly present: PresentDirectory }
  | { readonly format: "squash" | "tar"; readonly path: string };

function checkOutput(request: ConvertRequest): Target {
  const { output: { format, descriptor }, noClobber } = request;
  switch (format) {
    case "ch-image":
      checkImageOutput(request);
      return { format, reference: parseReference(descriptor) };
    case "dir":
      return { format, present: checkDirectoryOutput(descriptor, noClobber) };
    case "squash":
      return { format, path: checkFileOutput(descriptor, noClobber) };
    case "tar":
      checkTarName(descriptor);
      return { format, path: checkFileOutput(descriptor, noClobber) };
    default:
      return format satisfies never;
  }
}

function checkImageOutput(request: ConvertRequest): void {
  const { output: { descriptor }, noClobber } = request;
  if (!noClobber) return;
  try {
    Deno.lstatSync(storagePath(descriptor, request));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  const name = displayOsString(descriptor);
  throw new ChError(`exists in ch-image storage, not deleting per --no-clobber: ${name}`);
}

async function writeOutput(request: ConvertRequest, target: Target): Promise<void> {
  const { input, output, xattrs, isPrivileged, log } = request;
  switch (target.format) {
    case "ch-image":
      return await importInput(request, target.reference);
    case "dir":
      return await writeDirectory(
        completed(request),
        output.descriptor,
        target.present,
        { devices: isPrivileged ? "make" : "skip", owner: isPrivileged, xattrs },
        log,
      );
    case "squash":
      return await writeSquashfs(completed(request), target.path, request);
    case "tar": {
      // Archives of directories hold what these hold; what comes out of an image file is complete.
      const source = input.format === "squash" ? completed(request) : entries(request);
      return await writeTarFile(source, target.path, {
        xattrs,
        compressor: "gzip",
        level: undefined,
        owner: "keep",
        onSkippedSockets: (count) => log.warning(`ignored ${count} sockets`),
      });
    }
    default:
      target satisfies never;
  }
}

async function writeSquashfs(
  source: Source,
  path: string,
  { log }: ConvertRequest,
): Promise<void> {
  using writer = new SquashfsWriter(path, {
    onLostXattr: (name, path) =>
      log.warning(`SquashFS can’t hold extended attribute ${name}: ${displayOsString(path)}`),
  });
  await copyEntries(source, writer);
  const { inodes, bytes, data } = writer.counts!;
  log.verbose(`packed: ${inodes} inodes, ${data} bytes of data into ${bytes} bytes`);
}

async function importInput(request: ConvertRequest, reference: ImageReference): Promise<void> {
  const { input, log, signal } = request;
  log.info("importing ...");
  using store = openStore(request.findStorage(), { lock: true }, log);
  if (input.format === "squash") {
    const name = displayOsString(input.descriptor);
    return await importEntries(store, completed(request), name, reference, { log, signal });
  }
  await importImage(store, input.descriptor, reference, { log, signal });
}

function entries(request: ConvertRequest): Source {
  return stopWhenAborted(readInput(request.input, request, phaseOf(request)), request.signal);
}

/** What the user is told that happens (spec ch-convert §7.1); reading an image file is no news. */
function phaseOf({ input, output }: ConvertRequest): string | undefined {
  if (output.format === "squash") return "packing ...";
  if (input.format === "ch-image") return "exporting ...";
  if (output.format === "tar") return "packing ...";
  return input.format === "tar" ? "unpacking ..." : undefined;
}

/** With what every image must have (spec ch-convert §7.7): directories open to their owner, and mount
 * points. */
function completed(request: ConvertRequest): Source {
  return addSkeleton(openDirectories(entries(request)), MOUNT_POINTS);
}

async function* openDirectories(source: Source): Source {
  for await (const entry of source) {
    yield isClosed(entry) ? { ...entry, mode: entry.mode | 0o700 } : entry;
  }
}

function isClosed(entry: Entry): boolean {
  return entry.type === "directory" && (entry.mode & 0o700) !== 0o700;
}
