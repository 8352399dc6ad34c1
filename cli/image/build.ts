// ch-image build: an image from a Dockerfile.

import { spawnInit } from "../../ffi/process.ts";
import { buildImage } from "../../lib/build/build.ts";
import { parseBuildArguments } from "../../lib/build/build_arguments.ts";
import { makeAbsolute, nameDockerfile, readInput } from "../../lib/build/context.ts";
import { chooseForce, FORCE_MODES, type ForceMode } from "../../lib/build/force.ts";
import { inferImageName } from "../../lib/build/image_name.ts";
import { parseBind } from "../../lib/container/binds.ts";
import { openSystemHost } from "../../lib/container/system_host.ts";
import { parseDockerfile } from "../../lib/dockerfile/parse.ts";
import { DockerfileError, type DockerfileSource } from "../../lib/dockerfile/source.ts";
import { ChError } from "../../lib/error.ts";
import type { Log } from "../../lib/log/log.ts";
import { parseReference } from "../../lib/reference/reference.ts";
import { type Arguments, defineOptions, findValue, isGiven, listValues } from "../options.ts";
import type { CommonOption } from "./common_options.ts";
import { readPullSettings } from "./registry_settings.ts";
import type { Context, SubCommand } from "./sub_command.ts";

const OPTIONS = defineOptions([
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
  {
    long: "dry-run",
    short: "n",
    argument: "none",
    repeat: "idempotent",
    help: "print the instructions, but execute and store nothing",
  },
  {
    long: "file",
    short: "f",
    argument: "required",
    placeholder: "DOCKERFILE",
    repeat: "last",
    help: "Dockerfile (default: CONTEXT/Dockerfile); “-” is standard input",
  },
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
  {
    long: "parse-only",
    argument: "none",
    repeat: "idempotent",
    help: "stop after parsing the Dockerfile",
  },
  {
    long: "tag",
    short: "t",
    argument: "required",
    placeholder: "TAG",
    repeat: "last",
    help: "name of the image; default: from the names of Dockerfile or context",
  },
]);

type BuildOption = typeof OPTIONS[number]["long"];

export const build: SubCommand<BuildOption> = {
  name: "ch-image build",
  summary: "Build an image from a Dockerfile",
  options: OPTIONS,
  positionals: [{
    name: "CONTEXT",
    count: "one",
    help: "directory that COPY takes from; “-” is none, and the Dockerfile from standard input",
  }],
  run: runBuild,
};

async function runBuild(
  context: Context,
  args: Arguments<BuildOption | CommonOption>,
): Promise<number> {
  const { environment, log, settings, signal } = context;
  refuseCache(environment, isGiven(args, "no-cache") || isGiven(args, "rebuild"));
  const force = chooseForce(
    findValue(args, "force") as ForceMode | undefined,
    listValues(args, "force-cmd"),
  );
  const buildArguments = parseBuildArguments(
    listValues(args, "build-arg"),
    (name) => environment.get(name),
  );
  const binds = listValues(args, "bind").map(parseBind);
  const host = openSystemHost();
  const request = { context: args.positionals[0]!, file: findValue(args, "file") };
  const tag = findValue(args, "tag") ??
    inferImageName(nameDockerfile(request), makeAbsolute(request.context, host));
  if (!isGiven(args, "tag") && !isGiven(args, "parse-only")) {
    log.info(`inferred image name: ${tag}`);
  }

  const input = readInput(request, readStdin, host, log);
  const dockerfile = parse(input.source, log);
  if (isGiven(args, "parse-only")) return 0;
  await buildImage({
    dockerfile,
    tag: parseReference(tag),
    context: input.context,
    buildArguments,
    force,
    dryRun: isGiven(args, "dry-run"),
    changes: "auto",
  }, {
    store: context.openStore(),
    host,
    spawn: spawnInit,
    signal,
    log,
    verbosity: settings.verbosity,
    binds,
    caller: environment,
    directoryMode: 0o777 & ~Deno.umask(),
    now: () => new Date(),
    pull: async (reference) => {
      const { pullImage } = await import("../../lib/registry/pull.ts");
      const settings = readPullSettings(context, args);
      await pullImage(context.openStore(), { source: reference, destination: reference }, settings);
    },
  });
  return 0;
}

function refuseCache(environment: ReadonlyMap<string, string>, isOff: boolean): void {
  const mode = environment.get("CH_IMAGE_CACHE");
  if (mode !== "enabled" || isOff) return;
  throw new ChError(`build cache not in this version yet: ${mode}`, {
    hint: "unset CH_IMAGE_CACHE, or use --no-cache",
  });
}

function parse(source: DockerfileSource, log: Log) {
  try {
    const dockerfile = parseDockerfile(source);
    for (const { position, kind, ...operands } of dockerfile.instructions) {
      log.verbose(`${source.file}:${position.line}: ${kind} ${JSON.stringify(operands)}`);
    }
    return dockerfile;
  } catch (error) {
    if (error instanceof DockerfileError) log.verbose(`expected: ${error.expected}`);
    throw error;
  }
}

function readStdin(): Uint8Array {
  const chunks: Uint8Array[] = [];
  const chunk = new Uint8Array(65536);
  for (;;) {
    const length = Deno.stdin.readSync(chunk);
    if (length === null) break;
    chunks.push(chunk.slice(0, length));
  }
  const bytes = new Uint8Array(chunks.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of chunks) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
