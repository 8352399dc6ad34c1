// ch-convert: what its command line means, and what it says while it works (spec ch-convert §2).

import { readEnvironment, readIdentity } from "../ffi/process.ts";
import { convertImage } from "../lib/convert/convert.ts";
import { type Builder, BUILDERS, chooseFormat } from "../lib/convert/format.ts";
import type { Endpoint, OwnFormat } from "../lib/convert/request.ts";
import { TemporaryDirectory } from "../lib/convert/temporary_directory.ts";
import { ChError } from "../lib/error.ts";
import { locateStore } from "../lib/store/location.ts";
import { VERSION } from "../lib/version.ts";
import { CONVERT_RULES, parseArguments } from "./argparse.ts";
import { CONVERT, type ConvertOption } from "./convert_options.ts";
import { isExpected } from "./error_text.ts";
import { formatHelp, formatUsage } from "./help.ts";
import { isUnicodeLocale, Logger } from "./logger.ts";
import { type Arguments, countGiven, findValue, isGiven, UsageError } from "./options.ts";
import { findProgram } from "./program_search.ts";
import { writeText } from "./standard_stream.ts";

type Environment = ReadonlyMap<string, string>;

const SIGNALS = { SIGINT: 2, SIGTERM: 15 } as const;

/** Runs ch-convert; ARGV[0] is its name. Returns the exit status. */
export async function main([, ...words]: readonly string[]): Promise<number> {
  const environment = parseEnvironment(readEnvironment());
  let args: Arguments<ConvertOption>;
  try {
    args = parseArguments(CONVERT, words, CONVERT_RULES);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    writeText(Deno.stderr, `${formatUsage(CONVERT)}\n${CONVERT.name}: error: ${error.message}\n`);
    return 1;
  }
  if (args.immediate !== undefined) {
    writeText(Deno.stderr, args.immediate === "help" ? formatHelp(CONVERT) : `${VERSION}\n`);
    return 0;
  }
  return await run(args, environment);
}

async function run(args: Arguments<ConvertOption>, environment: Environment): Promise<number> {
  const log = newLogger(args, environment);
  using interruption = new Interruption(log);
  try {
    checkPairs(args);
    await convert(args, environment, log, interruption.signal);
    return 0;
  } catch (error) {
    if (interruption.status !== undefined) return interruption.status;
    if (!isExpected(error)) throw error;
    log.fatal(error);
    return 1;
  }
}

async function convert(
  args: Arguments<ConvertOption>,
  environment: Environment,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const [inDescriptor, outDescriptor] = args.positionals as [string, string];
  const xattrs = isGiven(args, "xattrs") ||
    (Boolean(environment.get("CH_XATTRS")) && !isGiven(args, "no-xattrs"));
  log.info(xattrs ? "preserving xattrs..." : "discarding xattrs...");

  const builders = findBuilders(environment);
  log.verbose(`verbose level: ${log.settings.verbosity}`);
  for (const name of BUILDERS) {
    log.verbose(`${name}: ${builders.has(name) ? "found" : "not found"}`);
  }
  const choose = (option: "in-fmt" | "out-fmt", descriptor: string) => ({
    descriptor,
    format: chooseFormat(findValue(args, option) ?? "", descriptor, (name) => builders.has(name)),
  });
  const input = choose("in-fmt", inDescriptor);
  const output = choose("out-fmt", outDescriptor);

  const noClobber = isGiven(args, "no-clobber");
  const parent = findValue(args, "tmp") ?? (environment.get("TMPDIR") || "/var/tmp");
  using temporary = new TemporaryDirectory(parent);
  log.verbose(`temp dir: ${temporary.path}`);
  log.verbose(`noclobber: ${noClobber ? "yes" : "will clobber"}`);
  log.info(`input:   ${formatEndpoint(input)}`);
  log.info(`output:  ${formatEndpoint(output)}`);
  if (input.format === output.format) {
    throw new ChError("input and output formats must be different");
  }
  const request = {
    input: requireOwn(input),
    output: requireOwn(output),
    noClobber,
    xattrs,
    findStorage: () => findStorage(args, environment),
    isPrivileged: readIdentity().euid === 0,
    log,
    signal,
  };
  if (isGiven(args, "xattrs") && output.format === "ch-image") {
    log.warning('--xattrs unsupported for out format "ch-image"');
  }
  if (!isGiven(args, "dry-run")) await convertImage(request);
  log.info("done");
}

