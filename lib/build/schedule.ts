// Stages in an order that their needs allow, several at a time.

import type { PlannedStage } from "./stages.ts";

type Needy = Pick<PlannedStage, "number" | "needs">;

/** Whether any two of STAGES could be built at the same time. */
export function canOverlap(stages: readonly Needy[]): boolean {
  const needed = new Map<number, Set<number>>();
  for (const { number, needs } of stages) {
    const all = new Set(needs.flatMap((need) => [need, ...needed.get(need) ?? []]));
    needed.set(number, all);
  }
  return stages.some(({ number }, index) =>
    stages.slice(0, index).some((earlier) => !needed.get(number)!.has(earlier.number))
  );
}

/**
 * Calls WORK for each of STAGES when those that it needs are done, for at most JOBS at a time, earlier
 * stages first; returns the results in the order of STAGES. When one fails the others are told so by
 * their signal, none is begun any more, and the error is thrown when all have ended.
 */
export async function runStages<Stage extends Needy, Result>(
  stages: readonly Stage[],
  { jobs, signal }: { readonly jobs: number; readonly signal: AbortSignal },
  work: (stage: Stage, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const waiting = [...stages];
  const running = new Map<number, Promise<void>>();
  const results = new Map<number, Result>();
  const errors: unknown[] = [];
  const start = (stage: Stage) => {
    const run = work(stage, either).then(
      (result) => void results.set(stage.number, result),
      (error) => {
        errors.push(error);
        failure.abort(error);
      },
    ).finally(() => running.delete(stage.number));
    running.set(stage.number, run);
  };
  const isReady = ({ needs }: Stage) =>
    needs.every((need) => results.has(need) || stages.every(({ number }) => number !== need));
  while (waiting.length + running.size > 0) {
    while (errors.length === 0 && running.size < jobs) {
      const next = waiting.findIndex(isReady);
      if (next < 0) break;
      start(waiting.splice(next, 1)[0]!);
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  if (errors.length > 0) throw errors[0];
  return stages.map(({ number }) => results.get(number)!);
}
