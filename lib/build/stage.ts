// One stage of a build: FROM and what follows it. Each instruction is prepared, announced, executed,
// and recorded in the image's history, in this order.

import { DamagedStateError } from "../cache/damaged_state.ts";
import type { State } from "../cache/state_store.ts";
import type { Instruction, Label } from "../dockerfile/instruction.ts";
import { parseDockerfile } from "../dockerfile/parse.ts";
import { ChError } from "../error.ts";
import { formatAnnounced, type Prepared } from "./action.ts";
import { type Base, findKnownBase, obtainBase } from "./base.ts";
import { prepareCopy } from "./copy_prepare.ts";
import { locateFailure } from "./failure.ts";
import { Growth } from "./growth.ts";
import { prepareArg, preparePair, prepareShell, prepareWorkdir, splitPairs } from "./prepare.ts";
import type { Build } from "./request.ts";
import { prepareRsync } from "./rsync_prepare.ts";
import { findRemoteVersion } from "./remote_version.ts";
import { locateImage } from "./rsync.ts";
import { prepareRun } from "./run_prepare.ts";
import { prepareSetting } from "./settings.ts";
import { type Course, secondsSince, StageReport } from "./stage_report.ts";
import { nameStage } from "./stage_voice.ts";
import { findMount, openSources } from "./stage_sources.ts";
import type { PlannedStage } from "./stages.ts";
import type { StageState } from "./state.ts";

export interface StageResult {
  /** How many instructions took part, FROM included. */
  readonly instructions: number;
  /** How many RUN commands root emulation changed. */
  readonly modified: number;
  /** See {@linkcode Growth.sid}. */
  readonly sid: string | undefined;
}

export async function buildStage(stage: PlannedStage, build: Build): Promise<StageResult> {
  const { log } = build.tools;
  for (let attempt = 1;; attempt++) {
    try {
      return await growStage(stage, build);
    } catch (error) {
      if (!(error instanceof DamagedStateError) || attempt === ATTEMPTS) throw error;
      // It cannot be found any more, and what is missing then is built.
      log.warning(error.message);
    }
  }
}

/** There can be one damaged state after another. */
const ATTEMPTS = 10;

async function growStage(stage: PlannedStage, build: Build): Promise<StageResult> {
  const begin = performance.now();
  const name = nameStage(stage);
  const report = new StageReport(name, build.tools, build.view);
  build.view?.report({
    event: "stage",
    stage: name,
    base: stage.base.name,
    image: stage.reference.text,
  });
  using growth = await beginGrowth(stage, build, report);
  const { state } = growth;
  const instructions = [
    ...listTriggers(stage, state, build),
    ...stage.instructions,
    ...stage === build.stages.at(-1) ? listLabels(build) : [],
  ];
  let count = 1;
  for (const instruction of instructions) {
    if (instruction.kind === "directive") {
      report.directive(instruction);
      continue;
    }
    const parts = await orReport(report, instruction, () => splitPairs(instruction, state));
    for (const part of parts) await buildInstruction(part, growth, { stage, build, report });
    count += parts.length;
  }
  await orRollBack(build, () => growth.commit());
  const seconds = secondsSince(begin);
  build.view?.report({ event: "stage-done", stage: name, seconds, sid: growth.sid });
  return { instructions: count, modified: growth.modified, sid: growth.sid };
}

/** FROM */
async function beginGrowth(
  stage: PlannedStage,
  build: Build,
  report: StageReport,
): Promise<Growth> {
  const { from } = stage;
  const known = await orReport(report, from, () => findKnownBase(stage.base, build));
  const course = show(from, describeFrom(stage), known?.state, build, report);
  return await follow(course, build, async () => {
    const base = known ?? await obtainOnce(stage, build);
    const growth = await Growth.begin(stage, base, build);
    course?.done(growth.sid);
    return growth;
  });
}

/** Announces INSTRUCTION, whose result is HIT; what is carried out has a course. */
function show(
  instruction: Instruction,
  text: string,
  hit: State | undefined,
  { options: { dryRun } }: Build,
  report: StageReport,
): Course | undefined {
  if (hit !== undefined) report.cached(instruction, text, hit.sid);
  else if (dryRun) report.planned(instruction, text);
  else return report.begin(instruction, text);
  return undefined;
}

/** Stages that begin with the same image get it once. */
async function obtainOnce({ base }: PlannedStage, build: Build): Promise<Base> {
  const name = `${base.reference.text} ${base.platform?.architecture}`;
  const pending = build.obtaining.get(name) ?? obtainBase(base, build);
  build.obtaining.set(name, pending);
  return await pending;
}

