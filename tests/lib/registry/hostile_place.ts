// Where hostile images are pulled: beside the storage directory lie files that nobody may touch, and
// afterwards everything outside of the image is compared with what was there before.

import assert from "node:assert/strict";
import { ChError } from "../../../lib/error.ts";
import { concatenate, showTree, tarMember } from "../../tree_fixture.ts";
import { formatPaxRecords } from "../../../lib/layer/pax_records.ts";
import { encodeOsString } from "../../../ffi/os_string.ts";
import { describeError } from "../../../cli/error_text.ts";
import { atPullPlace, type PullOptions, type PullPlace } from "./pull_place.ts";

export type Bytes = Uint8Array<ArrayBuffer>;

/** What comes of a layer or two. */
export interface HostileCase {
  readonly what: string;
  /** OUTSIDE is the absolute path of a directory that is not the image's. The lowest first. */
  readonly layers: (outside: string) => readonly Bytes[];
  /** How it is refused, or lines of the image that comes of it (tree_fixture.ts), those not to be in it
   * after a "!". */
  readonly then: RegExp | readonly string[];
  /** A message that there has to be besides. */
  readonly log?: RegExp;
}

export function testHostileLayers(cases: readonly HostileCase[]): void {
  for (const one of cases) {
    const fact = one.then instanceof RegExp ? "refuses" : "makes harmless";
    Deno.test(
      `pullImage() ${fact}: ${one.what}`,
      atPullPlace(async (place) => {
        const outside = makeOutside(place);
        const before = showTree(outside, { times: true });
        await place.registry.addImage("1", one.layers(outside));
        if (one.then instanceof RegExp) await expectRefusal(place, one.then);
        else await expectTree(place, one.then);
        assert.equal(showTree(outside, { times: true }), before, "changed outside of the image");
        assertTidy(place);
        if (one.log !== undefined) {
          assert(place.log.lines.some((line) => one.log!.test(line)), place.log.lines.join("\n"));
        }
      }),
    );
  }
}

/** The pull fails with one message, and there is no image. */
export async function expectRefusal(
  place: PullPlace,
  message: RegExp,
  options: PullOptions = {},
): Promise<void> {
  const error = await place.pull("1", options).then(() => undefined, (error: unknown) => error);
  assert(error instanceof ChError, `not refused, or not in words: ${error}`);
  const text = describeError(error);
  assert.match(text, message);
  assert(text.length < 2000, `message of ${text.length} characters`);
  // deno-lint-ignore no-control-regex
  assert(!/[\u0000-\u001f\u007f]/.test(text), `message with control characters: ${text}`);
  assert.deepEqual(place.store.listImages(), []);
}

async function expectTree(place: PullPlace, expected: readonly string[]): Promise<void> {
  await place.pull("1");
  const lines = showTree(`${place.store.path}/img/x`).split("\n");
  for (const line of expected) {
    const isThere = lines.includes(line.replace(/^!/, ""));
    assert.equal(isThere, !line.startsWith("!"), `${line}\n${lines.join("\n")}`);
  }
}

/** A directory that "../outside" leads to from the storage directory. */
function makeOutside({ store }: PullPlace): string {
  const outside = store.path.replace(/[^/]*$/, "outside");
  Deno.mkdirSync(`${outside}/dir`, { recursive: true });
  Deno.writeTextFileSync(`${outside}/file`, "mine");
  Deno.writeTextFileSync(`${outside}/dir/file`, "mine");
  return outside;
}

/** Nothing unfinished in storage or beside it. */
function assertTidy({ store }: PullPlace): void {
  const names = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name).sort();
  const beside = store.path.replace(/\/[^/]*$/, "");
  assert.deepEqual(names(beside), ["outside", "st"]);
  const strange = names(store.path).filter((name) =>
    !/^(version|lock|img|dlcache|ulcache|bucache|bularge)$/.test(name)
  );
  assert.deepEqual(strange, []);
  const unfinished = names(`${store.path}/dlcache`).filter((name) =>
    name.startsWith("lock_") || name.startsWith("part_") && !/^part_[0-9a-f]{64}\./.test(name)
  );
  assert.deepEqual(unfinished, []);
}

/** From a directory in the image's root to the directory outside, whether the image is unfinished. */
export const UP = "../../../../../outside";

export const END: Bytes = new Uint8Array(1024);

export function archive(...members: Uint8Array[]): Bytes {
  return concatenate([...members, END]);
}

/** A file, NAME as it stands. */
export function file(name: string, text = "evil", mode = 0o644): Bytes {
  return tarMember(name, "0", encodeOsString(text), { mode });
}

export function directory(name: string, mode = 0o755): Bytes {
  return tarMember(name, "5", undefined, { mode });
}

export function symlink(name: string, target: string): Bytes {
  return linkMember(name, "2", target);
}

export function hardLink(name: string, target: string): Bytes {
  return linkMember(name, "1", target);
}

function linkMember(name: string, type: string, target: string): Bytes {
  const member = tarMember(name, type, undefined, { linkName: target.slice(0, 100) });
  return target.length <= 100 ? member : concatenate([pax({ linkpath: target }), member]);
}

/** An extended header about the next member; TYPE "g": about all that follow. */
export function pax(records: Readonly<Record<string, string>>, type = "x"): Bytes {
  const pairs = Object.entries(records).map(([key, value]) =>
    [key, encodeOsString(value)] as const
  );
  return tarMember("PaxHeader", type, formatPaxRecords(pairs));
}

/** What is seen of {@linkcode kept}. */
export const KEPT = ['f 0644 kept "text"'];
/** A member that nothing is wrong with. */
export const kept = file("kept", "text");
export const bytes = (text: string) => new TextEncoder().encode(text);

/** A member behind a good one whose header has TEXT at byte AT, the sum being right. */
export const patched = (at: number, text: string, type = "0") =>
  archive(kept, tarMember("bad", type, undefined, { patch: { [at]: text } }));
/** That it is damaged, and how. */
export const damaged = (what: string) =>
  new RegExp(`^cannot open: .*\\.tar\\.gz: damaged tar archive: ${what} in member at byte 1024$`);
/** That it cannot be opened, and why. */
export const cannotOpen = (what: string) => new RegExp(`^cannot open: .*\\.tar\\.gz: ${what}`);
