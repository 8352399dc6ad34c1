// A compressed tar archive as the output of a conversion.

import { compress } from "../layer/compress.ts";
import type { Source } from "../layer/entry.ts";
import { ownerNameFinder } from "../layer/owner_names.ts";
import { streamTar } from "../layer/tar_stream.ts";
import { writeFile } from "./file_output.ts";
import type { TarOptions } from "./output_options.ts";

export interface TarFileOptions extends TarOptions {
  readonly xattrs: boolean;
  readonly noClobber: boolean;
  readonly onSkippedSockets: (count: number) => void;
}

/** Writes SOURCE to PATH, replacing what is there. If it throws, nothing has changed. */
export async function writeTarFile(
  source: Source,
  path: string,
  { xattrs, compression, level, owner, noClobber, onSkippedSockets }: TarFileOptions,
): Promise<void> {
  const archive = streamTar(source, {
    // GNU's own format has no place for attributes.
    format: xattrs ? "pax" : "gnu",
    owner,
    findNames: ownerNameFinder(),
    onSkippedSockets,
  });
  await writeFile(compress(archive, compression, level), path, noClobber);
}
