// Root emulation in one stage of a build: runs its RUN commands, changed as the force mode wants it
// (spec dockerfile §10).

import { displayOsString } from "../../ffi/os_string.ts";
import type { Step } from "../../ffi/plan.ts";
import { printList } from "../dockerfile/print.ts";
import { ChError } from "../error.ts";
import type { RunAction } from "./action.ts";
import {
  type CommandPurpose,
  type CommandResult,
  type ContainerTools,
  runInTree,
  type RunTree,
} from "./container.ts";
import { chooseFakerootConfig, type FakerootConfig, needsFakeroot } from "./fakeroot.ts";
import type { Force, ForceMode } from "./force.ts";
import { injectArguments } from "./force_command.ts";
import { findText } from "./image_text.ts";

/** Around RUN's command, but not around what root emulation does on the side. */
export interface RunExtras {
  readonly mounts: readonly Step[];
  /** "NAME=VALUE" */
  readonly variables: readonly string[];
  readonly noNetwork: boolean;
}

const NO_EXTRAS: RunExtras = { mounts: [], variables: [], noNetwork: false };

export interface RunSurroundings {
  readonly tree: RunTree;
  readonly tools: ContainerTools;
  readonly environment: readonly string[];
  readonly cwd: string;
  /** See {@linkcode ContainerCommand}. */
  readonly shell: string;
}

export class RootEmulation {
  readonly #force: Force;
  #fakeroot: FakerootConfig | undefined;
  #isInitialized = false;
  #modified = 0;

  constructor(force: Force) {
    this.#force = force;
  }

  get mode(): ForceMode {
    return this.#force.mode;
  }

  /** How many RUN commands were changed. */
  get modified(): number {
    return this.#modified;
  }

  /** To be called when the stage's base is there. Throws if the image is none that fakeroot is for. */
  begin({ rootFd }: RunTree, { log }: ContainerTools): void {
    if (this.#force.mode !== "fakeroot") return;
    const config = chooseFakerootConfig((path) => findText(rootFd, path));
    log.info(`--force=fakeroot: will use: ${config.key}: ${config.name}`);
    this.#fakeroot = config;
  }

  /** Runs the command, as {@linkcode runInTree} has it. */
  async run(
    run: Pick<RunAction, "argv" | "form">,
    surroundings: RunSurroundings,
    extras: RunExtras,
  ): Promise<CommandResult> {
    const argv = await this.#modify(run, surroundings);
    if (argv.length !== run.argv.length || argv.some((word, index) => word !== run.argv[index])) {
      this.#modified++;
      surroundings.tools.log.info(`--force: RUN: new command: ${printList(argv)}`);
    }
    return await this.#runCommand(argv, surroundings, extras);
  }

  async #modify(
    run: Pick<RunAction, "argv" | "form">,
    surroundings: RunSurroundings,
  ): Promise<readonly string[]> {
    switch (this.#force.mode) {
      case "none":
        return run.argv;
      case "seccomp":
        return injectArguments(run.argv, run.form, this.#force.commands);
      case "fakeroot": {
        const config = this.#fakeroot!;
        if (!needsFakeroot(run.argv, config)) return run.argv;
        if (!this.#isInitialized) await this.#initialize(config, surroundings);
        this.#isInitialized = true;
        return ["fakeroot", ...run.argv];
      }
      default:
        return this.#force.mode satisfies never;
    }
  }

  async #initialize(config: FakerootConfig, surroundings: RunSurroundings): Promise<void> {
    const { log } = surroundings.tools;
    const run = (command: string) =>
      this.#runCommand(["/bin/sh", "-c", command], { ...surroundings, cwd: "/" }, "preparation");
    for (const [index, step] of config.steps.entries()) {
      const head = `--force=fakeroot: init step ${index + 1}`;
      log.info(`${head}: checking: $ ${step.check}`);
      if ((await run(step.check)).status === 0) {
        log.info(`${head}: exit 0, step not needed`);
        continue;
      }
      log.info(`${head}: $ ${step.do}`);
      const { status } = await run(step.do);
      if (status !== 0) {
        throw new ChError(`command failed with code ${status}: ${displayOsString(step.do)}`);
      }
    }
  }

  #runCommand(
    argv: readonly string[],
    surroundings: RunSurroundings,
    extras: RunExtras | "preparation",
  ): Promise<CommandResult> {
    const { tree, tools, cwd, shell } = surroundings;
    const purpose: CommandPurpose = extras === "preparation" ? extras : "instruction";
    const { mounts, variables, noNetwork } = extras === "preparation" ? NO_EXTRAS : extras;
    const environment = [...surroundings.environment, ...variables];
    const seccomp = this.#force.mode === "seccomp";
    const command = { argv, environment, cwd, seccomp, purpose, mounts, noNetwork, shell };
    return runInTree(command, tree, tools);
  }
}
