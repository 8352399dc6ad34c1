// Completing ch-convert (spec other-tools §1.3).

import { FORMATS } from "../../lib/convert/format.ts";
import { CONVERT } from "../convert_options.ts";
import { completeFiles, type FileChoice } from "./files.ts";
import { type Line, readLine, valueOf } from "./line.ts";
import { directoriesFor, imagesOf, optionsOf, type Request, withPrefix } from "./tool.ts";

export const TAR = /\.(?:tar|t.z|tzst|tbz2)$|\.tar\.[^.]+$/;
export const SQUASH = /\.(?:sqfs|squash|squashfs|squishy)$/;

const COMPRESSIONS = ["bzip2", "gzip", "lz4", "none", "xz", "zstd"];

export function completeConvert(request: Request): string[] {
  const line = readLine(CONVERT, request.words, true);
  if (line.pending !== undefined) return completeValue(line, request);
  switch (line.positionals.length) {
    case 0:
      return [...line.isEnded ? [] : optionsOf(CONVERT), ...completeInput(line, request)];
    case 1:
      return completeOutput(line, request);
    default:
      return [];
  }
}

function completeValue(line: Line, request: Request): string[] {
  const formatsBut = (other: string | undefined) =>
    withPrefix(line, FORMATS.filter((format) => format !== other));
  switch (line.pending!.long) {
    case "in-fmt":
      return formatsBut(valueOf(line, "out-fmt"));
    case "out-fmt":
      return formatsBut(valueOf(line, "in-fmt"));
    case "comp":
      return withPrefix(line, COMPRESSIONS);
    case "storage":
    case "tmp":
      return directoriesFor(line, request);
    default:
      return withPrefix(line, line.pending!.choices ?? []);
  }
}

function completeInput(line: Line, request: Request): string[] {
  const files = (choice: FileChoice) => completeFiles(line.word, choice, request.world);
  const format = valueOf(line, "in-fmt") as typeof FORMATS[number] | undefined;
  switch (format) {
    case undefined:
      return [
        ...files({ files: new RegExp(`${TAR.source}|${SQUASH.source}`), directories: true }),
        ...imagesOf(request),
      ];
    case "ch-image":
      return imagesOf(request);
    case "dir":
      return files({ directories: true });
    case "squash":
      return files({ files: SQUASH, directories: true });
    case "tar":
    case "docker-archive":
    case "oci-archive":
      return files({ files: TAR, directories: true });
    case "oci":
      return files({ directories: true });
    case "docker":
    case "podman":
      return [];
    default:
      return format satisfies never;
  }
}

function completeOutput(line: Line, { world }: Request): string[] {
  const isElsewhere = ["ch-image", "docker", "podman"].includes(valueOf(line, "out-fmt") ?? "");
  return isElsewhere ? [] : completeFiles(line.word, { directories: true }, world);
}
