// What is to be injected, sorted out: each file with its class, and what a libfabric brings along (spec
// ch-fromhost §4, §6).

import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { CLASS_NAMES, classifyPath, type FileClass, isFabric } from "./classify.ts";
import { baseName, directoryOf, type HostLibrary } from "./host_libraries.ts";

export interface WantedFile {
  /** Path on the host. */
  readonly source: string;
  /** `--dest` as it was when the file was named. */
  readonly destination: string | undefined;
}

export interface QueuedFile extends WantedFile {
  readonly fileClass: FileClass;
}

export interface HostLinker {
  /** Libraries that the host would load for PATH; none if it is not linked dynamically. */
  listLibraries(path: string): Promise<readonly HostLibrary[]>;
  /** PATH without links; undefined if there is no such file. */
  realPath(path: string): string | undefined;
}

export async function classifyFiles(
  files: readonly WantedFile[],
  linker: HostLinker,
  log: Log,
): Promise<QueuedFile[]> {
  const queued: QueuedFile[] = [];
  for (const file of files) {
    const libraries = isFabric(file.source) ? await linker.listLibraries(file.source) : [];
    const isCray = libraries.some(({ name }) => name.startsWith("libcxi"));
    const fileClass = classifyPath(file.source, isCray);
    log.debug(
      `${isFabric(file.source) && !isCray ? "libfabric" : CLASS_NAMES[fileClass]}: ${file.source}`,
    );
    queued.push({ ...file, fileClass });
  }
  return queued;
}

/** Directories of the host in which the libraries of PROVIDERS are; they must be bound at run time. */
export async function listProviderDirectories(
  providers: readonly QueuedFile[],
  linker: HostLinker,
): Promise<string[]> {
  const directories = new Set<string>();
  for (const { source } of providers) {
    for (const library of await linker.listLibraries(source)) {
      if (library.name.startsWith("libfabric")) continue;
      const directory = realDirectory(library, linker);
      if (directory !== undefined) directories.add(directory);
    }
  }
  return [...directories];
}

export interface CrayCompanions {
  /** Libraries that the image lacks, to be injected as well. */
  readonly files: readonly QueuedFile[];
  /** Where they are on the host. */
  readonly directories: readonly string[];
}

/** What Cray's libfabric FILE needs. IS_IN_IMAGE tells whether a file of a name is anywhere in the image. */
export async function listCrayCompanions(
  file: QueuedFile,
  isInImage: (name: string) => boolean,
  linker: HostLinker,
  log: Log,
): Promise<CrayCompanions> {
  const files: QueuedFile[] = [];
  const directories = new Set<string>();
  for (const library of await linker.listLibraries(file.source)) {
    if (library.path === undefined) continue;
    if (isInImage(baseName(library.path))) {
      log.debug(`skipping ${library.path}`);
      continue;
    }
    files.push({ source: library.path, destination: file.destination, fileClass: "library" });
    const directory = realDirectory(library, linker);
    if (directory !== undefined) directories.add(directory);
  }
  return { files, directories: [...directories] };
}

function realDirectory(library: HostLibrary, linker: HostLinker): string | undefined {
  const real = library.path === undefined ? undefined : linker.realPath(library.path);
  return real === undefined ? undefined : directoryOf(real);
}

/** Throws a ChError if a provider would go where the host's FI_PROVIDER_PATH keeps it from being found. */
export function checkProviderPath(
  files: readonly QueuedFile[],
  providerPath: string | undefined,
): void {
  const hasProvider = files.some(({ fileClass }) => fileClass === "provider");
  const hasDestination = files.some(({ destination }) => destination !== undefined);
  if (!hasProvider || !providerPath || hasDestination) return;
  throw new ChError("FI_PROVIDER_PATH set; missing --dest", {
    hint: "the variable is passed into containers, where libfabric obeys it: name one of its " +
      "directories with --dest, or unset it",
  });
}
