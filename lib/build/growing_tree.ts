// The tree of a stage's image in the making, in a scratch directory of the storage.

import type { State, StateStore } from "../cache/state_store.ts";
import type { ImageTransaction } from "../store/transaction.ts";
import { copyBase } from "./base.ts";
import type { RunTree } from "./container.ts";
import { probeOverlay } from "./overlay_probe.ts";
import type { Build } from "./request.ts";
import type { PlannedStage } from "./stages.ts";

export class GrowingTree implements Disposable {
  readonly rootFd: number;
  readonly rootPath: string;
  readonly run: RunTree;
  /** Which state it holds; undefined while it may be on the way to another, or without a build cache. */
  state: State | undefined;

  /** FILES: "shared" if they are links to what must not change. */
  private constructor(
    readonly image: ImageTransaction,
    readonly files: "shared" | "copied",
    readonly cache: StateStore,
    hasOverlay: boolean,
  ) {
    this.rootFd = image.rootFd;
    this.rootPath = image.rootPath;
    this.run = {
      rootPath: image.rootPath,
      rootFd: image.rootFd,
      hasOverlay,
      newDirectory: (name) => image.newDirectory(name),
    };
  }

  /** A copy of the base's directory. */
  static copy(stage: PlannedStage, build: Build): Promise<GrowingTree> {
    return newTree(
      stage,
      build,
      (image, files) => copyBase(stage.base, image, files === "shared", build),
    );
  }

  /** The files of a state. */
  static async checkOut(
    state: State,
    stage: PlannedStage,
    build: Build,
  ): Promise<GrowingTree> {
    const { cache, log } = build.tools;
    const tree = await newTree(stage, build, async (image, files) => {
      log.info(
        cache.isPlaced(stage.reference)
          ? "updating existing image ..."
          : "copying image from cache ...",
      );
      await cache.checkOut(state, image, files);
    });
    tree.state = state;
    return tree;
  }

  [Symbol.dispose](): void {
    const { state } = this;
    this.state = undefined;
    if (state !== undefined && this.files === "shared") this.cache.giveBack(this.image, state);
    this.image[Symbol.dispose]();
  }

  /** For {@linkcode newTree} only. */
  static make(
    image: ImageTransaction,
    files: "shared" | "copied",
    cache: StateStore,
    hasOverlay: boolean,
  ): GrowingTree {
    return new GrowingTree(image, files, cache, hasOverlay);
  }
}

async function newTree(
  stage: PlannedStage,
  build: Build,
  fill: (image: ImageTransaction, files: "shared" | "copied") => Promise<void>,
): Promise<GrowingTree> {
  const { options: { changes }, tools } = build;
  const image = tools.store.newImage(stage.reference);
  try {
    const hasRun = stage.instructions.some(({ kind }) => kind === "run" || kind === "rsync");
    const hasOverlay = hasRun && changes !== "in-place" &&
      await probeOverlay(image.newDirectory("probe"), tools);
    if (hasRun && !hasOverlay) tools.log.verbose("no overlay to be had, RUN works on a copy");
    const files = hasOverlay || !hasRun ? "shared" : "copied";
    await fill(image, files);
    return GrowingTree.make(image, files, tools.cache, hasOverlay);
  } catch (error) {
    image[Symbol.dispose]();
    throw error;
  }
}
