// Completing ch-image (spec other-tools §1.3).

import { CH_IMAGE, withCommonOptions } from "../image/help.ts";
import { SUB_COMMANDS } from "../image/table.ts";
import { ALL_FILES, completeFiles, DIRECTORIES } from "./files.ts";
import { hasOption, type Line, readLine } from "./line.ts";
import { directoriesFor, imagesOf, optionsOf, type Request, withPrefix } from "./tool.ts";
import { TAR } from "./convert.ts";

export const ARCHITECTURES = [
  ...["host", "yolo", "amd64", "arm/v5", "arm/v6", "arm/v7"],
  ...["arm64/v8", "386", "mips64le", "ppc64le", "s390x"],
];

const SELECTORS = ["bucache", "bucache-dot", "logging", "python-path", "storage-path"];

export async function completeImage(request: Request): Promise<string[]> {
  const general = readLine(CH_IMAGE, request.words, true);
  const [name] = general.positionals;
  if (name === undefined) {
    if (general.pending !== undefined) return completeValue(general, request);
    return [...Object.keys(SUB_COMMANDS), ...optionsOf(CH_IMAGE)];
  }
  const listed = Object.hasOwn(SUB_COMMANDS, name) ? SUB_COMMANDS[name] : undefined;
  if (listed === undefined) return [];
  const command = withCommonOptions(await listed.load());
  const line = readLine(command, request.words);
  if (line.pending !== undefined) return completeValue(line, request);
  const options = line.isEnded ? [] : optionsOf(command);
  return [...options, ...completeOperand(name, line, request)];
}

function completeValue(line: Line, request: Request): string[] {
  const { world } = request;
  const option = line.pending!;
  switch (option.long) {
    case "arch":
      return withPrefix(line, ARCHITECTURES);
    case "storage":
      return directoriesFor(line, request);
    case "file":
    case "iidfile":
    case "shell":
      return withPrefix(line, completeFiles(line.word, ALL_FILES, world));
    case "bind":
    case "image":
      return withPrefix(line, completeFiles(line.word, DIRECTORIES, world));
    default:
      return withPrefix(line, option.choices ?? []);
  }
}

function completeOperand(name: string, line: Line, request: Request): string[] {
  const files = (choice: typeof ALL_FILES) => completeFiles(line.word, choice, request.world);
  switch (name) {
    case "build":
      return [...forceModes(request), ...files(DIRECTORIES)];
    case "delete":
    case "inspect":
    case "push":
      return imagesOf(request);
    case "list":
      return [
        ...line.word.startsWith("--undelete") ? ["--undeleteable"] : [],
        ...imagesOf(request, hasUndeletable(line) ? "deleted" : "present"),
      ];
    case "modify":
      return [...forceModes(request), ...imagesOf(request), ...files(ALL_FILES)];
    case "undelete":
      return imagesOf(request, "deleted");
    case "gestalt":
      return SELECTORS;
    case "import":
      return files({ files: TAR, directories: true });
    default:
      return [];
  }
}

function hasUndeletable(line: Line): boolean {
  return hasOption(line, "undeletable") || hasOption(line, "undeleteable");
}

/** After `--force`, which can do without an argument. */
function forceModes({ words }: Request): string[] {
  return words.at(-2) === "--force" ? ["fakeroot", "none", "seccomp"] : [];
}
