// Settings from options and environment (spec ch-image §1.1, §1.2). Pure.

import { CACHE_MODES, type CacheMode } from "../../lib/cache/state_store.ts";
import { ChError } from "../../lib/error.ts";
import type { Log } from "../../lib/log/log.ts";
import { locateStore } from "../../lib/store/location.ts";
import { type Arguments, countGiven, findValue, isGiven, UsageError } from "../options.ts";
import { checkRepetitions, MOST } from "../verbosity.ts";
import type { CommonOption } from "./common_options.ts";
import type { Settings } from "./sub_command.ts";

type Environment = ReadonlyMap<string, string>;

/** -3 to 3; 0 where -q and -v contradict one another, which is {@linkcode readSettings}' business, as is too much. */
export function readVerbosity(args: Arguments<CommonOption>): number {
  const verbose = Math.min(countGiven(args, "verbose"), MOST);
  const quiet = Math.min(countGiven(args, "quiet"), MOST);
  return verbose > 0 && quiet > 0 ? 0 : verbose - quiet;
}

/** Throws a ChError if options or variables do not make sense. */
export function readSettings(
  args: Arguments<CommonOption>,
  environment: Environment,
  cwd: string,
  log: Log,
): Settings {
  checkPairs(args, log);
  for (const long of ["quiet", "verbose"] as const) checkRepetitions(long, countGiven(args, long));
  return {
    storagePath: locateStore({
      option: findValue(args, "storage"),
      variable: environment.get("CH_IMAGE_STORAGE"),
      user: environment.get("USER")!,
      cwd,
    }),
    lock: !isGiven(args, "no-lock"),
    cacheMode: readCacheMode(args, environment),
    largeFile: readLargeFile(args, environment),
    xattrs: isGiven(args, "xattrs") ||
      (environment.has("CH_XATTRS") && !isGiven(args, "no-xattrs")),
    verbosity: readVerbosity(args),
  };
}

function checkPairs(args: Arguments<CommonOption>, log: Log): void {
  const pairs = ([["quiet", "verbose"], ["xattrs", "no-xattrs"]] as const)
    .filter(([one, other]) => isGiven(args, one) && isGiven(args, other));
  if (pairs.length === 0) return;
  for (const [one, other] of pairs) log.error(`“--${one}” incompatible with “--${other}”`);
  throw new ChError(`${pairs.length} incompatible option pair(s)`);
}

function readCacheMode(args: Arguments<CommonOption>, environment: Environment): CacheMode {
  if (isGiven(args, "cache")) return "enabled";
  if (isGiven(args, "rebuild")) return "rebuild";
  if (isGiven(args, "no-cache")) return "disabled";
  return readCacheVariable(environment);
}

/** How the build cache is used if no option says it. Throws a ChError. */
export function readCacheVariable(environment: Environment): CacheMode {
  const mode = environment.get("CH_IMAGE_CACHE");
  if (mode === undefined) return "enabled";
  const known = CACHE_MODES.find((each) => each === mode);
  if (known !== undefined) return known;
  throw new ChError(`$CH_IMAGE_CACHE: invalid build cache mode: ${mode}`);
}

const MEBIBYTE = 2 ** 20;

function readLargeFile(
  args: Arguments<CommonOption>,
  environment: Environment,
): number | undefined {
  const option = findValue(args, "cache-large");
  if (option !== undefined && !isNumber(option)) {
    throw new UsageError(`argument --cache-large: invalid float value: '${option}'`);
  }
  return option === undefined ? readLargeVariable(environment) : toSize(option);
}

/** From what size on files are large for the cache, in bytes, if no option says it. Throws a ChError. */
export function readLargeVariable(environment: Environment): number | undefined {
  const text = environment.get("CH_IMAGE_CACHE_LARGE") ?? "0";
  if (!isNumber(text)) throw new ChError(`$CH_IMAGE_CACHE_LARGE: not a number: ${text}`);
  return toSize(text);
}

function toSize(mebibytes: string): number | undefined {
  const size = Math.round(Number(mebibytes) * MEBIBYTE);
  return size > 0 ? size : undefined;
}

function isNumber(text: string): boolean {
  return /^\s*[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/.test(text);
}
