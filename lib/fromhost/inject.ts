// ch-fromhost's work: copies files of the host into an unpacked image and makes the image's dynamic linker
// know them (spec ch-fromhost §5–§7). Not atomic: what was copied before a failure stays.

import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { isLinked } from "./classify.ts";
import { copyIntoImage } from "./copy_file.ts";
import { type CrayHost, listCrayDirectories } from "./cray_host.ts";
import { baseName, directoryOf } from "./host_libraries.ts";
import { type ImagePrograms, runInImage } from "./image_program.ts";
import type { ImageTree } from "./image_tree.ts";
import { writeLinkerConfiguration } from "./linker_configuration.ts";
import {
  findFabric,
  findLibraryPlaces,
  type LibraryPlaces,
  providerDirectory,
  requireFabric,
} from "./places.ts";
import {
  checkProviderPath,
  classifyFiles,
  type HostLinker,
  listCrayCompanions,
  listProviderDirectories,
  type QueuedFile,
  type WantedFile,
} from "./queue.ts";
import { describeMisfit, findMisfits, remedyFor } from "./version_check.ts";

export interface InjectRequest {
  readonly files: readonly WantedFile[];
  /** Whether to run ldconfig, and to check, afterwards. */
  readonly ldconfig: boolean;
  /** $FI_PROVIDER_PATH of the caller. */
  readonly providerPath: string | undefined;
}

export interface InjectTools extends ImagePrograms {
  readonly linker: HostLinker;
  readonly cray: CrayHost;
  readonly log: Log;
}

/** Throws a ChError. */
export async function injectFiles(
  request: InjectRequest,
  image: ImageTree,
  tools: InjectTools,
): Promise<void> {
  const { log } = tools;
  const files = await classifyFiles(request.files, tools.linker, log);
  checkProviderPath(files, request.providerPath);
  const plan = await planInjection(files, image, tools);

  for (const directory of listCrayDirectories(tools.cray)) {
    log.debug(`mkdir: ${directory}`);
    image.makeDirectory(directory);
  }
  if (plan.providers !== undefined && image.findDirectory(plan.providers) === undefined) {
    log.debug(`mkdir: ${plan.providers}`);
    image.makeDirectory(plan.providers);
  }
  log.verbose(`injecting into image: ${image.path}`);
  const injected = plan.files.map((file) => copyOne(file, plan, image, log));
  if (plan.linkerDirectories !== undefined) {
    writeLinkerConfiguration(image, plan.linkerDirectories, log);
  }
  await refreshLinker(request, plan, image, tools);
  checkVersions(injected, request, plan, image, log);
}

interface Injection {
  readonly files: readonly QueuedFile[];
  readonly libraries: LibraryPlaces | undefined;
  /** Path of the image's libfabric, where anything has to do with it. */
  readonly fabric: string | undefined;
  /** Directory that the image's libfabric takes providers from. */
  readonly providers: string | undefined;
  /** Host directories that the image's dynamic linker is to know; undefined: it is left alone. */
  readonly linkerDirectories: readonly string[] | undefined;
}

async function planInjection(
  files: readonly QueuedFile[],
  image: ImageTree,
  tools: InjectTools,
): Promise<Injection> {
  const { linker, log } = tools;
  const providers = files.filter(({ fileClass }) => fileClass === "provider");
  const crays = files.filter(({ fileClass }) => fileClass === "cray-libfabric");
  const isAboutFabric = providers.length + crays.length > 0;
  const needsLibraries = files.some(({ fileClass }) =>
    fileClass === "library" || fileClass === "cray-libfabric"
  );
  const libraries = needsLibraries ? await findLibraryPlaces(image, tools, log) : undefined;
  if (!isAboutFabric) {
    return {
      files,
      libraries,
      fabric: undefined,
      providers: undefined,
      linkerDirectories: undefined,
    };
  }

  const fabric = findFabric(image, log);
  if (crays.length > 0) requireFabric(image, fabric);
  if (providers.some(({ destination }) => destination === undefined)) requireFabric(image, fabric);
  const directory = fabric === undefined || providers.length === 0
    ? undefined
    : providerDirectory(fabric);
  if (directory !== undefined) log.verbose(`inferred provider destination: ${directory}`);
  if (providers.length > 0) warnOfImageVariable(image, log);

  const linkerDirectories = new Set(await listProviderDirectories(providers, linker));
  const companions: QueuedFile[] = [];
  const names = new Set(
    crays.length === 0 ? [] : image.find((name) => name.includes(".so")).map(baseName),
  );
  for (const cray of crays) {
    const found = await listCrayCompanions(cray, (name) => names.has(name), linker, log);
    companions.push(...found.files);
    for (const each of found.directories) linkerDirectories.add(each);
  }
  return {
    files: [...files, ...companions],
    libraries,
    fabric,
    providers: directory,
    linkerDirectories: [...linkerDirectories],
  };
}

