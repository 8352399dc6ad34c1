// One stage of a build: FROM and what follows it. Each instruction is prepared, announced, executed,
// and recorded in the image's history, in this order.

import { DamagedStateError } from "../cache/damaged_state.ts";
import type { State } from "../cache/state_store.ts";
import type { Copy, From, Instruction, Label } from "../dockerfile/instruction.ts";
import { parseDockerfile } from "../dockerfile/parse.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { parseReference } from "../reference/reference.ts";
import { formatAnnounced, type Prepared } from "./action.ts";
import { announce, announceDirective } from "./announce.ts";
import { type Base, findKnownBase, obtainBase, requireImage } from "./base.ts";
import { findOption, prepareCopy } from "./copy_prepare.ts";
import { locateFailure } from "./failure.ts";
import { Growth } from "./growth.ts";
import type { FoundMount, Mount } from "./mount.ts";
import {
  describeUnprepared,
  prepareArg,
  preparePair,
  prepareShell,
  prepareWorkdir,
  splitPairs,
} from "./prepare.ts";
import type { Build } from "./request.ts";
import { prepareRsync } from "./rsync_prepare.ts";
import { findRemoteVersion } from "./remote_version.ts";
import { locateImage } from "./rsync.ts";
import { prepareRun } from "./run_prepare.ts";
import { prepareSetting } from "./settings.ts";
import type { SourceTree } from "./source_tree.ts";
import { findSourceStage, type PlannedStage } from "./stages.ts";
import type { StageState } from "./state.ts";

export interface StageResult {
  /** How many instructions took part, FROM included. */
  readonly instructions: number;
  /** How many RUN commands root emulation changed. */
  readonly modified: number;
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
  const { log } = build.tools;
  const known = await orAnnounce(log, stage.from, () => findKnownBase(stage.base, build));
  announce(log, stage.from, statusIn(build, known?.state), describeFrom(stage));
  using growth = await orRollBack(log, async () => {
    return await Growth.begin(stage, known ?? await obtainOnce(stage, build), build);
  });
  const { state } = growth;
  const instructions = [
    ...listTriggers(stage, state, build),
    ...stage.instructions,
    ...stage === build.stages.at(-1) ? listLabels(build) : [],
  ];
  let count = 1;
  for (const instruction of instructions) {
    if (instruction.kind === "directive") {
      announceDirective(log, instruction);
      continue;
    }
    const parts = await orAnnounce(log, instruction, () => splitPairs(instruction, state));
    for (const part of parts) await buildInstruction(part, growth, stage, build);
    count += parts.length;
  }
  await orRollBack(log, () => growth.commit());
  return { instructions: count, modified: growth.modified };
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
  stage: PlannedStage,
  build: Build,
): Promise<void> {
  const { log } = build.tools;
  const prepared = await orAnnounce(
    log,
    instruction,
    () => prepare(instruction, growth.state, stage, build),
  );
  const { key, hit } = growth.lookUp(prepared);
  announce(log, instruction, statusIn(build, hit), formatAnnounced(prepared.text));
  if (hit !== undefined) return growth.take(prepared, hit);
  if (build.options.explain) log.info(`     why: ${growth.explain(key)}`);
  try {
    await orRollBack(log, () => growth.execute(prepared, key));
  } catch (error) {
    const isLocal = error instanceof ChError && !(error instanceof DamagedStateError);
    if (!isLocal || build.tools.signal.aborted) throw error;
    const { file } = build.options.dockerfile;
    throw locateFailure(error, file, instruction.position.line, formatAnnounced(prepared.text));
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

/** HIT: the state that was found. */
function statusIn({ options }: Build, hit: State | undefined) {
  if (hit !== undefined) return "*";
  return options.dryRun ? " " : ".";
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
      if (findOption(instruction.options, "chown") !== undefined) {
        build.tools.log.warning(
          `not supported, ignored: ${instruction.kind.toUpperCase()} --chown`,
        );
      }
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

async function openSources(
  copy: Copy,
  stage: PlannedStage,
  build: Build,
): Promise<SourceTree | undefined> {
  const from = findOption(copy.options, "from");
  return from === undefined ? build.sources.openContext() : await openSource(from, stage, build);
}

/** The stage or image NAME; undefined in a dry run for a stage, which was not built. */
async function openSource(
  name: string,
  stage: PlannedStage,
  build: Build,
): Promise<SourceTree | undefined> {
  const { options: { dryRun }, sources, tools: { store } } = build;
  const number = findSourceStage(name, stage, stage.count);
  if (number !== undefined) {
    if (dryRun) return undefined;
    const source = build.stages.find((each) => each.number === number)!;
    return sources.openImage(store.imagePath(source.reference));
  }
  return sources.openImage(await findImage(name, build));
}

async function findImage(name: string, build: Build): Promise<string> {
  try {
    return await requireImage(parseReference(name), build, undefined);
  } catch (cause) {
    if (!(cause instanceof ChError)) throw cause;
    throw new ChError(`--from: stage ${name} does not exist`, {
      hint: `nor is there an image of that name: ${cause.message}`,
    });
  }
}

async function findMount(mount: Mount, stage: PlannedStage, build: Build): Promise<FoundMount> {
  if (mount.type !== "bind" && (mount.type !== "cache" || mount.from === undefined)) {
    return { mount, path: undefined };
  }
  const tree = mount.from === undefined
    ? build.sources.openContext()
    : await openSource(mount.from, stage, build);
  return { mount, path: tree === undefined ? undefined : tree.hostPath(mount.source) };
}

/** What fails while it is prepared is announced as written. */
async function orAnnounce<T>(
  log: Log,
  instruction: Instruction,
  work: () => T | Promise<T>,
): Promise<T> {
  try {
    return await work();
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

/** FROM that could not be planned. */
export function announceBadFrom(log: Log, from: From): void {
  announce(log, from, " ", formatAnnounced(describeUnprepared(from)));
}
