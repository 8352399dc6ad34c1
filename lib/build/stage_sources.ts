// Where instructions of a stage take files from: the context, other stages, images.

import type { Copy } from "../dockerfile/instruction.ts";
import { ChError } from "../error.ts";
import { parseReference } from "../reference/reference.ts";
import { requireImage } from "./base.ts";
import { findOption } from "./copy_prepare.ts";
import type { FoundMount, Mount } from "./mount.ts";
import type { Build } from "./request.ts";
import type { SourceTree } from "./source_tree.ts";
import { findSourceStage, type PlannedStage } from "./stages.ts";

/** The tree that COPY takes from. */
export async function openSources(
  copy: Copy,
  stage: PlannedStage,
  build: Build,
): Promise<SourceTree | undefined> {
  const from = findOption(copy.options, "from");
  return from === undefined ? build.sources.openContext() : await openSource(from, stage, build);
}

/** The stage or image NAME; undefined in a dry run for a stage, which was not built. */
async function openSource(
  name: string,
  stage: PlannedStage,
  build: Build,
): Promise<SourceTree | undefined> {
  const { options: { dryRun }, sources, tools: { store } } = build;
  const number = findSourceStage(name, stage, stage.count);
  if (number !== undefined) {
    if (dryRun) return undefined;
    const source = build.stages.find((each) => each.number === number)!;
    return sources.openImage(store.imagePath(source.reference));
  }
  return sources.openImage(await findImage(name, build));
}

async function findImage(name: string, build: Build): Promise<string> {
  try {
    return await requireImage(parseReference(name), build, undefined);
  } catch (cause) {
    if (!(cause instanceof ChError)) throw cause;
    throw new ChError(`--from: stage ${name} does not exist`, {
      hint: `nor is there an image of that name: ${cause.message}`,
    });
  }
}

/** Where the tree of MOUNT is, if it has one. */
export async function findMount(
  mount: Mount,
  stage: PlannedStage,
  build: Build,
): Promise<FoundMount> {
  if (mount.type !== "bind" && (mount.type !== "cache" || mount.from === undefined)) {
    return { mount, path: undefined };
  }
  const tree = mount.from === undefined
    ? build.sources.openContext()
    : await openSource(mount.from, stage, build);
  return { mount, path: tree === undefined ? undefined : tree.hostPath(mount.source) };
}
