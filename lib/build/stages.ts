// The stages of a build, looked at before any is built: their bases, names and aliases, and which needs
// which (spec dockerfile §5 FROM, §6.1, §8).

import type { Dialect } from "../dockerfile/dialect.ts";
import type { From, Instruction } from "../dockerfile/instruction.ts";
import type { Program, Stage } from "../dockerfile/program.ts";
import { substituteVariables } from "../dockerfile/substitute.ts";
import { ChError } from "../error.ts";
import { type ImageReference, parseReference } from "../reference/reference.ts";
import type { BaseChoice } from "./base.ts";
import { listPlatformArguments, parsePlatform, type Platform } from "./platform.ts";

/** A stage that is going to be built. */
export interface PlannedStage {
  readonly number: number;
  readonly from: From;
  readonly instructions: readonly Instruction[];
  readonly base: BaseChoice;
  /** The image that it becomes. */
  readonly reference: ImageReference;
  /** ARG before FROM, and `FROM --arg` up to this stage's. */
  readonly globalArg: ReadonlyMap<string, string>;
  readonly platformArg: ReadonlyMap<string, string>;
  /** Numbers of earlier stages that must be there first. */
  readonly needs: readonly number[];
  /** How many stages the file has. */
  readonly count: number;
  /** Numbers of the stages that have an alias when this one begins, itself included. */
  readonly aliases: ReadonlyMap<string, number>;
}

export interface StageRequest {
  /** Name of the last stage's image, or the target's. */
  readonly tag: ImageReference;
  /** Alias or number of the stage to end with. */
  readonly target: string | undefined;
  /** ARG before FROM. */
  readonly globalArg: ReadonlyMap<string, string>;
  readonly dialect: Dialect;
  readonly buildPlatform: Platform;
  readonly targetPlatform: Platform;
}

/** Called with the FROM that could not be planned, before the error is thrown. */
export type OnBadStage = (from: From) => void;

/**
 * The stages in the order of the file. With a target, and by Docker's rules in any case, those that the
 * last one does not need are left out. Throws a ChError.
 */
export function planStages(
  { stages }: Program,
  request: StageRequest,
  onBadStage: OnBadStage,
): PlannedStage[] {
  const end = findTarget(stages, request.target);
  const planned: PlannedStage[] = [];
  let globalArg = request.globalArg;
  let aliases: ReadonlyMap<string, number> = new Map();
  for (const [number, stage] of stages.slice(0, end + 1).entries()) {
    try {
      const { from, instructions } = stage;
      globalArg = addArguments(from, globalArg);
      const known = { globalArg, aliases, request };
      const reference = nameStage(request.tag, number, end);
      const base = chooseBase(from, reference, known, planned);
      if (from.alias !== undefined) aliases = new Map([...aliases, [from.alias, number]]);
      const platformArg = listPlatformArguments(
        request.buildPlatform,
        base.platform ?? request.targetPlatform,
        from.alias ?? String(number),
      );
      const count = stages.length;
      const names = { reference, globalArg, platformArg, aliases };
      const draft = { number, count, from, instructions, base, ...names };
      planned.push({ ...draft, needs: listNeeds(draft) });
    } catch (error) {
      onBadStage(stage.from);
      throw error;
    }
  }
  if (request.target === undefined && request.dialect.rules !== "docker") return planned;
  const needed = collectNeeds(end, planned);
  return planned.filter(({ number }) => needed.has(number));
}

/**
 * Number of the earlier stage that `--from=NAME` means in STAGE; undefined if it is none and may be an
 * image. Throws a ChError if NAME can be no image either.
 */
export function findSourceStage(
  name: string,
  { number: current, aliases }: Pick<PlannedStage, "number" | "aliases">,
  count: number,
): number | undefined {
  if (/^-\d+$/.test(name)) throw new ChError(`--from: invalid negative stage index ${name}`);
  const number = /^\d+$/.test(name) ? Number(name) : aliases.get(name.toLowerCase());
  if (number === undefined) return undefined;
  if (number >= count) throw new ChError(`--from: stage ${name} does not exist`);
  if (number === current) throw new ChError(`--from: stage ${name} is the current stage`);
  if (number > current) throw new ChError(`--from: stage ${name} does not exist yet`);
  return number;
}

function findTarget(stages: readonly Stage[], target: string | undefined): number {
  if (target === undefined) return stages.length - 1;
  const byAlias = stages.findLastIndex(({ from }) => from.alias === target.toLowerCase());
  if (byAlias >= 0) return byAlias;
  if (/^\d+$/.test(target) && Number(target) < stages.length) return Number(target);
  throw new ChError(`--target: no such stage: ${target}`, {
    hint: "a stage has its number, from 0, and the name after AS in its FROM",
  });
}

function nameStage(tag: ImageReference, number: number, end: number): ImageReference {
  return number === end ? tag : parseReference(`${tag.text}_stage${number}`);
}

function addArguments(
  from: From,
  globalArg: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const added = from.options.filter(({ name }) => name === "arg");
  return new Map([...globalArg, ...added.map(({ key, value }) => [key!, value] as const)]);
}

interface Known {
  readonly globalArg: ReadonlyMap<string, string>;
  readonly aliases: ReadonlyMap<string, number>;
  readonly request: StageRequest;
}

function chooseBase(
  from: From,
  own: ImageReference,
  { globalArg, aliases, request }: Known,
  planned: readonly PlannedStage[],
): BaseChoice {
  const { buildPlatform, targetPlatform, dialect } = request;
  const platformArg = listPlatformArguments(buildPlatform, targetPlatform, "");
  const lookup = (name: string) => globalArg.get(name) ?? platformArg.get(name);
  const option = from.options.find(({ name }) => name === "platform")?.value;
  const platform = option === undefined
    ? undefined
    : parsePlatform(substituteVariables(option, lookup, dialect));
  const name = substituteVariables(from.image, lookup, dialect);
  const isAlias = dialect.rules === "docker" ? name.toLowerCase() : name;
  const stage = aliases.get(isAlias);
  if (stage !== undefined) {
    return { name, stage, reference: planned[stage]!.reference, platform };
  }
  const reference = parseReference(name);
  if (reference.text === own.text) {
    throw new ChError(`output image ref same as FROM: ${reference.text}`);
  }
  return { name, stage, reference, platform };
}

/** Wrong names are found when their instruction is prepared. */
function listNeeds(stage: Omit<PlannedStage, "needs">): number[] {
  const named = stage.instructions.flatMap((instruction) => {
    switch (instruction.kind) {
      case "copy":
        return instruction.options.flatMap(({ name, value }) => name === "from" ? [value] : []);
      case "run":
        return instruction.options.flatMap(({ name, value }) =>
          name === "mount" ? /(?:^|,)from=([^,]*)/.exec(value)?.[1] ?? [] : []
        );
      default:
        return [];
    }
  });
  const numbers = named.map((name) =>
    /^\d+$/.test(name) ? Number(name) : stage.aliases.get(name.toLowerCase())
  ).filter((number) => number !== undefined && number < stage.number) as number[];
  if (stage.base.stage !== undefined) numbers.push(stage.base.stage);
  return [...new Set(numbers)].sort((a, b) => a - b);
}

function collectNeeds(end: number, planned: readonly PlannedStage[]): ReadonlySet<number> {
  const needed = new Set<number>([end]);
  for (const { number, needs } of planned.toReversed()) {
    if (needed.has(number)) needs.forEach((need) => needed.add(need));
  }
  return needed;
}
