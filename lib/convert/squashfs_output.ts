// A SquashFS file as the output of a conversion.

import { displayOsString } from "../../ffi/os_string.ts";
import { findEntry, openRoot } from "../../ffi/tree.ts";
import { copyEntries, type Source } from "../layer/entry.ts";
import { missingEntries, MOUNT_POINTS } from "../layer/image_skeleton.ts";
import { SquashfsWriter } from "../squashfs/writer.ts";
import { clampTimes } from "./clamp_times.ts";
import { explainWriting } from "./file_output.ts";
import { BOOKKEEPING, directoryOf } from "./image_source.ts";
import { ByteMeter } from "./meter.ts";
import type { SquashOptions } from "./output_options.ts";
import type { ConvertRequest } from "./request.ts";

/** Writes the input, which SOURCE gives completed, to PATH. If it throws, nothing has changed. */
export async function writeSquashfs(
  source: () => Source,
  path: string,
  { compression, level, blockSize, owner }: SquashOptions,
  request: ConvertRequest,
): Promise<void> {
  const { input, noClobber, epoch, xattrs, log } = request;
  using writer = new SquashfsWriter(path, {
    ...compression && { compression },
    ...level !== undefined && { level },
    ...blockSize !== undefined && { blockSize },
    ...epoch !== undefined && { time: epoch },
    ownership: owner,
    keepExisting: noClobber,
    onLostXattr: (name, path) =>
      log.warning(`SquashFS can’t hold extended attribute ${name}: ${displayOsString(path)}`),
  });
  const directory = xattrs ? undefined : directoryOf(input, request);
  try {
    if (directory !== undefined) await packDirectory(directory, writer, request);
    else await copyEntries(clampTimes(source(), epoch), writer);
  } catch (error) {
    throw explainWriting(error, path);
  }
  const { inodes, bytes, data } = writer.counts!;
  log.verbose(`packed: ${inodes} inodes, ${data} bytes of data into ${bytes} bytes`);
}

/** The same as by entries, in one call: with many small files most of the time would go to passing them on. */
async function packDirectory(
  path: string,
  writer: SquashfsWriter,
  { epoch, log, signal }: ConvertRequest,
): Promise<void> {
  const phase = "packing ...";
  log.info(phase);
  using root = openRoot(path);
  using meter = new ByteMeter(log, phase, undefined);
  let done = 0;
  await writer.addTree(root.fd, {
    name: path,
    exclude: [...BOOKKEEPING],
    directoryMode: 0o700,
    ...epoch !== undefined && { latest: epoch },
    signal,
    onProgress: (bytes) => {
      meter.add(bytes - done);
      done = bytes;
    },
  });
  for (const entry of missingEntries((path) => findEntry(root.fd, path)?.type, MOUNT_POINTS)) {
    await writer.write(entry);
  }
  await writer.finish();
}
