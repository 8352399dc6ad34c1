// ch-fromhost: what its command line means (spec ch-fromhost §2, §3).

import { readEnvironment, spawnInit } from "../ffi/process.ts";
import { openSystemHost } from "../lib/container/system_host.ts";
import { ChError } from "../lib/error.ts";
import { directoryOf } from "../lib/fromhost/host_libraries.ts";
import { ImageTree } from "../lib/fromhost/image_tree.ts";
import { injectFiles, type InjectTools } from "../lib/fromhost/inject.ts";
import {
  findFabric,
  findLibraryPlaces,
  providerDirectory,
  requireFabric,
} from "../lib/fromhost/places.ts";
import type { WantedFile } from "../lib/fromhost/queue.ts";
import type { Log } from "../lib/log/log.ts";
import { VERSION } from "../lib/version.ts";
import { isExpected } from "./error_text.ts";
import { FROMHOST, type FromhostOption } from "./fromhost_options.ts";
import {
  listByCommand,
  listByFile,
  listNvidia,
  openHostLinker,
  splitList,
} from "./fromhost_sources.ts";
import { type FromhostWord, readFromhostWords } from "./fromhost_words.ts";
import { formatHelp } from "./help.ts";
import type { HostPrograms } from "./host_program.ts";
import { Interruption } from "./interruption.ts";
import type { Logger } from "./logger.ts";
import { UsageError } from "./options.ts";
import { newPlainLogger, parseEnvironment } from "./plain_logger.ts";
import { writeText } from "./standard_stream.ts";
import { checkRepetitions } from "./verbosity.ts";

/** Runs ch-fromhost; ARGV[0] is its name. Returns the exit status. */
export async function main([, ...words]: readonly string[]): Promise<number> {
  const environment = parseEnvironment(readEnvironment());
  const read = readFromhostWords(words);
  if (read.length === 0) {
    writeText(Deno.stderr, formatHelp(FROMHOST));
    return 1;
  }
  const log = newLogger(read, environment);
  using interruption = new Interruption(log);
  const host = { environment, isQuiet: false, signal: interruption.signal };
  try {
    return await run(read, host, log);
  } catch (error) {
    if (interruption.status !== undefined) return interruption.status;
    if (error instanceof UsageError) {
      writeText(Deno.stderr, `${error.message}\n${formatHelp(FROMHOST)}`);
      return 1;
    }
    if (!isExpected(error)) throw error;
    log.fatal(error);
    return 1;
  }
}

/** What the words so far amount to. */
interface Wishes {
  image: string | undefined;
  destination: string | undefined;
  readonly files: WantedFile[];
  readonly given: Set<FromhostOption>;
}

async function run(
  words: readonly FromhostWord[],
  host: HostPrograms,
  log: Log,
): Promise<number> {
  const wishes: Wishes = { image: undefined, destination: undefined, files: [], given: new Set() };
  for (const long of ["quiet", "verbose"] as const) checkRepetitions(long, countWords(words, long));
  for (const word of words) {
    switch (word.kind) {
      case "unknown":
        throw word.error;
      case "lacking":
        throw new ChError(`--${word.name} must not be empty`);
      case "image":
        takeImage(word.path, wishes);
        break;
      case "option": {
        const text = await takeOption(word.name, word.value, wishes, host, log);
        if (text === undefined) break;
        writeText(Deno.stderr, text);
        return 0;
      }
    }
  }
  await carryOut(wishes, host, log);
  return 0;
}

function takeImage(path: string, wishes: Wishes): void {
  if (path === "") throw new ChError("image path must not be empty");
  if (wishes.image !== undefined) throw new ChError(`duplicate image: ${path}`);
  if (openSystemHost().stat(path) !== "directory") {
    throw new ChError(`image not a directory: ${path}`);
  }
  wishes.image = path;
}

