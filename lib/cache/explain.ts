// Why an instruction has to be executed (`ch-image build --explain`).

import type { Store } from "../store/store.ts";
import { walkHistory } from "./history.ts";
import { NAMES, UNREADY } from "./layout.ts";
import { findRecord } from "./names.ts";
import type { StoredState } from "./state_files.ts";
import type { State, StateKey } from "./state_store.ts";

/** For people. NAME is the image that is built. */
export function explainMiss(store: Store, parent: State, key: StateKey, name: string): string {
  const records = ([NAMES, UNREADY] as const).map((kind) => findRecord(store, kind, name));
  const known = records.flatMap((record) =>
    record === undefined ? [] : [...walkHistory(store, record.state)]
  );
  if (known.length === 0) return "not built before under this name";
  const parentName = parent.name === "" ? undefined : parent.name;
  const sibling = known.find((state) => state.parent === parentName);
  if (sibling !== undefined) return explainSibling(sibling, key);
  const same = known.find(({ label }) => label === key.text);
  return same === undefined ? "new instruction" : "an instruction before it is different";
}

/** SIBLING was made from the same state. */
function explainSibling(sibling: StoredState, { text, inputs = [] }: StateKey): string {
  if (sibling.label !== text) return `instruction was: ${sibling.label}`;
  const word = text.split(" ", 1)[0];
  const before = new Map((sibling.inputs ?? []).map(splitInput));
  const now = new Map(inputs.map(splitInput));
  for (const [path, value] of now) {
    const old = before.get(path);
    if (old === undefined) return `${word}: ${path} is new`;
    if (old !== value && !value.startsWith("directory ")) return `${word}: ${path} changed`;
  }
  const gone = [...before.keys()].find((path) => !now.has(path));
  if (gone !== undefined) return `${word}: ${gone} is gone`;
  const directory = [...now].find(([path, value]) => before.get(path) !== value);
  if (directory !== undefined) return `${word}: ${directory[0]} changed`;
  return "its result is not in the cache any more";
}

/** A line of a key: what, a tab, how it is. */
function splitInput(line: string): [string, string] {
  const tab = line.lastIndexOf("\t");
  return [line.slice(0, tab), line.slice(tab + 1)];
}
