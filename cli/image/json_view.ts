// A build as JSON objects, one a line: events as lib/build/view.ts has them, messages of the log, output
// of commands, and an error in the end if there was one (ch-image(1)).

import { wholeLines } from "../../lib/build/stage_voice.ts";
import type { BuildEvent, BuildView } from "../../lib/build/view.ts";
import { ChError } from "../../lib/error.ts";
import type { Log, LogLevel } from "../../lib/log/log.ts";
import { describeError } from "../error_text.ts";
import type { LogWatcher } from "../logger.ts";

interface MessageEvent {
  readonly event: "message";
  readonly level: LogLevel;
  readonly message: string;
  readonly hint: string | undefined;
  /** Of the stage that it is about, if it is about one. */
  readonly stage: string | undefined;
}

interface OutputEvent {
  readonly event: "output";
  readonly stage: string;
  readonly stream: "stdout" | "stderr";
  /** One line, without its end. */
  readonly text: string;
}

interface ErrorEvent {
  readonly event: "error";
  readonly message: string;
  readonly hint: string | undefined;
}

type JsonEvent = BuildEvent | MessageEvent | OutputEvent | ErrorEvent;

export class JsonView implements BuildView, LogWatcher, Disposable {
  readonly showsInstructions = true;
  /** The stage that is saying something. */
  #speaking: string | undefined;

  /** PRINT gets lines, without their ends. */
  constructor(readonly print: (line: string) => void, readonly log: Log) {}

  readonly report = (event: JsonEvent): void => this.print(formatEvent(event));

  /** Only what is wrong is also shown to people. */
  readonly onMessage: NonNullable<LogWatcher["onMessage"]> = (level, message, hint) => {
    this.report({ event: "message", level, message, hint, stage: this.#speaking });
    return level === "error" || level === "warning";
  };

  readonly onProgress: Log["progress"] = () => ({ update() {}, [Symbol.dispose]() {} });

  readonly openVoice: BuildView["openVoice"] = (stage) => {
    const decoder = new TextDecoder();
    return {
      log: this.#markLog(stage),
      output: wholeLines(false, (stream, bytes) => {
        for (const text of decoder.decode(bytes).split("\n").slice(0, -1)) {
          this.report({ event: "output", stage, stream, text });
        }
      }),
    };
  };

  /** The build failed. */
  fail(error: unknown): void {
    const hint = error instanceof ChError ? error.hint : undefined;
    this.report({ event: "error", message: describeError(error), hint });
  }

  [Symbol.dispose](): void {}

  #markLog(stage: string): Log {
    const say = (work: () => void) => {
      this.#speaking = stage;
      try {
        work();
      } finally {
        this.#speaking = undefined;
      }
    };
    const { log } = this;
    return {
      error: (message, hint) => say(() => log.error(message, hint)),
      warning: (message, hint) => say(() => log.warning(message, hint)),
      info: (message) => say(() => log.info(message)),
      verbose: (message) => say(() => log.verbose(message)),
      debug: (message) => say(() => log.debug(message)),
      trace: (message) => say(() => log.trace(message)),
      progress: this.onProgress,
    };
  }
}

/** Bytes that are no text have the replacement character; what is not known is left out. */
export function formatEvent(event: JsonEvent): string {
  return JSON.stringify(
    event,
    (_, value) => typeof value === "string" ? value.toWellFormed() : value,
  );
}
