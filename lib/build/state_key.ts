// What the result of an instruction depends on beside the state before it: its text, and what the text
// does not show (spec build-cache §3). Files of the context by what lstat(2) tells, so that nothing is
// read to find out that nothing has changed.

import { listDirectory, openDirectory, openRoot, readEntry, type Stat } from "../../ffi/tree.ts";
import type { StateKey } from "../cache/state_store.ts";
import type { Dialect } from "../dockerfile/dialect.ts";
import { type CopyAction, formatAnnounced, type Prepared, type RunAction } from "./action.ts";
import { newExclusion } from "./exclusion.ts";
import { PASSED_THROUGH } from "./variables.ts";

/** GLOBAL_ARG: variables that RUN sees without any instruction of the stage that sets them. */
export function describeKey(
  { action, text }: Prepared,
  globalArg: ReadonlyMap<string, string>,
  { rules }: Dialect,
): StateKey {
  const key = { text: formatAnnounced(text) };
  const hidden = text.hidden === undefined ? [] : [`text\t${text.hidden}`];
  switch (action.op) {
    case "arg":
      // Where it comes from the caller, its value is none of the image's business.
      return PASSED_THROUGH.has(action.name) ? { text: `ARG ${action.name} [special]` } : key;
    case "copy":
      return {
        ...key,
        inputs: [...describeSources(action.copy), ...action.copy.versions, ...hidden],
      };
    case "rsync":
      return { ...key, inputs: action.rsync.sources.flatMap(describeTree) };
    case "run":
      return {
        ...key,
        inputs: [...describeVariables(globalArg, rules), ...describeMounts(action.run), ...hidden],
      };
    case "configure":
    case "env":
    case "label":
    case "shell":
    case "workdir":
      return key;
    default:
      return action satisfies never;
  }
}

/** By Docker's rules RUN does not see what no instruction of the stage asks for, the base's ARG neither. */
function describeVariables(
  globalArg: ReadonlyMap<string, string>,
  rules: Dialect["rules"],
): string[] {
  if (rules === "docker") return ["rules\tdocker"];
  return [...globalArg].map(([name, value]) => `ARG ${name}\t${value}`).sort();
}

/** What a cache is begun with is no input, as its content is none. */
function describeMounts({ mounts }: RunAction): string[] {
  return mounts.flatMap(({ mount, path }) =>
    mount.type === "bind" && path !== undefined ? describeTree(path) : []
  );
}

/** A line for each file, "PATH\tTYPE…", in a fixed order. */
export function describeSources(copy: CopyAction): string[] {
  const lines: string[] = [];
  for (const source of copy.sources) {
    const { given, path, stat } = source;
    lines.push(`${given}\t${describeFile(stat)}`);
    if (stat.type !== "directory") continue;
    const { excludes, hasExceptions } = newExclusion(source, copy.tree!, copy.exclude);
    const skips = (within: string, isDirectory: boolean) =>
      excludes(within) && !(isDirectory && hasExceptions);
    addBelow(copy.tree!.fd, path, { shown: given, within: "", skips }, lines);
  }
  return lines;
}

/** The same for PATH of the host and everything in it. */
function describeTree(path: string): string[] {
  using root = openRoot("/");
  const below = path.replace(/^\/+|\/+$/g, "");
  const stat = readEntry(root.fd, below);
  const lines = [`${path}\t${describeFile(stat)}`];
  const place = { shown: path, within: "", skips: () => false };
  if (stat.type === "directory") addBelow(root.fd, below, place, lines);
  return lines;
}

interface Place {
  readonly shown: string;
  /** Path in what was asked for. */
  readonly within: string;
  readonly skips: (within: string, isDirectory: boolean) => boolean;
}

function addBelow(fd: number, path: string, place: Place, lines: string[]): void {
  using directory = openDirectory(fd, path);
  for (const entry of listDirectory(directory.fd)) {
    const within = place.within === "" ? entry.name : `${place.within}/${entry.name}`;
    const isDirectory = entry.type === "directory";
    if (place.skips(within, isDirectory)) continue;
    const shown = `${place.shown}/${entry.name}`;
    lines.push(`${shown}\t${describeFile(entry)}`);
    if (isDirectory) addBelow(directory.fd, entry.name, { ...place, shown, within }, lines);
  }
}

/** A directory's size depends on its file system. */
function describeFile({ type, mode, size, mtime, mtimeNsec }: Stat): string {
  return `${type} ${mode.toString(8)} ${type === "directory" ? "" : size} ${mtime}.${mtimeNsec}`;
}
