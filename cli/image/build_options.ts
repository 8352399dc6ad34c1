// What “build” and “modify” have in common: options, and what commands in images are run with.

import { spawnInit } from "../../ffi/process.ts";
import { parseBuildArguments } from "../../lib/build/build_arguments.ts";
import type { Output, WatchedOutput } from "../../lib/build/output.ts";
import type { BuildTools } from "../../lib/build/build.ts";
import { CacheMounts } from "../../lib/build/cache_mounts.ts";
import { chooseForce, type Force, FORCE_MODES, type ForceMode } from "../../lib/build/force.ts";
import { NO_SECRETS, type Secrets } from "../../lib/build/secrets.ts";
import { parseBind } from "../../lib/container/binds.ts";
import type { Host } from "../../lib/container/host.ts";
import { ChError } from "../../lib/error.ts";
import { CACHE_MOUNTS } from "../../lib/store/layout.ts";
import { type Arguments, defineOptions, findValue, listValues } from "../options.ts";
import { writeBytes } from "../standard_stream.ts";
import type { Valve } from "../valve.ts";
import type { CommonOption } from "./common_options.ts";
import { readPullSettings } from "./registry_settings.ts";
import type { Context } from "./sub_command.ts";

/** In two parts, because help texts list options by name. */
export const BIND_OPTIONS = defineOptions([
  {
    long: "bind",
    short: "b",
    argument: "required",
    placeholder: "SRC[:DST]",
    repeat: "list",
    help: "mount SRC at DST in RUN (default: the same path); can be repeated",
  },
  {
    long: "build-arg",
    argument: "required",
    placeholder: "ARG[=VAL]",
    repeat: "list",
    help:
      "value for ARG instructions; without VAL that of the environment variable; can be repeated",
  },
]);

export const FORCE_OPTIONS = defineOptions([
  {
    long: "force",
    argument: "optional",
    placeholder: "MODE",
    choices: FORCE_MODES,
    repeat: "last",
    help: "root emulation for RUN: seccomp (the default), fakeroot or none",
  },
  {
    long: "force-cmd",
    argument: "required",
    placeholder: "CMD,ARG[,ARG...]",
    repeat: "list",
    help: "put ARGs after CMD in RUN instead of the defaults; can be repeated; " +
      "implies --force=seccomp",
  },
]);

type BuildOption =
  | typeof BIND_OPTIONS[number]["long"]
  | typeof FORCE_OPTIONS[number]["long"];

export interface BuildSettings {
  readonly force: Force;
  readonly buildArguments: ReadonlyMap<string, string>;
}

export function readBuildSettings<Name extends string>(
  args: Arguments<Name | BuildOption>,
  environment: ReadonlyMap<string, string>,
): BuildSettings {
  return {
    force: chooseForce(
      findValue(args, "force") as ForceMode | undefined,
      listValues(args, "force-cmd"),
    ),
    buildArguments: parseBuildArguments(
      listValues(args, "build-arg"),
      (name) => environment.get(name),
    ),
  };
}

/** Opens the storage. */
export function openBuildTools<Name extends string>(
  context: Context,
  args: Arguments<Name | BuildOption | CommonOption>,
  host: Host,
  secrets: Secrets = NO_SECRETS,
): BuildTools {
  const { environment, log, settings, signal } = context;
  const pull: BuildTools["pull"] = async (reference, platform) => {
    const { pullImage } = await import("../../lib/registry/pull.ts");
    const wanted = platform && { architecture: platform.architecture };
    await pullImage(
      context.openStore(),
      { source: reference, destination: reference },
      { ...readPullSettings(context, args), ...wanted },
      context.openCache(),
    );
  };
  return {
    pull,
    binds: listValues(args, "bind").map(parseBind),
    store: context.openStore(),
    cache: context.openCache(),
    host,
    spawn: spawnInit,
    signal,
    log,
    verbosity: settings.verbosity,
    caller: environment,
    directoryMode: 0o777 & ~Deno.umask(),
    now: () => new Date(),
    secrets,
    caches: new CacheMounts(`${settings.storagePath}/${CACHE_MOUNTS}`),
    processors: navigator.hardwareConcurrency,
    isTerminal: Deno.stderr.isTerminal(),
    output: chooseOutput(log.valve),
  };
}

/** A terminal shows the last lines anyway, and programs behave otherwise on one: it stays untouched. */
function chooseOutput(valve: Valve): Output {
  const watched = newWatchedOutput(valve);
  const isTerminal = Deno.stdout.isTerminal() || Deno.stderr.isTerminal();
  return isTerminal ? { kind: "direct", watched } : watched;
}

function newWatchedOutput(valve: Valve): WatchedOutput {
  return {
    kind: "watched",
    joined: isSameFile(1, 2),
    write: (stream, bytes) => valve.pass(() => writeStandard(stream, bytes)),
  };
}

function writeStandard(stream: "stdout" | "stderr", bytes: Uint8Array): void {
  try {
    writeBytes(Deno[stream], bytes);
  } catch (error) {
    const name = stream === "stdout" ? "output" : "error";
    throw new ChError(`can’t write to standard ${name}`, { cause: error });
  }
}

function isSameFile(one: number, other: number): boolean {
  const [a, b] = [one, other].map((fd) => Deno.statSync(`/proc/self/fd/${fd}`));
  return a!.dev === b!.dev && a!.ino === b!.ino;
}
