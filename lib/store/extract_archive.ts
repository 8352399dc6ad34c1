// A tar archive becomes an image, by the rules for what comes from outside (lib/layer/image_rules.ts).

import { displayOsString } from "../../ffi/os_string.ts";
import { decompress, openFileChunks } from "../layer/codec.ts";
import { surveyMembers } from "../layer/enclosing_directory.ts";
import { copyEntries, type Source } from "../layer/entry.ts";
import { applyImageRules } from "../layer/image_rules.ts";
import { splitPath } from "../layer/member_path.ts";
import { readTar } from "../layer/tar_reader.ts";
import { TreeWriter } from "../layer/tree_writer.ts";
import type { Log } from "../log/log.ts";

export interface ExtractOptions {
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
}

/** Name of a file that says that a lower layer's is gone; there is no lower layer here. */
const WHITEOUT = ".wh.";
const ID_LENGTH = 7;

/**
 * Extracts the archive PATH into the empty directory ROOT_FD. Throws a ChError if it is damaged, cut off,
 * or has members that must be refused.
 */
export async function extractArchive(
  path: string,
  rootFd: number,
  { log, signal }: ExtractOptions,
): Promise<void> {
  const name = displayOsString(path);
  const id = displayOsString(splitPath(path)[1].split(".")[0]!).slice(0, ID_LENGTH);
  const label = `layer 1/1: ${id}: `;
  const open = () => readTar(decompress(stopWhenAborted(openFileChunks(path), signal), name), name);
  try {
    log.info("flattening image");
    log.info(`${label}listing`);
    const { enclosing, isEmpty } = await surveyMembers(open());
    if (isEmpty) log.warning(`ignoring empty layer: ${id}`);
    log.info("validating tarball members");
    log.info("resolving whiteouts");
    log.info(`${label}extracting`);
    const members = applyImageRules(open(), { archive: path, label, log }, enclosing);
    using writer = new TreeWriter(rootFd);
    await copyEntries(withoutWhiteouts(members), writer);
  } catch (error) {
    // The reader below takes an abort for a damaged file.
    signal?.throwIfAborted();
    throw error;
  }
}

async function* withoutWhiteouts(source: Source): Source {
  for await (const entry of source) {
    if (!splitPath(entry.path)[1].startsWith(WHITEOUT)) yield entry;
  }
}

async function* stopWhenAborted(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of chunks) {
    signal?.throwIfAborted();
    yield chunk;
  }
}
