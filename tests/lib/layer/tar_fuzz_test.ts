// Archives with bytes changed at random: reading ends, in members or in an error that names the archive,
// whatever is changed and however the bytes arrive. CH_FUZZ=N does N rounds, from another start.

import assert from "node:assert/strict";
import { encodeOsString } from "../../../ffi/os_string.ts";
import { ChError } from "../../../lib/error.ts";
import { formatPaxRecords } from "../../../lib/layer/pax_records.ts";
import { readTar } from "../../../lib/layer/tar_reader.ts";
import { chunksOf, concatenate, makeTar, tarMember } from "../../tree_fixture.ts";

const rounds = Number(Deno.env.get("CH_FUZZ") ?? 0);

const bytes = (text: string) => encodeOsString(text);
const pax = (records: Readonly<Record<string, string>>, type = "x") =>
  tarMember(
    "PaxHeader",
    type,
    formatPaxRecords(Object.entries(records).map(([key, value]) => [key, bytes(value)] as const)),
  );

/** Each dialect has its turn. */
const SEED = concatenate([
  pax({ mtime: "12.5", uid: "7" }, "g"),
  pax({ path: "long/".repeat(30) + "name", "SCHILY.xattr.user.a": "b" }),
  tarMember("short", "0", bytes("content")),
  tarMember("././@LongLink", "L", bytes("n".repeat(150) + "\0")),
  tarMember("././@LongLink", "K", bytes("t".repeat(150) + "\0")),
  tarMember("cut", "2"),
  pax({ "GNU.sparse.map": "0,2,8,2", "GNU.sparse.size": "12", "GNU.sparse.name": "holes" }),
  tarMember("s", "0", bytes("abcd")),
  pax({ "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "700" }),
  tarMember("t", "0", concatenate([bytes("1\n600\n4\n"), new Uint8Array(504), bytes("data")])),
  tarMember("old", "S", bytes("xyz"), {
    patch: { 257: "ustar  \0", 386: "00000000000\x0000000000003\0", 483: "00000000100" },
  }),
  makeTar('d 0755 d/\nf 0644 d/f "text"\nl d/l -> f\nh d/h = d/f\nc 0666 c 1,3\np 0600 p'),
]);

/** Bytes that mean something in headers. */
const TELLING = [0, 0x20, 0x2f, 0x30, 0x37, 0x80, 0xff, ...bytes("xgLKSD01257=\n,.")];

/** Numerical Recipes' linear congruential generator: the same archives in every run. */
function newRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

Deno.test("readTar() survives archives that are changed at random", async () => {
  const random = newRandom(rounds > 0 ? Date.now() : 1);
  const count = rounds > 0 ? rounds : 3000;
  let read = 0, refused = 0, damagedLater = 0;
  for (let round = 0; round < count; round++) {
    const data = spoil(random);
    try {
      await drain(data, random);
      read++;
    } catch (error) {
      const isTold = error instanceof ChError &&
        /^(cannot open: x\.tar: |unknown member type: )/.test(error.message);
      assert(isTold, `round ${round}: ${error}\n${data.toBase64()}`);
      refused++;
      if (/ in member at byte [1-9]/.test(error.message)) damagedLater++;
    }
  }
  // All ways are taken often enough for this to mean something.
  for (const some of [read, refused, damagedLater]) assert(some > count / 20, String(some));
});

function spoil(random: (below: number) => number): Uint8Array {
  const data = SEED.slice(0, random(8) === 0 ? random(SEED.length) : SEED.length);
  for (let changes = random(6); changes > 0 && data.length > 0; changes--) {
    const at = random(data.length);
    data[at] = random(3) === 0 ? random(256) : TELLING[random(TELLING.length)]!;
  }
  // Mostly with the right sums, without which nothing but sums would be tested.
  if (random(8) > 0) {
    for (let at = 0; at + 512 <= data.length; at += 512) {
      if (data.subarray(at + 148, at + 156).some((byte) => byte !== 0)) mendSum(data, at);
    }
  }
  return data;
}

/** Only where a header was. */
function mendSum(data: Uint8Array, at: number): void {
  if (SEED[at + 257] !== 0x75 || SEED[at + 258] !== 0x73) return;
  data.fill(0x20, at + 148, at + 156);
  const sum = data.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
  data.set(bytes(`${sum.toString(8).padStart(6, "0")}\0 `), at + 148);
}

async function drain(data: Uint8Array, random: (below: number) => number): Promise<void> {
  const size = [data.length, 512, 1 + random(2000)][random(3)]!;
  for await (const entry of readTar(chunksOf(data, Math.max(size, 1)), "x.tar")) {
    assert(!entry.path.includes("\0") && entry.mode <= 0o7777);
    if (entry.type !== "file" || random(4) === 0 || !("chunks" in entry.content)) continue;
    // A hole may be as large as any file; some of it will do.
    let seen = 0;
    for await (const chunk of entry.content.chunks) {
      seen += chunk.length;
      assert(seen <= entry.size, "more than the file has");
      if (seen > 1 << 24) break;
    }
    if (seen <= 1 << 24) assert.equal(seen, entry.size);
  }
}