async function buildInstruction(
  instruction: Instruction,
  growth: Growth,
  { stage, build, report }: {
    readonly stage: PlannedStage;
    readonly build: Build;
    readonly report: StageReport;
  },
): Promise<void> {
  const prepared = await orReport(
    report,
    instruction,
    () => prepare(instruction, growth.state, stage, build),
  );
  const { key, hit } = growth.lookUp(prepared);
  const text = formatAnnounced(prepared.text);
  const course = show(instruction, text, hit, build, report);
  if (hit !== undefined) return growth.take(prepared, hit);
  if (build.options.explain) build.tools.log.info(`     why: ${growth.explain(key)}`);
  try {
    await follow(course, build, () => growth.execute(prepared, key));
    course?.done(growth.sid);
  } catch (error) {
    const isLocal = error instanceof ChError && !(error instanceof DamagedStateError);
    if (!isLocal || build.tools.signal.aborted) throw error;
    const { file } = build.options.dockerfile;
    throw locateFailure(error, file, instruction.position.line, text);
  }
}

/** `--label`, as LABEL that stands in no line. */
function listLabels({ options }: Build): Label[] {
  return [...options.labels ?? []].map(([name, value]) => ({
    kind: "label",
    keyword: "LABEL",
    position: { line: -1, column: 1 },
    pairs: [{ name, value }],
    isLiteral: true,
  }));
}

/** FROM as announced. */
function describeFrom({ from, base }: PlannedStage): string {
  const options = from.options.map(({ name, key, value }) =>
    `--${name}=${key === undefined ? "" : `${key}=`}${value}`
  );
  const alias = from.alias === undefined ? [] : ["AS", from.alias];
  return ["FROM", ...options, base.name, ...alias].join(" ");
}

/** What the base image's ONBUILD put off. Upstream knows no such thing, so only Docker's rules obey. */
function listTriggers(
  { base, from }: PlannedStage,
  state: StageState,
  { options, tools }: Build,
): readonly Instruction[] {
  const { triggers } = state;
  if (triggers.length === 0) return [];
  state.dropTriggers();
  const { dialect } = options.dockerfile;
  if (dialect.rules !== "docker") {
    tools.log.warning(
      `not executed: ${triggers.length} ONBUILD instruction(s) of ${base.name}`,
      "with “# syntax=docker/dockerfile:1” as first line they are",
    );
    return [];
  }
  const file = `ONBUILD of ${base.name}`;
  const text = `# syntax=docker/dockerfile:1\n${triggers.join("\n")}\n`;
  return parseDockerfile({ file, text }).instructions
    .filter(({ kind }) => kind !== "directive")
    .map((instruction) => ({ ...instruction, position: from.position }));
}

async function prepare(
  instruction: Instruction,
  state: StageState,
  stage: PlannedStage,
  build: Build,
): Promise<Prepared> {
  switch (instruction.kind) {
    case "arg":
      return prepareArg(instruction, build.options.buildArguments, state);
    case "configure":
      return prepareSetting(instruction, state);
    case "add":
    case "copy":
      return await prepareCopy(
        instruction,
        () => openSources(instruction, stage, build),
        state,
        (source) => {
          const { options: { dryRun }, tools } = build;
          return dryRun || tools.cache.mode !== "enabled"
            ? Promise.resolve(undefined)
            : findRemoteVersion(source, tools);
        },
      );
    case "env":
    case "label":
      return preparePair(instruction, state);
    case "rsync": {
      const { dryRun } = build.options;
      const context = build.sources.readContext();
      return prepareRsync(instruction, {
        tree: dryRun ? undefined : build.sources.openContext(),
        context,
        image: locateImage(build.tools),
        isTerminal: build.tools.isTerminal,
      }, state);
    }
    case "run": {
      const { mode } = build.options.force;
      return await prepareRun(instruction, mode, state, (mount) => findMount(mount, stage, build));
    }
    case "shell":
      return prepareShell(instruction, state);
    case "workdir":
      return prepareWorkdir(instruction, state);
    case "directive":
    case "from":
      throw new TypeError(`not to be prepared: ${instruction.kind}`);
    default:
      return instruction satisfies never;
  }
}

/** What fails while it is prepared is announced as written. */
async function orReport<T>(
  report: StageReport,
  instruction: Instruction,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    report.unprepared(instruction, error);
    throw error;
  }
}

async function follow<T>(
  course: Course | undefined,
  build: Build,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await orRollBack(build, work);
  } catch (error) {
    course?.failed(error);
    throw error;
  }
}

async function orRollBack<T>({ tools: { log } }: Build, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // After that one the stage is built anew: nothing went wrong for the user.
    if (!(error instanceof DamagedStateError)) log.info("something went wrong, rolling back ...");
    throw error;
  }
}
