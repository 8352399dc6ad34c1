// The tree of a stage's image in the making, in a scratch directory of the storage.

import type { State } from "../cache/state_store.ts";
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

  private constructor(readonly image: ImageTransaction, hasOverlay: boolean, isShared: boolean) {
    this.rootFd = image.rootFd;
    this.rootPath = image.rootPath;
    this.files = isShared ? "shared" : "copied";
    this.run = {
      rootPath: image.rootPath,
      rootFd: image.rootFd,
      hasOverlay,
      newDirectory: (name) => image.newDirectory(name),
    };
  }

  /** Whether files of the tree are links to what must not change. */
  readonly files: "shared" | "copied";

  /** A copy of the base's directory. */
  static copy(stage: PlannedStage, build: Build): Promise<GrowingTree> {
    return newTree(
      stage,
      build,
      (tree) => copyBase(stage.base, tree.image, tree.files === "shared", build),
    );
  }

  /** The files of a state. */
  static checkOut(state: State, stage: PlannedStage, build: Build): Promise<GrowingTree> {
    const { cache, log } = build.tools;
    return newTree(stage, build, async (tree) => {
      log.info(
        cache.isPlaced(stage.reference)
          ? "updating existing image ..."
          : "copying image from cache ...",
      );
      await cache.checkOut(state, tree.image, tree.files);
    });
  }

  [Symbol.dispose](): void {
    this.image[Symbol.dispose]();
  }

  /** For {@linkcode newTree} only. */
  static make(image: ImageTransaction, hasOverlay: boolean, isShared: boolean): GrowingTree {
    return new GrowingTree(image, hasOverlay, isShared);
  }
}

async function newTree(
  stage: PlannedStage,
  build: Build,
  fill: (tree: GrowingTree) => Promise<void>,
): Promise<GrowingTree> {
  const { options: { changes }, tools } = build;
  const image = tools.store.newImage(stage.reference);
  try {
    const hasRun = stage.instructions.some(({ kind }) => kind === "run" || kind === "rsync");
    const hasOverlay = hasRun && changes !== "in-place" &&
      await probeOverlay(image.newDirectory("probe"), tools);
    if (hasRun && !hasOverlay) tools.log.verbose("no overlay to be had, RUN works on a copy");
    const tree = GrowingTree.make(image, hasOverlay, hasOverlay || !hasRun);
    await fill(tree);
    return tree;
  } catch (error) {
    image[Symbol.dispose]();
    throw error;
  }
}
