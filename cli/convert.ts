// ch-convert: what its command line means, and what it says while it works (spec ch-convert §2).

import { readEnvironment, readIdentity } from "../ffi/process.ts";
import { openCache } from "../lib/cache/open.ts";
import { convertImage } from "../lib/convert/convert.ts";
import { BUILDERS, chooseFormat } from "../lib/convert/format.ts";
import type { Endpoint } from "../lib/convert/request.ts";
import { TemporaryDirectory } from "../lib/convert/temporary_directory.ts";
import { ChError } from "../lib/error.ts";
import { locateStore } from "../lib/store/location.ts";
import { VERSION } from "../lib/version.ts";
import { CONVERT_RULES, parseArguments } from "./argparse.ts";
import { findBuilders } from "./convert_builders.ts";
import { CONVERT, type ConvertOption } from "./convert_options.ts";
import { readEpoch, readWishes } from "./convert_wishes.ts";
import { isExpected, USER_REMEDY } from "./error_text.ts";
import { readCacheVariable, readLargeVariable } from "./image/settings.ts";
import { formatHelp, formatUsage } from "./help.ts";
import { Interruption } from "./interruption.ts";
import type { Logger } from "./logger.ts";
import { type Arguments, countGiven, findValue, isGiven, UsageError } from "./options.ts";
import { newPlainLogger, parseEnvironment } from "./plain_logger.ts";
import { writeText } from "./standard_stream.ts";
import { checkRepetitions } from "./verbosity.ts";

type Environment = ReadonlyMap<string, string>;

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

  const quietness = -log.settings.verbosity;
  const builders = await findBuilders({ environment, isQuiet: quietness >= 3, signal });
  log.verbose(`verbose level: ${log.settings.verbosity}`);
  for (const name of BUILDERS) {
    log.verbose(`${name}: ${builders.present.has(name) ? "found" : "not found"}`);
  }
  const choose = (option: "in-fmt" | "out-fmt", descriptor: string) => ({
    descriptor,
    format: chooseFormat(
      findValue(args, option) ?? "",
      descriptor,
      (name) => builders.present.has(name),
    ),
  });
  const input = choose("in-fmt", inDescriptor);
  const output = choose("out-fmt", outDescriptor);
  const wishes = readWishes(args);
  const epoch = readEpoch(environment.get("SOURCE_DATE_EPOCH"));
  const cacheSettings = output.format === "ch-image"
    ? { mode: readCacheVariable(environment), largeFile: readLargeVariable(environment) }
    : { mode: "disabled" as const, largeFile: undefined };

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
  if (isGiven(args, "xattrs") && output.format === "ch-image") {
    log.warning('--xattrs unsupported for out format "ch-image"');
  }
  if (!isGiven(args, "dry-run")) {
    await convertImage({
      input,
      output,
      noClobber,
      xattrs,
      wishes,
      epoch,
      findStorage: () => findStorage(args, environment),
      openCache: (store) => openCache(store, { ...cacheSettings, xattrs: false, log, signal }),
      findBuilder: builders.find,
      temporary: temporary.path,
      isPrivileged: readIdentity().euid === 0,
      // A failure may want to be looked into (spec ch-convert §8), an interruption not.
      onBegin: () => {
        temporary.keep();
        signal.addEventListener("abort", () => temporary.discard());
      },
      log,
      signal,
    });
  }
  temporary.discard();
  log.info("done");
}

function checkPairs(args: Arguments<ConvertOption>): void {
  for (const long of ["quiet", "verbose"] as const) checkRepetitions(long, countGiven(args, long));
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

function findStorage(args: Arguments<ConvertOption>, environment: Environment): string {
  const option = findValue(args, "storage"), variable = environment.get("CH_IMAGE_STORAGE");
  const user = environment.get("USER");
  if (option === undefined && variable === undefined && user === undefined) {
    throw new ChError("can’t get username: $USER not set", { hint: USER_REMEDY });
  }
  return locateStore({ option, variable, user: user ?? "", cwd: Deno.cwd() });
}

function newLogger(args: Arguments<ConvertOption>, environment: Environment): Logger {
  const quiet = countGiven(args, "quiet"), verbose = countGiven(args, "verbose");
  return newPlainLogger({ quiet, verbose, environment, hasColour: true });
}
