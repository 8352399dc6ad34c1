// A stage's image while it grows: its tree in a scratch directory of the storage, its state, and its
// name in the end. In a dry run there is no tree, and nothing is stored.

import type { Stage } from "../dockerfile/program.ts";
import type { Metadata } from "../store/metadata.ts";
import { writeMetadata } from "../store/metadata_files.ts";
import type { ImageTransaction } from "../store/transaction.ts";
import { formatForHistory, type Prepared } from "./action.ts";
import { type BaseChoice, copyBase, readBaseMetadata } from "./base.ts";
import type { Build } from "./request.ts";
import type { RunTree } from "./container.ts";
import { executeAction } from "./execute.ts";
import { probeOverlay } from "./overlay_probe.ts";
import { RootEmulation } from "./root_emulation.ts";
import { StageState } from "./state.ts";

export class Growth implements Disposable {
  readonly state: StageState;
  readonly #build: Build;
  readonly #image: GrowingImage | undefined;
  readonly #emulation: RootEmulation;
  /** Whether the metadata in the tree is behind `state`. */
  #isStale = true;

  private constructor(build: Build, base: Metadata, image: GrowingImage | undefined) {
    this.#build = build;
    this.#image = image;
    this.#emulation = new RootEmulation(build.options.force);
    const { globalArg, tools: { caller } } = build;
    this.state = new StageState({ base, caller, globalArg });
  }

  /** Makes the tree a copy of BASE's. Throws a ChError; then nothing is left of it. */
  static async begin(stage: Stage, base: BaseChoice, build: Build): Promise<Growth> {
    const { options: { dryRun }, stages, tools } = build;
    const metadata = await readBaseMetadata(base, build);
    if (dryRun) return new Growth(build, metadata, undefined);

    tools.log.info("copying image ...");
    const transaction = tools.store.newImage(stages.referenceOf(stages.current));
    try {
      const image = await fill(transaction, stage, base, build);
      const growth = new Growth(build, metadata, image);
      growth.#emulation.begin(image.tree, tools);
      return growth;
    } catch (error) {
      transaction[Symbol.dispose]();
      throw error;
    }
  }

  /** How many RUN commands root emulation changed. */
  get modified(): number {
    return this.#emulation.modified;
  }

  /** Carries an instruction out, and remembers it. */
  async execute({ action, text }: Prepared): Promise<void> {
    const { tools } = this.#build;
    const { state } = this;
    tools.signal.throwIfAborted();
    state.apply(action);
    if (this.#image !== undefined) {
      if (action.op === "run" || action.op === "copy") this.#saveMetadata();
      const { tree } = this.#image;
      const { directoryMode } = tools;
      await executeAction(action, {
        tree,
        state,
        emulation: this.#emulation,
        tools,
        directoryMode,
      });
    }
    state.addHistory(formatForHistory(text), tools.now());
    this.#isStale = true;
  }

  /** The image gets its name. */
  commit(): void {
    const { stages, finished, tools } = this.#build;
    tools.signal.throwIfAborted();
    finished.set(stages.current, this.state.toMetadata());
    this.#saveMetadata();
    this.#image?.transaction.commit();
  }

  [Symbol.dispose](): void {
    this.#image?.transaction[Symbol.dispose]();
  }

  #saveMetadata(): void {
    if (!this.#isStale || this.#image === undefined) return;
    writeMetadata(this.#image.tree.rootFd, this.state.toMetadata(), this.#build.tools.log);
    this.#isStale = false;
  }
}

interface GrowingImage {
  readonly transaction: ImageTransaction;
  readonly tree: RunTree;
}

async function fill(
  transaction: ImageTransaction,
  stage: Stage,
  base: BaseChoice,
  build: Build,
): Promise<GrowingImage> {
  const { options: { changes }, tools } = build;
  const hasRun = stage.instructions.some(({ kind }) => kind === "run");
  const hasOverlay = hasRun && changes === "auto" &&
    await probeOverlay(transaction.newDirectory("probe"), tools);
  if (hasRun && !hasOverlay) tools.log.verbose("no overlay to be had, RUN works on a copy");
  const isShared = hasOverlay || !hasRun;
  await copyBase(base, transaction, isShared, build);
  const tree = {
    rootPath: transaction.rootPath,
    rootFd: transaction.rootFd,
    hasOverlay,
    newDirectory: (name: string) => transaction.newDirectory(name),
  };
  return { transaction, tree };
}