function checkPairs(args: Arguments<ConvertOption>): void {
  if (isGiven(args, "quiet") && isGiven(args, "verbose")) {
    throw new ChError("incompatible options: --quiet, --verbose");
  }
  if (isGiven(args, "xattrs") && isGiven(args, "no-xattrs")) {
    throw new ChError('"--xattrs" incompatible with "--no-xattrs"');
  }
}

function formatEndpoint({ format, descriptor }: Endpoint): string {
  return `${format.padEnd(8)}  ${descriptor}`;
}

/** What needs another program's storage is not in this version. */
function requireOwn({ format, descriptor }: Endpoint): Endpoint<OwnFormat> {
  if (format === "docker" || format === "podman") {
    throw new ChError(`not in this version yet: format ${format}: ${descriptor}`, {
      hint: `use “${format} export” on a container of the image, and the resulting tar archive`,
    });
  }
  return { format, descriptor };
}

/** ch-image is part of this program; the others are looked for, as are their uses. */
function findBuilders(environment: Environment): ReadonlySet<Builder> {
  const search = environment.get("PATH") ?? "";
  const found = (["docker", "podman"] as const).filter((name) => findProgram(name, search));
  return new Set<Builder>(["ch-image", ...found]);
}

function findStorage(args: Arguments<ConvertOption>, environment: Environment): string {
  const option = findValue(args, "storage"), variable = environment.get("CH_IMAGE_STORAGE");
  const user = environment.get("USER");
  if (option === undefined && variable === undefined && user === undefined) {
    throw new ChError("can’t get username: $USER not set");
  }
  return locateStore({ option, variable, user: user ?? "", cwd: Deno.cwd() });
}

function newLogger(args: Arguments<ConvertOption>, environment: Environment): Logger {
  const quiet = countGiven(args, "quiet"), verbose = countGiven(args, "verbose");
  const isTerminal = Deno.stderr.isTerminal();
  return new Logger({
    verbosity: quiet > 0 && verbose > 0 ? 0 : Math.max(-3, Math.min(3, verbose - quiet)),
    writer: Deno.stderr,
    isTerminal,
    hasColour: isTerminal,
    isUnicode: isUnicodeLocale(environment),
    hasFestoon: false,
    hasTrace: false,
  });
}

/** SIGINT and SIGTERM stop the conversion, which cleans up; then the status tells of them. */
class Interruption implements Disposable {
  readonly #abort = new AbortController();
  readonly #listeners: (readonly [keyof typeof SIGNALS, () => void])[];
  /** Exit status, as shells give it to what a signal killed; undefined if none came. */
  status: number | undefined;

  constructor(log: Logger) {
    const names = Object.keys(SIGNALS) as (keyof typeof SIGNALS)[];
    this.#listeners = names.map((name) => [name, () => {
      if (this.status !== undefined) return;
      this.status = 128 + SIGNALS[name];
      log.error(`received ${name}, exiting`);
      this.#abort.abort(new ChError(`received ${name}`));
    }]);
    for (const [name, listener] of this.#listeners) Deno.addSignalListener(name, listener);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  [Symbol.dispose](): void {
    for (const [name, listener] of this.#listeners) Deno.removeSignalListener(name, listener);
  }
}

function parseEnvironment(entries: readonly string[]): Environment {
  return new Map(entries.map((entry) => {
    const at = entry.indexOf("=");
    return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
  }));
}
