// ch-image build: an image from a Dockerfile.

import { buildImage } from "../../lib/build/build.ts";
import { makeAbsolute, nameDockerfile, readIgnore, readInput } from "../../lib/build/context.ts";
import { inferImageName } from "../../lib/build/image_name.ts";
import { parseSecrets } from "../../lib/build/secrets.ts";
import { openSystemHost } from "../../lib/container/system_host.ts";
import { parseDockerfile } from "../../lib/dockerfile/parse.ts";
import { DockerfileError, type DockerfileSource } from "../../lib/dockerfile/source.ts";
import { ChError } from "../../lib/error.ts";
import type { Log } from "../../lib/log/log.ts";
import { parseReference } from "../../lib/reference/reference.ts";
import {
  type Arguments,
  defineOptions,
  findValue,
  isGiven,
  listValues,
  UsageError,
} from "../options.ts";
import { readStandardInput } from "../standard_input.ts";
import { BIND_OPTIONS, FORCE_OPTIONS, openBuildTools, readBuildSettings } from "./build_options.ts";
import {
  type BuildProgress,
  JSON_OPTION,
  openProgress,
  PROGRESS_OPTION,
} from "./build_progress.ts";
import type { CommonOption } from "./common_options.ts";
import type { Context, SubCommand } from "./sub_command.ts";
import { TerminalLender } from "./terminal_lender.ts";

const OPTIONS = defineOptions([
  ...BIND_OPTIONS,
  {
    long: "dry-run",
    short: "n",
    argument: "none",
    repeat: "idempotent",
    help: "print the instructions, but execute and store nothing",
  },
  {
    long: "explain",
    argument: "none",
    repeat: "idempotent",
    help: "tell of each instruction that is executed, why it is not taken from the build cache",
  },
  {
    long: "file",
    short: "f",
    argument: "required",
    placeholder: "DOCKERFILE",
    repeat: "last",
    help: "Dockerfile (default: CONTEXT/Dockerfile); “-” is standard input",
  },
  ...FORCE_OPTIONS,
  {
    long: "iidfile",
    argument: "required",
    placeholder: "FILE",
    repeat: "last",
    help: "write the reference of the built image to FILE",
  },
  {
    long: "jobs",
    argument: "required",
    placeholder: "N",
    repeat: "last",
    help: "build up to N stages at a time (default: 1; by Docker's rules one for each processor)",
  },
  ...JSON_OPTION,
  {
    long: "label",
    argument: "required",
    placeholder: "NAME[=VALUE]",
    repeat: "list",
    help: "label for the image, as by LABEL at the end; can be repeated",
  },
  {
    long: "no-cache-filter",
    argument: "required",
    placeholder: "STAGE[,STAGE...]",
    repeat: "list",
    help: "take nothing from the build cache in stages of these names or numbers; can be repeated",
  },
  {
    long: "parse-only",
    argument: "none",
    repeat: "idempotent",
    help: "stop after parsing the Dockerfile",
  },
  ...PROGRESS_OPTION,
  {
    long: "secret",
    argument: "required",
    placeholder: "id=ID[,src=FILE|,env=VAR]",
    repeat: "list",
    help: "secret for RUN --mount=type=secret, from a file or a variable; can be repeated",
  },
  {
    long: "shell-on-fail",
    argument: "none",
    repeat: "idempotent",
    help: "where RUN fails, run a shell in what it left, before that is thrown away",
  },
  {
    long: "ssh",
    argument: "required",
    placeholder: "ID[=SOCKET]",
    repeat: "list",
    help: "SSH agent for RUN --mount=type=ssh, by default that of SSH_AUTH_SOCK; can be repeated",
  },
  {
    long: "tag",
    short: "t",
    argument: "required",
    placeholder: "TAG",
    repeat: "last",
    help: "name of the image; default: from the names of Dockerfile or context",
  },
  {
    long: "target",
    argument: "required",
    placeholder: "STAGE",
    repeat: "last",
    help: "build the stage of that name or number and what it needs, and nothing else",
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
  using progress = openProgress(args, context);
  context.onSignal(() => progress.interrupt());
  try {
    const built = await buildAndShow(context, args, progress);
    if (built !== undefined) progress.succeeded(built);
    return 0;
  } catch (error) {
    progress.failed(error);
    throw error;
  }
}

/** Returns the name of the image, if one was built. */
async function buildAndShow(
  context: Context,
  args: Arguments<BuildOption | CommonOption>,
  progress: BuildProgress,
): Promise<string | undefined> {
  const { environment, log } = context;
  const settings = readBuildSettings(args, environment);
  const host = openSystemHost();
  const request = { context: args.positionals[0]!, file: findValue(args, "file") };
  const tag = findValue(args, "tag") ??
    inferImageName(nameDockerfile(request), makeAbsolute(request.context, host));
  if (!isGiven(args, "tag") && !isGiven(args, "parse-only")) {
    log.info(`inferred image name: ${tag}`);
  }

  const secrets = parseSecrets(
    listValues(args, "secret"),
    listValues(args, "ssh"),
    (name) => environment.get(name),
  );
  const input = readInput(request, readStandardInput, host);
  const dockerfile = parse(input.source, log);
  if (isGiven(args, "parse-only")) return undefined;
  const ignore = readIgnore(request, dockerfile.dialect, host, log);
  const reference = parseReference(tag);
  await buildImage({
    dockerfile,
    tag: reference,
    context: input.context,
    ignore,
    target: findValue(args, "target"),
    jobs: parseJobs(findValue(args, "jobs")),
    freshStages: listValues(args, "no-cache-filter").flatMap((text) =>
      text.toLowerCase().split(",")
    ),
    labels: parseLabels(listValues(args, "label")),
    ...settings,
    dryRun: isGiven(args, "dry-run"),
    explain: isGiven(args, "explain"),
  }, {
    ...openBuildTools(context, args, host, secrets),
    ...isGiven(args, "shell-on-fail")
      ? { shellOnFail: new TerminalLender(context, progress).lend }
      : {},
    ...progress.output === undefined ? {} : { output: progress.output },
    openView: progress.openView,
  });
  const file = findValue(args, "iidfile");
  if (isGiven(args, "dry-run")) return undefined;
  if (file !== undefined) writeReference(file, reference.text);
  if (context.settings.cacheMode === "disabled") {
    log.info("build slow? consider enabling the build cache");
    log.info("hint: --cache, or CH_IMAGE_CACHE=enabled; see ch-image(1)");
  }
  return reference.text;
}

function parseJobs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw new UsageError(`argument --jobs: invalid value: '${text}'`);
}

function parseLabels(options: readonly string[]): ReadonlyMap<string, string> {
  return new Map(options.map((text): [string, string] => {
    const [name, ...rest] = text.split("=");
    if (name === "") throw new ChError(`--label: name is missing: ${text}`);
    return [name!, rest.join("=")];
  }));
}

/** By this name ch-run and the other tools find it: images here have no other identity. */
function writeReference(file: string, text: string): void {
  try {
    Deno.writeTextFileSync(file, text);
  } catch (error) {
    throw new ChError(`can’t write: ${file}`, { cause: error });
  }
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
