// Building an image from a Dockerfile: its stages, each grown in a scratch directory and given its name
// when it is complete (spec dockerfile §2, §8, §11).

import type { Dockerfile } from "../dockerfile/instruction.ts";
import { divideIntoStages, type Program } from "../dockerfile/program.ts";
import { substituteVariables } from "../dockerfile/substitute.ts";
import { ChError } from "../error.ts";
import { hostArchitecture } from "../store/metadata.ts";
import { takeTurn } from "../store/turn.ts";
import { formatAnnounced } from "./action.ts";
import { announce, announceDirective } from "./announce.ts";
import { checkConsumed } from "./build_arguments.ts";
import type { Platform } from "./platform.ts";
import { describeArg, describeUnprepared } from "./prepare.ts";
import type { BuildOptions, BuildTools } from "./request.ts";
import { requireRsync } from "./rsync.ts";
import { canOverlap, runStages } from "./schedule.ts";
import { Sources } from "./sources.ts";
import { buildStage } from "./stage.ts";
import { secondsSince } from "./stage_report.ts";
import { nameStage, prefixLog, prefixOutput, voiceOf } from "./stage_voice.ts";
import { type PlannedStage, planStages } from "./stages.ts";

export type { BuildOptions, BuildTools } from "./request.ts";

/**
 * Builds the image and the images of its earlier stages. Throws a ChError; an image of the same name
 * stays what it was then.
 */
export async function buildImage(options: BuildOptions, tools: BuildTools): Promise<void> {
  const { dockerfile, tag, dryRun, force, target } = options;
  const { log } = tools;
  const begin = performance.now();
  const program = divideIntoStages(dockerfile);
  checkConsumed(options.buildArguments, dockerfile);
  if (usesRsync(dockerfile) && !dryRun) requireRsync(tools.caller);

  const globals = declareGlobals(program, options, tools);
  const host: Platform = { architecture: hostArchitecture() };
  const stages = planStages(program, {
    tag,
    target,
    globalArg: globals.values,
    dialect: dockerfile.dialect,
    buildPlatform: host,
    targetPlatform: host,
  }, (from) => announce(log, from, " ", formatAnnounced(describeUnprepared(from))));
  checkFreshStages(options.freshStages ?? [], program);
  using _building = dryRun ? undefined : await takeTurn(tools.store, tag, tools);
  using sources = new Sources(options.context, options.ignore);
  const jobs = options.jobs ?? (dockerfile.dialect.rules === "docker" ? tools.processors : 1);
  const isParallel = jobs > 1 && !dryRun && canOverlap(stages);
  using view = tools.openView?.({ isParallel, stages: stages.length, image: tag.text });
  view?.report({
    event: "build",
    image: tag.text,
    file: dockerfile.file,
    stages: stages.length,
  });
  const shared = { finished: new Map(), obtaining: new Map() };
  const build = { options, tools, view, stages, sources, ...shared };
  const results = await runStages(
    stages,
    { jobs: isParallel ? jobs : 1, signal: tools.signal },
    (stage, signal) => {
      const voice = view?.openVoice(nameStage(stage)) ??
        (isParallel ? giveVoice(stage, tools) : {});
      return buildStage(stage, { ...build, tools: { ...tools, signal, ...voice } });
    },
  );
  if (dryRun) return;
  if (force.mode !== "none") {
    log.info(`--force=${force.mode}: modified ${results.at(-1)!.modified} RUN instructions`);
  }
  const instructions = results.reduce((sum, each) => sum + each.instructions, globals.count);
  log.info(`grown in ${instructions} instructions: ${tag.text}`);
  view?.report({
    event: "result",
    image: tag.text,
    instructions,
    seconds: secondsSince(begin),
    sid: results.at(-1)!.sid,
  });
}

function checkFreshStages(names: readonly string[], { stages }: Program): void {
  const known = stages.flatMap(({ from: { alias } }, number) => [String(number), alias]);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new ChError(`--no-cache-filter: no such stage: ${unknown}`);
}

function giveVoice(stage: PlannedStage, { log, output }: BuildTools) {
  const voice = voiceOf(nameStage(stage));
  return { log: prefixLog(log, voice), output: prefixOutput(output, voice) };
}

interface Globals {
  readonly values: ReadonlyMap<string, string>;
  /** How many instructions. */
  readonly count: number;
}

/** What stands before the first FROM. By upstream's rules values are literal here. */
function declareGlobals(
  { preamble }: Program,
  { buildArguments, dockerfile: { dialect } }: BuildOptions,
  { log }: BuildTools,
): Globals {
  const values = new Map<string, string>();
  let count = 0;
  for (const instruction of preamble) {
    if (instruction.kind === "directive") {
      announceDirective(log, instruction);
      continue;
    }
    const { name, value: written } = instruction;
    const literal = dialect.rules === "docker" && written !== undefined
      ? substituteVariables(written, (variable) => values.get(variable), dialect)
      : written;
    const value = buildArguments.get(name) ?? literal;
    if (value !== undefined) values.set(name, value);
    announce(log, instruction, " ", formatAnnounced(describeArg(name, value)));
    count++;
  }
  return { values, count };
}

function usesRsync({ instructions }: Dockerfile): boolean {
  return instructions.some(({ kind }) => kind === "rsync");
}
