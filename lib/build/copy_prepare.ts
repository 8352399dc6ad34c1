// COPY and ADD made ready: sources found, destination put together.

import type { Copy, InstructionOption } from "../dockerfile/instruction.ts";
import { printList } from "../dockerfile/print.ts";
import { ChError } from "../error.ts";
import type { OtherSource, Prepared } from "./action.ts";
import { parseModeChange } from "./mode.ts";
import { PathFilter } from "./path_filter.ts";
import { parseRemote, type RemoteSource } from "./remote.ts";
import type { SourceTree } from "./source_tree.ts";
import { climbsOut } from "./source_tree.ts";
import { joinPath, type StageState } from "./state.ts";

/** Gives the tree that COPY takes from; undefined if it does not exist because this is a dry run. */
export type OpenSources = () => Promise<SourceTree | undefined>;

/** Tells what a server has; undefined if it does not matter. */
export type FindVersion = (source: RemoteSource) => Promise<string | undefined>;

/** Throws a ChError for sources that are not there, and options that make no sense. */
export async function prepareCopy(
  copy: Copy,
  openSources: OpenSources,
  state: StageState,
  findVersion: FindVersion,
): Promise<Prepared> {
  const keyword = copy.kind === "add" ? "ADD" : "COPY";
  if (copy.paths.length < 2) throw new ChError("source or destination missing");
  const option = (name: string) => findOption(copy.options, name);
  const written = copy.paths.slice(0, -1);
  const sorted = sortSources(copy, state);
  const parents = isOn(copy, "parents");
  // A missing context is the error to report, whatever else is wrong.
  const tree = sorted.patterns.length > 0 ? await openSources() : undefined;
  const destination = state.substitute(copy.paths.at(-1)!);
  if (destination === "") throw new ChError(`can’t ${keyword}: destination is empty`);
  const absolute = joinPath(state.cwd, destination);
  if (climbsOut(absolute)) {
    throw new ChError(`can’t ${keyword}: destination not in image: ${destination}`);
  }
  const excludes = copy.options.filter(({ name }) => name === "exclude");
  const exclude = excludes.length === 0
    ? undefined
    : PathFilter.of(excludes.map(({ value }) => state.substitute(value)), "--exclude");
  const chmod = option("chmod");
  const chown = option("chown");
  const unpack = option("unpack");
  return {
    text: {
      name: keyword,
      ...describeOptions(copy.options, state),
      operands: `${printList(written)} -> ${printList([destination]).slice(1, -1)}`,
      ...copy.heredocs.length === 0
        ? {}
        : { hidden: sorted.others.map((other) => JSON.stringify(other)).join("\0") },
    },
    action: {
      op: "copy",
      copy: {
        keyword,
        tree,
        sources: tree?.expand(sorted.patterns, { parents, exclude }) ?? [],
        others: sorted.others,
        versions: await findVersions(sorted.others, findVersion),
        destination: absolute,
        mode: chmod === undefined ? undefined : parseModeChange(state.substitute(chmod)),
        owner: chown === undefined ? undefined : state.substitute(chown),
        exclude,
        parents,
        unpack: {
          local: copy.kind === "add" && unpack !== "false",
          remote: unpack === "true",
        },
      },
    },
  };
}

async function findVersions(
  others: readonly OtherSource[],
  findVersion: FindVersion,
): Promise<string[]> {
  const versions: string[] = [];
  for (const [index, other] of others.entries()) {
    if (other.kind === "text") continue;
    const version = await findVersion(other);
    if (version !== undefined) versions.push(`remote ${index}\t${version}`);
  }
  return versions;
}

export function findOption(
  options: readonly InstructionOption[],
  name: string,
): string | undefined {
  return options.find((option) => option.name === name)?.value;
}

/** What is shown, and tells one COPY from another. */
function describeOptions(
  options: readonly InstructionOption[],
  state: StageState,
): { readonly options?: string } {
  const shown = options.filter(({ name }) => name !== "link")
    .map(({ name, value }) => `--${name}=${state.substitute(value)}`);
  return shown.length === 0 ? {} : { options: shown.join(" ") };
}

interface SortedSources {
  readonly patterns: readonly string[];
  readonly others: readonly OtherSource[];
}

function sortSources(copy: Copy, state: StageState): SortedSources {
  const patterns: string[] = [];
  const others: OtherSource[] = [];
  for (const path of copy.paths.slice(0, -1)) {
    const heredoc = copy.heredocs.find(({ word }) => word === path);
    if (heredoc !== undefined) {
      const { name, expand, content } = heredoc;
      others.push({
        kind: "text",
        name,
        content: expand ? state.substituteText(content) : content,
      });
      continue;
    }
    const source = state.substitute(path);
    const remote = copy.kind === "add"
      ? parseRemote(source, readRemoteOptions(copy, state))
      : undefined;
    if (remote === undefined) patterns.push(source);
    else others.push(remote);
  }
  if (patterns.length > 0 && findOption(copy.options, "checksum") !== undefined) {
    throw new ChError(`ADD: --checksum is for what comes from elsewhere: ${patterns[0]}`);
  }
  return { patterns, others };
}

function readRemoteOptions(copy: Copy, state: StageState) {
  const checksum = findOption(copy.options, "checksum");
  return {
    checksum: checksum === undefined ? undefined : state.substitute(checksum),
    keepsGitDirectory: isOn(copy, "keep-git-dir"),
  };
}

function isOn(copy: Copy, name: string): boolean {
  const value = findOption(copy.options, name);
  if (value === undefined || value === "false") return false;
  if (value === "true") return true;
  throw new ChError(`${copy.keyword.toUpperCase()}: --${name}: not true or false: ${value}`);
}
