// One image from one format to another (spec ch-convert §7). Entries go straight from the input to the
// output; where a format is one archive of several, its parts are made in the temporary directory.

import { displayOsString } from "../../ffi/os_string.ts";
import type { Entry, Source } from "../layer/entry.ts";
import { addSkeleton, MOUNT_POINTS } from "../layer/image_skeleton.ts";
import type { ImageReference } from "../reference/reference.ts";
import { stopWhenAborted } from "../stop_when_aborted.ts";
import { importEntries, importImage } from "../store/import.ts";
import { openStore } from "../store/store.ts";
import { takeTurn } from "../store/turn.ts";
import { clampTimes } from "./clamp_times.ts";
import { writeDirectory } from "./directory_output.ts";
import { isLayered } from "./format.ts";
import { checkInput, readInput } from "./image_source.ts";
import { openLayeredInput } from "./layered_input.ts";
import * as layered from "./layered_output.ts";
import type { ConvertRequest } from "./request.ts";
import { writeSquashfs } from "./squashfs_output.ts";
import { writeTarFile } from "./tar_file.ts";
import { checkOutput, checkStoredImage, type Target } from "./target.ts";

/** Converts. Throws a ChError, with nothing changed, if that can't be done. */
export async function convertImage(request: ConvertRequest): Promise<void> {
  const target = await checkOutput(request);
  await checkInput(request.input, request);
  request.onBegin?.();
  try {
    await writeOutput(request, target);
  } catch (error) {
    // What was interrupted may have failed in its own way.
    request.signal.throwIfAborted();
    throw error;
  }
}

async function writeOutput(request: ConvertRequest, target: Target): Promise<void> {
  const { input, epoch, xattrs, noClobber, isPrivileged, log } = request;
  switch (target.format) {
    case "ch-image":
      return await importInput(request, target.reference);
    case "dir":
      return await writeDirectory(
        completed(request),
        target.place,
        { devices: isPrivileged ? "make" : "skip", owner: isPrivileged, xattrs },
        log,
      );
    case "squash":
      return await writeSquashfs(() => completed(request), target.path, target.options, request);
    case "tar": {
      // Archives of directories hold what these hold; what comes out of an image file is complete.
      const source = input.format === "squash" ? completed(request) : entries(request);
      return await writeTarFile(clampTimes(source, epoch), target.path, {
        ...target.options,
        xattrs,
        noClobber,
        onSkippedSockets: (count) => log.warning(`ignored ${count} sockets`),
      });
    }
    case "docker":
    case "podman": {
      const { format, reference, options } = target;
      return await layered.loadImage(await open(request), format, reference, options, request);
    }
    case "docker-archive": {
      const { path, name, options } = target;
      return await layered.writeDockerArchive(await open(request), path, name, options, request);
    }
    case "oci-archive": {
      const { path, name, options } = target;
      return await layered.writeLayoutArchive(await open(request), path, name, options, request);
    }
    case "oci": {
      const { place, name, options } = target;
      return await layered.writeLayout(await open(request), place, name, options, request);
    }
    default:
      target satisfies never;
  }
}

async function importInput(request: ConvertRequest, reference: ImageReference): Promise<void> {
  const { input: { format, descriptor }, log, signal } = request;
  log.info("importing ...");
  using store = openStore(request.findStorage(), { lock: true }, log);
  using _turn = await takeTurn(store, reference, request);
  checkStoredImage(request);
  using cache = request.openCache(store);
  const options = { log, cache, signal };
  if (format === "dir" || format === "tar") {
    return await importImage(store, descriptor, reference, options);
  }
  const name = displayOsString(descriptor);
  await importEntries(store, completed(request), name, reference, options);
}

/** Layers, if the input has any; else all that is in it. */
async function open(request: ConvertRequest): Promise<layered.Content> {
  const { input: { format, descriptor } } = request;
  if (isLayered(format)) return await openLayeredInput({ format, descriptor }, request);
  return { files: entries(request) };
}

function entries(request: ConvertRequest): Source {
  return stopWhenAborted(readInput(request.input, request, phaseOf(request)), request.signal);
}

/** What the user is told that happens (spec ch-convert §7.1); reading an image file is no news. */
function phaseOf({ input, output }: ConvertRequest): string | undefined {
  if (output.format === "squash" || isLayered(output.format)) return "packing ...";
  if (input.format === "ch-image") return "exporting ...";
  if (output.format === "tar") return "packing ...";
  return input.format === "tar" || isLayered(input.format) ? "unpacking ..." : undefined;
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
