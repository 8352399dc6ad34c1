// ch-run's options about what it says (spec ch-run §9.2; other-tools §8).

import { ChError } from "../lib/error.ts";
import type { RunLog } from "./run_log.ts";
import { checkRepetitions } from "./verbosity.ts";

/** `--verbose`; throws {@linkcode ChError} where it does not fit. */
export function raiseVerbosity(log: RunLog): undefined {
  if (log.verbosity < 0) throw new ChError("--verbose incompatible with --quiet");
  checkRepetitions("verbose", log.verbosity + 1);
  log.verbosity++;
}

/** `--quiet`; likewise. */
export function lowerVerbosity(log: RunLog): undefined {
  if (log.verbosity > 0) throw new ChError("--quiet incompatible with --verbose");
  checkRepetitions("quiet", 1 - log.verbosity);
  log.verbosity--;
}

/** `--test`: one message of each level. */
export function testLog(test: string, log: RunLog): number {
  if (test !== "log" && test !== "log-fail") {
    throw new ChError(`invalid --test argument: ${test}; see source code`);
  }
  for (const level of ["trace", "debug", "verbose", "info", "warning"] as const) {
    log.log(level, `a ${level} message`);
  }
  if (test === "log") return 0;
  throw new ChError('the program failed inexplicably ("log-fail" specified)');
}

/** `--warnings`. */
export function printWarnings(count: number, log: RunLog): number {
  for (let i = 1; i <= count; i++) log.warning(`this is warning ${i}!`);
  return 0;
}
