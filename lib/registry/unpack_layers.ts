// The layers of a pulled image, put upon one another in a directory while they arrive.

import { ChError } from "../error.ts";
import { decompress } from "../layer/codec.ts";
import type { Source } from "../layer/entry.ts";
import { applyImageRules } from "../layer/image_rules.ts";
import { readTar } from "../layer/tar_reader.ts";
import type { Log } from "../log/log.ts";
import { LayeredTree } from "../oci/layered_tree.ts";
import type { BlobFile } from "./blob_file.ts";

export interface ArrivingLayer {
  readonly file: BlobFile;
  /** Before messages, e.g. "layer 1/2: 0123456: ". */
  readonly label: string;
  /** As messages name the archive. */
  readonly name: string;
}

/**
 * Unpacks LAYERS, the lowest first, into the empty directory ROOT_FD. Resolves when all of them are
 * verified as well. Throws a ChError; the directory is to be thrown away then.
 */
export async function unpackLayers(
  layers: readonly ArrivingLayer[],
  rootFd: number,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  log.info("flattening image");
  using tree = new LayeredTree(rootFd);
  for (const layer of layers) {
    log.info(`${layer.label}extracting`);
    await unpackLayer(layer, tree, log, signal);
  }
  await tree.finish();
  for (const { file } of layers) await file.whole;
}

async function unpackLayer(
  { file, label, name }: ArrivingLayer,
  tree: LayeredTree,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  let count = 0;
  async function* countMembers(members: Source): Source {
    for await (const member of members) {
      signal.throwIfAborted();
      count++;
      yield member;
    }
  }
  try {
    const members = countMembers(readTar(decompress(file.read(), name), name));
    await tree.apply(applyImageRules(members, { archive: name, label, log }));
  } catch (error) {
    signal.throwIfAborted();
    // Wrong bytes make for odd failures: that they are wrong is to be told first.
    await file.whole;
    if (error instanceof ChError) throw error;
    throw new ChError(`can’t extract ${label.replace(/: $/, "")}`, { cause: error });
  }
  if (count === 0) log.warning(`ignoring empty layer: ${label.split(": ")[1]}`);
}
