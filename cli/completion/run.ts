// Completing ch-run (spec other-tools §1.3).

import { RUN_COMMAND } from "../run_table.ts";
import { ALL_FILES, completeFiles, DIRECTORIES, expandTilde } from "./files.ts";
import { type Line, readLine } from "./line.ts";
import { directoriesFor, imagesOf, optionsOf, type Request, withPrefix } from "./tool.ts";
import { SQUASH } from "./convert.ts";

export const FEATURES = ["extglob", "overlayfs", "seccomp", "squash", "tmpfs-xattrs"];

export function completeRun(request: Request): string[] {
  const line = readLine(RUN_COMMAND, request.words);
  // The command in the container is none of ours.
  if (request.words.slice(0, -1).includes("--")) return [];
  if (line.pending !== undefined) return completeValue(line, request);
  const options = optionsOf(RUN_COMMAND);
  const afterSetEnv = /^--set-env0?$/.test(request.words.at(-2) ?? "");
  const files = (choice: typeof ALL_FILES) => completeFiles(line.word, choice, request.world);
  if (afterSetEnv) return [...options, ...files(ALL_FILES)];
  if (hasImage(line, request)) return [...options];
  return [...options, ...files({ files: SQUASH, directories: true }), ...imagesOf(request)];
}

function completeValue(line: Line, request: Request): string[] {
  switch (line.pending!.long) {
    case "feature":
      return withPrefix(line, FEATURES);
    case "mount":
    case "overlay":
      return withPrefix(line, completeFiles(line.word, DIRECTORIES, request.world));
    case "set-env":
    case "set-env0":
      return withPrefix(line, completeFiles(line.word, ALL_FILES, request.world));
    case "storage":
      return directoriesFor(line, request);
    default:
      return [];
  }
}

/** Whether one of the words before the cursor is an image: a file or directory that is there, or one in storage. */
function hasImage({ positionals }: Line, request: Request): boolean {
  const { world } = request;
  const images = imagesOf(request);
  return positionals.some((word) => {
    const kind = world.kindOf(expandTilde(word, world));
    return kind === "directory" || images.includes(word) ||
      (kind === "file" && /\.(?:sqfs|tar\..{1,2}|tgz)$/.test(word));
  });
}
