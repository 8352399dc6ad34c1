// A compressed tar archive as the output of a conversion.

import { OutputFile } from "../../ffi/output_file.ts";
import { compress, type Compressor } from "../layer/compress.ts";
import type { Source } from "../layer/entry.ts";
import { ownerNameFinder } from "../layer/owner_names.ts";
import { streamTar } from "../layer/tar_stream.ts";

export interface TarFileOptions {
  readonly xattrs: boolean;
  readonly compressor: Compressor;
  readonly level: number | undefined;
  readonly owner: "root" | "keep";
  readonly onSkippedSockets: (count: number) => void;
}

/** Writes SOURCE to PATH, replacing what is there. If it throws, nothing has changed. */
export async function writeTarFile(
  source: Source,
  path: string,
  { xattrs, compressor, level, owner, onSkippedSockets }: TarFileOptions,
): Promise<void> {
  using file = new OutputFile(path);
  const archive = streamTar(source, {
    // GNU's own format has no place for attributes.
    format: xattrs ? "pax" : "gnu",
    owner,
    findNames: ownerNameFinder(),
    onSkippedSockets,
  });
  for await (const chunk of compress(archive, compressor, level)) await file.write(chunk);
  await file.commit();
}
