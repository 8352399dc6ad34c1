// How much is in the build cache (spec build-cache §8.1).

import { measureCache } from "../../ffi/cache.ts";
import { LARGE_FILES } from "../store/layout.ts";
import type { Cache } from "./cache.ts";
import { NAMES, UNREADY } from "./layout.ts";
import { listRecords } from "./names.ts";
import { listStates } from "./state_files.ts";

export interface CacheSummary {
  /** Names of images, finished or not, and the root. */
  readonly names: number;
  /** Different identities, that of the root included. */
  readonly stateIds: number;
  /** States, the root included. */
  readonly states: number;
  readonly largeFiles: number;
  /** Files and directories of the cache itself. */
  readonly files: number;
  /** Bytes on disk, of which images share nearly all. */
  readonly bytes: number;
  /** Regular files of states, and the bytes in them. */
  readonly objects: number;
  readonly objectBytes: number;
}

export async function summarizeCache(cache: Cache): Promise<CacheSummary> {
  const { store } = cache;
  const states = listStates(store);
  const measured = await measureCache(cache.fd);
  return {
    names: listRecords(store, NAMES).length + listRecords(store, UNREADY).length + 1,
    stateIds: new Set(states.map((name) => name.split("-")[0])).size + 1,
    states: states.length + 1,
    largeFiles: [...Deno.readDirSync(`${store.path}/${LARGE_FILES}`)].length,
    ...measured,
  };
}

/** The lines that are shown. */
export function formatSummary(summary: CacheSummary): string[] {
  const line = (label: string, value: number, suffix = "") =>
    `${`${label}:`.padEnd(15)} ${String(value).padStart(5)}${suffix}`;
  const [files, filesUnit] = scale(summary.files, 1000, ["", "K", "M", "G", "T"]);
  const [bytes, bytesUnit] = scale(summary.bytes, 1024, ["B", "KiB", "MiB", "GiB", "TiB"]);
  return [
    line("named images", summary.names),
    line("state IDs", summary.stateIds),
    line("large files", summary.largeFiles),
    line("commits", summary.states),
    line("internal files", files, ` ${filesUnit}`),
    line("disk used", bytes, ` ${bytesUnit}`),
  ];
}

function scale(value: number, step: number, units: readonly string[]): [number, string] {
  let unit = 0;
  while (value >= step && unit < units.length - 1) {
    value /= step;
    unit++;
  }
  return [Math.floor(value), units[unit]!];
}
