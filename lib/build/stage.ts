// One stage of a build: FROM and what follows it. Each instruction is prepared, announced, executed,
// and recorded in the image's history, in this order.

import { DamagedStateError } from "../cache/damaged_state.ts";
import type { State } from "../cache/state_store.ts";
import type { Copy, From, Instruction } from "../dockerfile/instruction.ts";
import type { Stage } from "../dockerfile/program.ts";
import { substituteVariables } from "../dockerfile/substitute.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { parseReference } from "../reference/reference.ts";
import { formatAnnounced, type Prepared } from "./action.ts";
import { announce, announceIgnored } from "./announce.ts";
import { type BaseChoice, findKnownBase, obtainBase } from "./base.ts";
import type { Build } from "./request.ts";
import { findOption, prepareCopy } from "./copy_prepare.ts";
import { Growth } from "./growth.ts";
import {
  describeUnprepared,
  prepareArg,
  preparePair,
  prepareRun,
  prepareShell,
  prepareWorkdir,
  splitPairs,
} from "./prepare.ts";
import type { SourceTree } from "./source_tree.ts";
import type { StageState } from "./state.ts";

export interface StageResult {
  /** How many instructions took part, FROM included. */
  readonly instructions: number;
  /** How many RUN commands root emulation changed. */
  readonly modified: number;
}

export async function buildStage(stage: Stage, build: Build): Promise<StageResult> {
  const { log } = build.tools;
  const choice = orAnnounce(log, stage.from, () => prepareFrom(stage.from, build));
  for (let attempt = 1;; attempt++) {
    try {
      return await growStage(stage, choice, build);
    } catch (error) {
      if (!(error instanceof DamagedStateError) || attempt === ATTEMPTS) throw error;
      // It cannot be found any more, and what is missing then is built.
      log.warning(error.message);
    }
  }
}

/** There can be one damaged state after another. */
const ATTEMPTS = 10;

async function growStage(
  stage: Stage,
  choice: BaseChoice,
  build: Build,
): Promise<StageResult> {
  const { log } = build.tools;
  const known = findKnownBase(choice, build);
  announce(log, stage.from, statusIn(build, known?.state), describeFrom(stage.from, choice));
  using growth = await orRollBack(log, async () => {
    return await Growth.begin(stage, choice, known ?? await obtainBase(choice, build), build);
  });
  let instructions = 1;
  for (const instruction of stage.instructions.flatMap(splitPairs)) {
    if (instruction.kind === "ignored" || instruction.kind === "directive") {
      announceIgnored(log, instruction);
      continue;
    }
    const prepared = orAnnounce(log, instruction, () => prepare(instruction, growth.state, build));
    const { key, hit } = growth.lookUp(prepared);
    announce(log, instruction, statusIn(build, hit), formatAnnounced(prepared.text));
    instructions++;
    if (hit !== undefined) {
      growth.take(prepared, hit);
      continue;
    }
    if (build.options.explain) log.info(`     why: ${growth.explain(key)}`);
    await orRollBack(log, () => growth.execute(prepared, key));
  }
  await orRollBack(log, () => growth.commit());
  return { instructions, modified: growth.modified };
}

/** HIT: the state that was found. */
function statusIn({ options }: Build, hit: State | undefined) {
  if (hit !== undefined) return "*";
  return options.dryRun ? " " : ".";
}

/** Finds the base, and begins the next stage of BUILD. */
function prepareFrom(from: From, { globalArg, stages }: Build): BaseChoice {
  for (const { name, key, value } of from.options) {
    if (name === "arg") globalArg.set(key!, value);
  }
  const name = substituteVariables(from.image, (variable) => globalArg.get(variable));
  const stage = stages.findBase(name);
  stages.begin(from.alias);
  if (stage !== undefined) return { name, stage, reference: stages.referenceOf(stage) };
  const reference = parseReference(name);
  if (reference.text === stages.referenceOf(stages.current).text) {
    throw new ChError(`output image ref same as FROM: ${reference.text}`);
  }
  return { name, stage, reference };
}

function describeFrom(from: From, base: BaseChoice): string {
  const options = from.options.map(({ name, key, value }) => `--${name}=${key}=${value}`);
  const alias = from.alias === undefined ? [] : ["AS", from.alias];
  return ["FROM", ...options, base.name, ...alias].join(" ");
}

function prepare(instruction: Instruction, state: StageState, build: Build): Prepared {
  switch (instruction.kind) {
    case "arg":
      return prepareArg(instruction, build.options.buildArguments, state);
    case "copy":
      if (findOption(instruction.options, "chown") !== undefined) {
        build.tools.log.warning("not supported, ignored: COPY --chown");
      }
      return prepareCopy(instruction, openSources(instruction, build), state);
    case "env":
    case "label":
      return preparePair(instruction, state);
    case "run":
      return prepareRun(instruction, build.options.force.mode, state);
    case "shell":
      return prepareShell(instruction, state);
    case "workdir":
      return prepareWorkdir(instruction, state);
    case "directive":
    case "from":
    case "ignored":
    case "rsync":
      throw new TypeError(`not to be prepared: ${instruction.kind}`);
    default:
      return instruction satisfies never;
  }
}

/** Undefined in a dry run for a stage, which was not built. */
function openSources(copy: Copy, { options, sources, stages, tools }: Build) {
  return (): SourceTree | undefined => {
    const from = findOption(copy.options, "from");
    if (from === undefined) return sources.openContext();
    const stage = stages.readSource(from);
    if (options.dryRun) return undefined;
    return sources.openImage(tools.store.imagePath(stages.referenceOf(stage)));
  };
}

/** What fails while it is prepared is announced as written. */
function orAnnounce<T>(log: Log, instruction: Instruction, work: () => T): T {
  try {
    return work();
  } catch (error) {
    announce(log, instruction, " ", formatAnnounced(describeUnprepared(instruction)));
    throw error;
  }
}

async function orRollBack<T>(log: Log, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    log.info("something went wrong, rolling back ...");
    throw error;
  }
}
