// The terminal is a shell's (--shell-on-fail), Ctrl-C too, and what other stages have to say waits.

import type { BuildProgress } from "./build_progress.ts";
import type { Context } from "./sub_command.ts";

/** Lends it once: of stages that fail at the same time the first has a shell, and the build ends with it. */
export class TerminalLender {
  #returned: Promise<void> | undefined;

  constructor(
    readonly context: Pick<Context, "log" | "leaveInterrupts">,
    readonly progress: Pick<BuildProgress, "lendTerminal">,
  ) {}

  /**
   * Shows ANNOUNCEMENT; then the terminal is the caller's until what is returned is disposed of. Undefined,
   * when it is back, if somebody else has it.
   */
  readonly lend = async (announcement: string): Promise<Disposable | undefined> => {
    if (this.#returned !== undefined) {
      await this.#returned;
      return undefined;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#returned = promise;
    const parts = new DisposableStack();
    parts.defer(resolve);
    parts.use(this.progress.lendTerminal());
    parts.use(this.context.leaveInterrupts());
    this.context.log.info(announcement);
    parts.use(this.context.log.valve.shut());
    return parts;
  };
}