function warnOfImageVariable(image: ImageTree, log: Log): void {
  const text = image.findText("/ch/environment") ?? "";
  if (!/^FI_PROVIDER_PATH=/m.test(text)) return;
  log.warning(`FI_PROVIDER_PATH in ${image.display("/ch/environment")}; consider --dest`);
}

/** Returns the file's path in the image. */
function copyOne(file: QueuedFile, plan: Injection, image: ImageTree, log: Log): string {
  const { source, destination } = file;
  const target = destination ?? inferDestination(file, plan);
  if (target === undefined) {
    throw new ChError(`no destination for: ${source}`, { hint: "put --dest DIR before it" });
  }
  log.verbose(`${source} -> ${target}${destination === undefined ? " (inferred)" : ""}`);
  if (!target.startsWith("/")) throw new ChError(`not an absolute path: ${target}`);
  const directory = image.findDirectory(target);
  const displayed = image.display(target);
  if (directory === undefined) throw new ChError(`not a directory: ${displayed}`);
  const onFixing = (message: string) => log.info(message);
  copyIntoImage(source, { rootFd: image.fd, directory, displayed, onFixing });
  return `/${directory === "" ? "" : `${directory}/`}${baseName(source)}`;
}

function inferDestination({ fileClass }: QueuedFile, plan: Injection): string | undefined {
  switch (fileClass) {
    case "executable":
      return "/usr/bin";
    case "library":
      return plan.libraries?.first;
    case "provider":
      return plan.providers;
    case "cray-libfabric":
      return directoryOf(plan.fabric!);
    case "other":
      return undefined;
    default:
      return fileClass satisfies never;
  }
}

async function refreshLinker(
  { ldconfig }: InjectRequest,
  { files }: Injection,
  image: ImageTree,
  tools: InjectTools,
): Promise<void> {
  const { log } = tools;
  if (!ldconfig || !files.some(({ fileClass }) => isLinked(fileClass))) {
    log.verbose("not running ldconfig");
    return;
  }
  log.verbose("running ldconfig");
  const { isSuccess, stderr } = await runInImage(
    image.absolutePath,
    ["/sbin/ldconfig"],
    "in-place",
    tools,
  );
  for (const line of stderr.split("\n").filter((text) => text !== "")) {
    if (isSuccess) log.debug(line);
    else log.warning(line);
  }
  if (!isSuccess) throw new ChError("ldconfig error");
}

/** A provider that cannot be loaded is an error; for others it is the user who knows what runs where. */
function checkVersions(
  injected: readonly string[],
  { ldconfig }: InjectRequest,
  { files, libraries }: Injection,
  image: ImageTree,
  log: Log,
): void {
  const isFabric = files.map(({ fileClass }) =>
    fileClass === "provider" || fileClass === "cray-libfabric"
  );
  if (ldconfig && isFabric.includes(true)) log.verbose("validating ldconfig cache");
  const misfits = findMisfits([...new Set(injected)], libraries?.all ?? [], image);
  for (const misfit of misfits) log.warning(describeMisfit(misfit), remedyFor(misfit));
  const failed = misfits.find(({ file }) => isFabric[injected.indexOf(file)]);
  if (ldconfig && failed !== undefined) {
    throw new ChError(`ldconfig: 'ldd ${failed.file}' failed: not all versions found`);
  }
}
