// How ch-image build shows its course: --progress and --json.

import type { Output } from "../../lib/build/output.ts";
import type { BuildOutline, OpenView } from "../../lib/build/view.ts";
import { ChError } from "../../lib/error.ts";
import { LiveRegion, type TerminalSize } from "../live_region.ts";
import type { Logger } from "../logger.ts";
import { type Arguments, defineOptions, findValue, isGiven, UsageError } from "../options.ts";
import { writeText } from "../standard_stream.ts";
import { JsonView } from "./json_view.ts";
import { LiveView } from "./live_view.ts";

const PROGRESS = ["auto", "plain", "tty", "quiet", "rawjson"] as const;
type Progress = typeof PROGRESS[number];

export const JSON_OPTION = defineOptions([
  {
    long: "json",
    argument: "none",
    repeat: "idempotent",
    help: "print what happens on standard output, as JSON objects; same as --progress=rawjson",
  },
]);

export const PROGRESS_OPTION = defineOptions([
  {
    long: "progress",
    argument: "required",
    placeholder: "MODE",
    choices: PROGRESS,
    repeat: "last",
    help: "how to show what happens: auto (the default), plain, tty, quiet or rawjson",
  },
]);

type ProgressOption =
  | typeof JSON_OPTION[number]["long"]
  | typeof PROGRESS_OPTION[number]["long"];

/** What a build gets to show itself by. */
export interface BuildProgress extends Disposable {
  readonly openView: OpenView;
  /** Instead of what commands' output goes to otherwise. */
  readonly output?: Output;
  /** The terminal is for something else as long as what is returned is not disposed of. */
  lendTerminal(): Disposable;
  /** A signal has ended the build: the terminal is for its message. */
  interrupt(): void;
  failed(error: unknown): void;
  /** NAME is the image that was built. */
  succeeded(name: string): void;
}

export interface ProgressSurroundings {
  readonly environment: ReadonlyMap<string, string>;
  readonly log: Logger;
  /** Prints a result, if results are wanted. */
  print(line: string): void;
}

export function openProgress<Name extends string>(
  args: Arguments<Name | ProgressOption>,
  surroundings: ProgressSurroundings,
): BuildProgress {
  const mode = chooseMode(args);
  switch (mode) {
    case "plain":
      return PLAIN;
    case "quiet":
      return openQuiet(surroundings);
    case "rawjson":
      return openJson(surroundings);
    case "auto":
    case "tty": {
      const obstacle = findObstacle(surroundings);
      if (obstacle === undefined) return new TerminalProgress(mode, surroundings.log);
      if (mode === "tty") surroundings.log.warning(`--progress=tty: ${obstacle}, showing lines`);
      return PLAIN;
    }
    default:
      return mode satisfies never;
  }
}

function chooseMode<Name extends string>(args: Arguments<Name | ProgressOption>): Progress {
  const mode = findValue(args, "progress") as Progress | undefined;
  if (!isGiven(args, "json")) return mode ?? "auto";
  if (mode === undefined || mode === "rawjson") return "rawjson";
  throw new UsageError(`argument --json: not allowed with --progress=${mode}`);
}

/** Why there can be no live view. */
function findObstacle({ environment, log }: ProgressSurroundings): string | undefined {
  if (!log.settings.isTerminal) return "the log does not go to a terminal";
  if (!Deno.stdout.isTerminal()) return "standard output is not a terminal";
  const term = environment.get("TERM") ?? "dumb";
  return term === "dumb" || term === "" ? "the terminal is a dumb one" : undefined;
}

const NOTHING: Disposable = { [Symbol.dispose]() {} };

/** The log alone. */
const PLAIN: BuildProgress = {
  openView: () => undefined,
  lendTerminal: () => NOTHING,
  interrupt() {},
  failed() {},
  succeeded() {},
  [Symbol.dispose]() {},
};

/** Nothing but what is wrong, and the image's name in the end. */
function openQuiet(surroundings: ProgressSurroundings): BuildProgress {
  const watching = surroundings.log.watch({
    onMessage: (level) => level === "error" || level === "warning",
    onProgress: () => ({ update() {}, ...NOTHING }),
  });
  return {
    ...PLAIN,
    output: { kind: "watched", joined: true, write() {} },
    succeeded: (name) => surroundings.print(name),
    [Symbol.dispose]: () => watching[Symbol.dispose](),
  };
}

function openJson({ log }: ProgressSurroundings): BuildProgress {
  const view = new JsonView(printLine, log);
  const watching = log.watch(view);
  return {
    ...PLAIN,
    openView: () => view,
    failed: (error) => view.fail(error),
    [Symbol.dispose]: () => watching[Symbol.dispose](),
  };
}

function printLine(line: string): void {
  try {
    writeText(Deno.stdout, line + "\n");
  } catch (error) {
    throw new ChError("can’t write to standard output", { cause: error });
  }
}

/** A live view; in mode auto only where several stages make one worth more than their lines. */
class TerminalProgress implements BuildProgress {
  #view: LiveView | undefined;
  #watching: Disposable | undefined;

  constructor(readonly mode: "auto" | "tty", readonly log: Logger) {}

  readonly openView: OpenView = (outline: BuildOutline) => {
    if (!this.log.shows("info") || (this.mode === "auto" && !outline.isParallel)) return undefined;
    const region = new LiveRegion(Deno.stderr, readTerminalSize);
    const view = new LiveView(outline, region, this.log);
    this.#watching = this.log.watch({ writer: region, onProgress: view.openMeter });
    this.#view = view;
    return view;
  };

  lendTerminal(): Disposable {
    this.#view?.pause();
    return { [Symbol.dispose]: () => this.#view?.resume() };
  }

  interrupt(): void {
    this.#close();
  }

  failed(): void {}
  succeeded(): void {}

  [Symbol.dispose](): void {
    this.#close();
  }

  #close(): void {
    this.#view?.[Symbol.dispose]();
    this.#watching?.[Symbol.dispose]();
    this.#view = undefined;
  }
}

/** Some terminals do not know theirs. */
function readTerminalSize(): TerminalSize {
  const { columns, rows } = Deno.consoleSize();
  return { columns: columns || 80, rows: rows || 24 };
}