/** Returns a text to print and end with, if the option is for that. */
async function takeOption(
  name: FromhostOption,
  value: string,
  wishes: Wishes,
  host: HostPrograms,
  log: Log,
): Promise<string | undefined> {
  wishes.given.add(name);
  const enqueue = (paths: readonly string[]) => {
    log.verbose("enqueue file(s)");
    const { destination } = wishes;
    wishes.files.push(...paths.map((source) => ({ source, destination })));
  };
  switch (name) {
    case "cmd":
      enqueue(await listByCommand(value, host));
      return;
    case "file":
      enqueue(listByFile(value));
      return;
    case "path":
      enqueue(splitList(value));
      return;
    case "nvidia":
      enqueue(await listNvidia(host, log));
      return;
    case "cray-cxi":
      enqueue([readVariable("CH_FROMHOST_OFI_CXI", host)]);
      return;
    case "cray-gni":
      enqueue([readVariable("CH_FROMHOST_OFI_GNI", host)]);
      return;
    case "dest":
      wishes.destination = value;
      return;
    case "quiet":
    case "verbose":
      if (wishes.given.has("quiet") && wishes.given.has("verbose")) {
        throw new ChError("incompatible options: --quiet, --verbose");
      }
      return;
    case "print-lib":
    case "print-fi":
    case "print-cray-fi":
    case "no-ldconfig":
      return;
    case "help":
      return formatHelp(FROMHOST);
    case "version":
      return `${VERSION}\n`;
    default:
      return name satisfies never;
  }
}

function readVariable(name: string, { environment }: HostPrograms): string {
  const value = environment.get(name);
  if (!value) throw new ChError(`${name} is not set`);
  const [path] = splitList(value);
  return path!;
}

async function carryOut(wishes: Wishes, host: HostPrograms, log: Log): Promise<void> {
  if (wishes.image === undefined) throw new ChError("no image specified");
  using image = new ImageTree(wishes.image);
  const systemHost = openSystemHost();
  const tools: InjectTools = {
    host: systemHost,
    spawn: spawnInit,
    signal: host.signal,
    linker: openHostLinker(host),
    cray: systemHost,
    log,
  };
  const isPrinting = PRINTS.some((name) => wishes.given.has(name));
  if (isPrinting) return await print(wishes, image, tools);
  if (wishes.files.length === 0) throw new ChError("empty file list");

  const providerPath = host.environment.get("FI_PROVIDER_PATH");
  if (wishes.given.has("cray-cxi") || wishes.given.has("cray-gni")) {
    warnOfVariables(host.environment, log);
  }
  const ldconfig = !wishes.given.has("no-ldconfig");
  await injectFiles({ files: wishes.files, ldconfig, providerPath }, image, tools);
  log.info("done");
}

const PRINTS = ["print-lib", "print-fi", "print-cray-fi"] as const;

/** Everything asked for is found before anything is printed. */
async function print({ given }: Wishes, image: ImageTree, tools: InjectTools): Promise<void> {
  const lines: string[] = [];
  if (given.has("print-lib")) lines.push((await findLibraryPlaces(image, tools, tools.log)).first);
  if (given.has("print-fi") || given.has("print-cray-fi")) {
    const fabric = requireFabric(image, findFabric(image, tools.log));
    if (given.has("print-fi")) lines.push(providerDirectory(fabric));
    if (given.has("print-cray-fi")) lines.push(directoryOf(fabric));
  }
  writeText(Deno.stdout, lines.map((line) => `${line}\n`).join(""));
}

function warnOfVariables(environment: ReadonlyMap<string, string>, log: Log): void {
  const provider = environment.get("FI_PROVIDER"), path = environment.get("FI_PROVIDER_PATH");
  if (provider) {
    log.warning(`FI_PROVIDER=${provider} set; this will be preferred provider at runtime.`);
  }
  if (path) log.warning(`FI_PROVIDER_PATH=${path} set; --dest required`);
}

function newLogger(
  words: readonly FromhostWord[],
  environment: ReadonlyMap<string, string>,
): Logger {
  const quiet = countWords(words, "quiet"), verbose = countWords(words, "verbose");
  return newPlainLogger({ quiet, verbose, environment, hasColour: false });
}

function countWords(words: readonly FromhostWord[], name: FromhostOption): number {
  return words.filter((word) => word.kind === "option" && word.name === name).length;
}
