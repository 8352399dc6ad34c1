// Where in the image things are: its directory for libraries, and its libfabric (spec ch-fromhost §5.1, §6).

import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { directoryOf } from "./host_libraries.ts";
import { type ImagePrograms, runInImage } from "./image_program.ts";
import type { ImageTree } from "./image_tree.ts";
import { chooseLibraryDirectory, OWN_CONFIGURATION, parseLibraryDirectories } from "./ldconfig.ts";

export interface LibraryPlaces {
  /** Where injected libraries go. */
  readonly first: string;
  /** All directories of the dynamic linker, in its order. */
  readonly all: readonly string[];
}

/** Asks the image's ldconfig. Throws a ChError if that does not tell. */
export async function findLibraryPlaces(
  image: ImageTree,
  programs: ImagePrograms,
  log: Log,
): Promise<LibraryPlaces> {
  log.verbose("asking ldconfig for inferred shared library destination");
  const result = await runInImage(
    image.absolutePath,
    ["/sbin/ldconfig", "-Nv"],
    "read-only",
    programs,
  );
  const messages = result.stderr.split("\n").filter((line) => line !== "");
  const directories = parseLibraryDirectories(result.stdout);
  const own = (image.findText(OWN_CONFIGURATION) ?? "").split("\n").filter((line) => line !== "");
  try {
    const first = chooseLibraryDirectory(
      directories,
      own,
      (path) => image.findDirectory(path) !== undefined,
    );
    for (const line of messages) log.debug(line);
    log.verbose(`inferred shared library destination: ${image.display(first)}`);
    return { first, all: directories.map(({ path }) => path) };
  } catch (error) {
    for (const line of messages) log.warning(line);
    throw error;
  }
}

/** Path of the image's libfabric, the first if there are several; undefined if it has none. */
export function findFabric(image: ImageTree, log: Log): string | undefined {
  const [first, ...others] = image.find((name) => name === "libfabric.so");
  if (others.length > 0) log.warning(`found more than one libfabric.so; using ${first}`);
  return first;
}

/** As {@linkcode findFabric}, where it must be there. */
export function requireFabric(image: ImageTree, fabric: string | undefined): string {
  if (fabric !== undefined) return fabric;
  throw new ChError(`libfabric.so not found in ${image.path}`, {
    hint: "the image needs libfabric of its own; or name the directory with --dest",
  });
}

/** Where the libfabric at path FABRIC looks for providers. */
export function providerDirectory(fabric: string): string {
  return `${directoryOf(fabric).replace(/\/$/, "")}/libfabric`;
}
