// Building an image from a Dockerfile: the stages one after another, each grown in a scratch directory
// and given its name when it is complete (spec dockerfile §2, §8, §11).

import type { Dockerfile } from "../dockerfile/instruction.ts";
import { divideIntoStages, type Program } from "../dockerfile/program.ts";
import { ChError } from "../error.ts";
import { mangleReference } from "../reference/reference.ts";
import { placeOf } from "../store/lock.ts";
import { formatAnnounced } from "./action.ts";
import { announce, announceIgnored } from "./announce.ts";
import type { Base } from "./base.ts";
import { checkConsumed } from "./build_arguments.ts";
import { describeArg } from "./prepare.ts";
import type { Build, BuildOptions, BuildTools } from "./request.ts";
import { Sources } from "./sources.ts";
import { buildStage } from "./stage.ts";
import { Stages } from "./stages.ts";

export type { BuildOptions, BuildTools } from "./request.ts";

/**
 * Builds the image and the images of its earlier stages. Throws a ChError; an image of the same name
 * stays what it was then.
 */
export async function buildImage(options: BuildOptions, tools: BuildTools): Promise<void> {
  const { dockerfile, tag, dryRun, force } = options;
  const { log } = tools;
  const program = divideIntoStages(dockerfile);
  checkConsumed(options.buildArguments, dockerfile);
  refuseRsync(dockerfile);

  using _building = dryRun ? undefined : await tools.store.locks.lock(
    placeOf("build", mangleReference(tag.text)),
    {
      signal: tools.signal,
      onWait: () => log.info(`waiting for another build of ${tag.text} ...`),
    },
  );
  using sources = new Sources(options.context);
  const stages = new Stages(tag, program.stages.length);
  const build = {
    options,
    tools,
    stages,
    sources,
    globalArg: new Map<string, string>(),
    finished: new Map<number, Base>(),
  };
  let grown = declareGlobals(program, build);
  let modified = 0;
  for (const stage of program.stages) {
    const result = await buildStage(stage, build);
    grown += result.instructions;
    modified = result.modified;
  }
  if (dryRun) return;
  if (force.mode !== "none") {
    log.info(`--force=${force.mode}: modified ${modified} RUN instructions`);
  }
  log.info(`grown in ${grown} instructions: ${tag.text}`);
}

/** What stands before the first FROM; returns the number of instructions. Values are literal here. */
function declareGlobals({ preamble }: Program, { options, tools, globalArg }: Build): number {
  let count = 0;
  for (const instruction of preamble) {
    if (instruction.kind === "directive") {
      announceIgnored(tools.log, instruction);
      continue;
    }
    const { name } = instruction;
    const value = options.buildArguments.get(name) ?? instruction.value;
    if (value !== undefined) globalArg.set(name, value);
    announce(tools.log, instruction, " ", formatAnnounced(describeArg(name, value)));
    count++;
  }
  return count;
}

function refuseRsync({ instructions }: Dockerfile): void {
  const rsync = instructions.find(({ kind }) => kind === "rsync");
  if (rsync === undefined) return;
  throw new ChError(`not in this version yet: ${rsync.keyword} instruction`, {
    hint: `see line ${rsync.position.line}; perhaps COPY will do`,
  });
}
