// What is said of a stage's instructions: lines of the log (spec dockerfile §11), and events for a view.

import type { Directive, Instruction } from "../dockerfile/instruction.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { formatAnnounced } from "./action.ts";
import { announce, announceDirective, type Status } from "./announce.ts";
import { describeUnprepared } from "./prepare.ts";
import type { BuildView } from "./view.ts";

export interface ReportTools {
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** An instruction that is being carried out. */
export interface Course {
  done(sid: string | undefined): void;
  failed(error: unknown): void;
}

export class StageReport {
  constructor(
    readonly stage: string,
    readonly tools: ReportTools,
    readonly view: BuildView | undefined,
  ) {}

  /** The instruction's result, of state SID, was known. */
  cached(instruction: Instruction, text: string, sid: string): void {
    this.#announce(instruction, "*", text);
    this.view?.report({ event: "cached", ...this.#describe(instruction, text), sid });
  }

  /** A dry run passes it by. */
  planned(instruction: Instruction, text: string): void {
    this.#announce(instruction, " ", text);
    this.view?.report({ event: "planned", ...this.#describe(instruction, text) });
  }

  begin(instruction: Instruction, text: string, status: Status = "."): Course {
    this.#announce(instruction, status, text);
    const described = this.#describe(instruction, text);
    const start = performance.now();
    this.view?.report({ event: "begin", ...described });
    return {
      done: (sid) =>
        this.view?.report({ event: "done", ...described, sid, seconds: secondsSince(start) }),
      failed: (error) => {
        const event = { ...described, seconds: secondsSince(start) };
        this.view?.report(
          this.tools.signal.aborted
            ? { event: "canceled", ...event }
            : { event: "failed", ...event, ...explain(error) },
        );
      },
    };
  }

  /** ERROR came while the instruction was prepared: it is shown as written. */
  unprepared(instruction: Instruction, error: unknown): void {
    const text = formatAnnounced(describeUnprepared(instruction));
    this.begin(instruction, text, " ").failed(error);
  }

  /** A parser directive of no effect: warns, and shows it nevertheless. One that has effect says nothing. */
  directive(directive: Directive): void {
    announceDirective(this.tools.log, directive);
  }

  #announce(instruction: Instruction, status: Status, text: string): void {
    if (this.view?.showsInstructions !== true) {
      announce(this.tools.log, instruction, status, text);
    }
  }

  #describe({ position }: Instruction, instruction: string) {
    return { stage: this.stage, line: position.line, instruction };
  }
}

export function secondsSince(start: number): number {
  return Math.round(performance.now() - start) / 1000;
}

function explain(error: unknown): { readonly message: string; readonly hint: string | undefined } {
  return {
    message: error instanceof Error ? error.message : String(error),
    hint: error instanceof ChError ? error.hint : undefined,
  };
}
