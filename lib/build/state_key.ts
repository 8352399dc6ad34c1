// What the result of an instruction depends on beside the state before it: its text, and what the text
// does not show (spec build-cache §3). Files of the context by what lstat(2) tells, so that nothing is
// read to find out that nothing has changed.

import { listDirectory, openDirectory, type Stat } from "../../ffi/tree.ts";
import type { StateKey } from "../cache/state_store.ts";
import { type CopyAction, formatAnnounced, type Prepared } from "./action.ts";
import { PASSED_THROUGH } from "./variables.ts";

/** GLOBAL_ARG: variables that RUN sees without any instruction of the stage that sets them. */
export function describeKey(
  { action, text }: Prepared,
  globalArg: ReadonlyMap<string, string>,
): StateKey {
  const key = { text: formatAnnounced(text) };
  switch (action.op) {
    case "arg":
      // Where it comes from the caller, its value is none of the image's business.
      return PASSED_THROUGH.has(action.name) ? { text: `ARG ${action.name} [special]` } : key;
    case "copy":
      return { ...key, inputs: describeSources(action.copy) };
    case "run":
      return {
        ...key,
        inputs: [...globalArg].map(([name, value]) => `ARG ${name}\t${value}`).sort(),
      };
    case "env":
    case "label":
    case "shell":
    case "workdir":
      return key;
    default:
      return action satisfies never;
  }
}

/** A line for each file, "PATH\tTYPE…", in a fixed order. */
export function describeSources({ tree, sources }: CopyAction): string[] {
  const lines: string[] = [];
  for (const { given, path, stat } of sources) {
    lines.push(`${given}\t${describeFile(stat)}`);
    if (stat.type === "directory") addBelow(tree!.fd, path, given, lines);
  }
  return lines;
}

function addBelow(fd: number, path: string, given: string, lines: string[]): void {
  using directory = openDirectory(fd, path);
  for (const entry of listDirectory(directory.fd)) {
    const shown = `${given}/${entry.name}`;
    lines.push(`${shown}\t${describeFile(entry)}`);
    if (entry.type === "directory") addBelow(directory.fd, entry.name, shown, lines);
  }
}

/** A directory's size depends on its file system. */
function describeFile({ type, mode, size, mtime, mtimeNsec }: Stat): string {
  return `${type} ${mode.toString(8)} ${type === "directory" ? "" : size} ${mtime}.${mtimeNsec}`;
}
