// A build on a terminal: finished instructions scroll by, what is going on is shown below them, with the
// last lines of its output.

import { OutputTail } from "../../lib/build/output_tail.ts";
import { prefixLog, voiceOf } from "../../lib/build/stage_voice.ts";
import type { BuildEvent, BuildOutline, BuildView } from "../../lib/build/view.ts";
import type { Log, Progress } from "../../lib/log/log.ts";
import type { LiveRegion, TerminalSize } from "../live_region.ts";
import { cutLine, measure } from "../line_width.ts";
import { formatProgress } from "../progress_meter.ts";

/** Often enough for a clock that shows tenths, and for output to look alive. */
const INTERVAL = 100;
const MOST_LINES = 5;

/** An instruction that is being carried out. */
export interface Course {
  readonly line: number;
  readonly text: string;
  /** Milliseconds of a clock. */
  readonly since: number;
  readonly tail: OutputTail;
}

export interface LivePicture {
  readonly outline: BuildOutline;
  readonly begin: number;
  readonly stagesDone: number;
  /** By stage. */
  readonly courses: ReadonlyMap<string, Course>;
  readonly meters: readonly string[];
}

/** Dispose ends it: nothing of it stays on the terminal but what has scrolled by. */
export class LiveView implements BuildView, Disposable {
  readonly showsInstructions = true;
  readonly #courses = new Map<string, Course>();
  readonly #meters = new Map<Progress, string>();
  readonly #begin = performance.now();
  #stagesDone = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(
    readonly outline: BuildOutline,
    readonly region: LiveRegion,
    readonly log: Log,
  ) {
    this.resume();
  }

  readonly report = (event: BuildEvent): void => {
    switch (event.event) {
      case "build":
      case "stage":
      case "result":
        return;
      case "stage-done":
        this.#stagesDone++;
        return this.draw();
      case "begin":
        this.#courses.set(event.stage, {
          line: event.line,
          text: event.instruction,
          since: performance.now(),
          tail: new OutputTail(),
        });
        return this.draw();
      case "planned":
      case "cached":
      case "done":
      case "failed":
      case "canceled":
        this.#courses.delete(event.stage);
        this.log.info(this.#voice(event.stage) + describeEnd(event));
        return this.draw();
      default:
        event satisfies never;
    }
  };

  readonly openVoice: BuildView["openVoice"] = (stage) => {
    const decoder = new TextDecoder();
    return {
      log: this.outline.isParallel ? prefixLog(this.log, voiceOf(stage)) : this.log,
      output: {
        kind: "watched",
        joined: true,
        write: (_, bytes) =>
          this.#courses.get(stage)?.tail.add(decoder.decode(bytes, { stream: true })),
      },
    };
  };

  /** Takes the place of the log's meters. */
  readonly openMeter: Log["progress"] = (message, total) => {
    const show = (done: number) => {
      this.#meters.set(meter, formatProgress(message, done, total));
    };
    const meter: Progress = {
      update: show,
      [Symbol.dispose]: () => void this.#meters.delete(meter),
    };
    show(0);
    return meter;
  };

  draw(): void {
    if (this.#timer === undefined) return;
    const { outline } = this;
    this.region.show(drawPicture(
      {
        outline,
        begin: this.#begin,
        stagesDone: this.#stagesDone,
        courses: this.#courses,
        meters: [...this.#meters.values()],
      },
      performance.now(),
      this.region.size(),
    ));
  }

  /** The terminal is somebody else's until {@linkcode resume}. */
  pause(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.region.show([]);
  }

  resume(): void {
    this.#timer ??= setInterval(() => this.draw(), INTERVAL);
  }

  [Symbol.dispose](): void {
    this.pause();
  }

  #voice(stage: string): string {
    return this.outline.isParallel ? voiceOf(stage) : "";
  }
}

/** Lines of the live part at the time NOW. */
export function drawPicture(
  { outline, begin, stagesDone, courses, meters }: LivePicture,
  now: number,
  { columns, rows }: TerminalSize,
): string[] {
  const head = `building ${outline.image}: ${stagesDone} of ${outline.stages} stages, ` +
    formatTime(now - begin);
  // Half of the terminal at most; the rest is for what has scrolled by.
  const room = Math.floor(rows / 2) - 1 - meters.length - courses.size;
  const each = Math.max(0, Math.min(MOST_LINES, Math.floor(room / Math.max(courses.size, 1))));
  const lines = [...courses].flatMap(([stage, { line, text, since, tail }]) => {
    const voice = outline.isParallel ? voiceOf(stage) : "";
    const time = formatTime(now - since);
    const begin = cutLine(`${voice}${formatLine(line)}. ${text}`, columns - time.length - 3);
    const gap = " ".repeat(Math.max(1, columns - 1 - measure(begin) - time.length));
    return [
      `${begin}${gap}${time}`,
      ...tail.listLines(each).map((printed) => `     | ${printed}`),
    ];
  });
  return [head, ...lines, ...meters];
}

function describeEnd(
  event: Extract<
    BuildEvent,
    { event: "planned" | "cached" | "done" | "failed" | "canceled" }
  >,
): string {
  const { line, instruction } = event;
  switch (event.event) {
    case "planned":
      return `${formatLine(line)}  ${instruction}`;
    case "cached":
      return `${formatLine(line)}* ${instruction}`;
    case "done":
      return `${formatLine(line)}. ${instruction}  (${formatTime(event.seconds * 1000)})`;
    case "failed":
    case "canceled":
      return `${formatLine(line)}. ${instruction}  ` +
        `(${event.event} after ${formatTime(event.seconds * 1000)})`;
    default:
      return event satisfies never;
  }
}

function formatLine(line: number): string {
  return String(line).padStart(3);
}

/** `0.1s`, `1m05s` */
export function formatTime(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)}s`;
  const whole = Math.floor(seconds);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  return hours > 0
    ? `${hours}h${String(minutes).padStart(2, "0")}m${rest}s`
    : `${minutes}m${rest}s`;
}
