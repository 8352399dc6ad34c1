// The layers of a pulled image, put upon one another in a directory while they arrive.

import { ChError } from "../error.ts";
import type { BufferRing } from "../layer/buffer_ring.ts";
import { decompress, newDecompressionRing } from "../layer/codec.ts";
import { applyImageRules } from "../layer/image_rules.ts";
import { begin } from "../layer/read_ahead.ts";
import { readTar } from "../layer/tar_reader.ts";
import type { Log } from "../log/log.ts";
import { HashedStream } from "../oci/hashed_stream.ts";
import { LayeredTree } from "../oci/layered_tree.ts";
import { type BlobFile, newReadingRing } from "./blob_file.ts";

export interface ArrivingLayer {
  readonly file: BlobFile;
  /** Before messages, e.g. "layer 1/2: 0123456: ". */
  readonly label: string;
  /** As messages name the archive. */
  readonly name: string;
  /** Digest of the archive before it was compressed; undefined if nobody tells. */
  readonly diffId: string | undefined;
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
  // All of that is done while a layer is unpacked; who waits for the lines gets them where it begins.
  for (const { label } of layers) log.info(`${label}listing`);
  log.info("validating tarball members");
  log.info("resolving whiteouts");
  using tree = new LayeredTree(rootFd);
  const memory = [newMemory(), newMemory()] as const;
  const open = (index: number) => {
    const layer = layers[index];
    return layer && begin(readArchive(layer, memory[index % 2]!));
  };
  let next = open(0);
  try {
    for (const [index, layer] of layers.entries()) {
      const archive = next!;
      // Its beginning is at hand when this one ends.
      next = open(index + 1);
      log.info(`${layer.label}extracting`);
      await unpackLayer(layer, archive, tree, log, signal);
    }
  } finally {
    // It may wait for what does not come any more, so it is not waited for.
    next?.return().catch(() => {});
  }
  await tree.finish();
  for (const { file } of layers) await file.whole;
}

interface Memory {
  readonly reading: BufferRing;
  readonly decompression: BufferRing;
}

function newMemory(): Memory {
  return { reading: newReadingRing(), decompression: newDecompressionRing() };
}

function readArchive({ file, name }: ArrivingLayer, { reading, decompression }: Memory) {
  return decompress(file.read(reading), name, decompression);
}

async function unpackLayer(
  { file, label, name, diffId }: ArrivingLayer,
  bytes: AsyncIterable<Uint8Array>,
  tree: LayeredTree,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  let count = 0;
  const onMember = () => {
    signal.throwIfAborted();
    count++;
  };
  try {
    await using archive = new HashedStream(bytes);
    const members = readTar(archive.read(), name);
    await tree.apply(applyImageRules(members, { archive: name, label, log, onMember }));
    if (diffId !== undefined) requireDiffId(await archive.finish(), diffId, label);
  } catch (error) {
    signal.throwIfAborted();
    // Wrong bytes make for odd failures: that they are wrong is to be told first.
    await file.whole;
    if (error instanceof ChError) throw error;
    throw new ChError(`can’t extract ${label.replace(/: $/, "")}`, { cause: error });
  }
  if (count === 0) log.warning(`ignoring empty layer: ${label.split(": ")[1]}`);
}

/** The configuration is what an image is known by: its layers are to be those that it means. */
function requireDiffId(actual: string, diffId: string, label: string): void {
  if (actual === diffId) return;
  throw new ChError(`${label}uncompressed content is not what the config says`, {
    cause: new ChError(`digest is ${actual}, not ${diffId}`),
  });
}
