import assert from "node:assert/strict";
import { encodeOsString } from "../../../ffi/os_string.ts";
import { ChError } from "../../../lib/error.ts";
import { formatPaxRecords } from "../../../lib/layer/pax_records.ts";
import { readTar } from "../../../lib/layer/tar_reader.ts";
import { chunksOf, concatenate, lines, makeTar } from "../../tree_fixture.ts";
import { showEntries, tarMember } from "../../tree_fixture.ts";

const END = new Uint8Array(1024);
const archive = (...members: Uint8Array[]) => concatenate([...members, END]);
const read = (bytes: Uint8Array, size?: number) => readTar(chunksOf(bytes, size), "x.tar");
const show = (bytes: Uint8Array, size?: number) => showEntries(read(bytes, size));
const bytes = (text: string) => encodeOsString(text);

function pax(records: Record<string, string>, type = "x"): Uint8Array {
  const pairs = Object.entries(records).map(([key, value]) => [key, bytes(value)] as const);
  return tarMember("PaxHeader", type, formatPaxRecords(pairs));
}

async function failure(bytes: Uint8Array): Promise<string> {
  try {
    await show(bytes);
  } catch (error) {
    assert(error instanceof ChError, String(error));
    return error.message;
  }
  return "done";
}

const SAMPLE = `
  d 0755 ./
  d 1777 ./tmp/
  f 0644 ./empty
  f 0640 ./file "hello"
  f 4755 /absolute "x"
  f 0644 ../up "y"
  l ./link -> ../../elsewhere
  h ./again = ./file
  p 0600 ./fifo
  c 0666 ./null 1,3
  b 0660 ./disk 8,17`;

Deno.test("readTar() gives all members as they stand there, in chunks of any size", async () => {
  const expected = lines(SAMPLE).replaceAll("./\n", ".\n").replace("./tmp/", "./tmp")
    .replace("./empty", './empty ""');
  const bytes = makeTar(SAMPLE);
  for (const size of [1, 511, 512, 513, 4096, bytes.length]) {
    assert.equal(await show(bytes, size), expected, `chunks of ${size}`);
  }
});

Deno.test("readTar() lets content be left unread, in part or in whole", async () => {
  const bytes = makeTar(`f 0644 a "${"a".repeat(2000)}"\nf 0644 b "b"\nf 0644 c "c"`);
  const seen: string[] = [];
  for await (const entry of read(bytes, 700)) {
    seen.push(entry.path);
    if (entry.type !== "file" || "fd" in entry.content || entry.path === "b") continue;
    for await (const _ of entry.content.chunks) break;
  }
  assert.deepEqual(seen, ["a", "b", "c"]);
});

Deno.test("readTar() ends its input when nobody wants more, and reads it to the end otherwise", async () => {
  let ended = false, given = 0;
  async function* input() {
    try {
      for await (
        const chunk of chunksOf(concatenate([makeTar("f 0644 a\nf 0644 b"), new Uint8Array(9000)]))
      ) {
        given += chunk.length;
        yield chunk;
      }
    } finally {
      ended = true;
    }
  }
  for await (const _ of readTar(input(), "x")) break;
  assert.equal(ended, true);
  assert(given < 2000);
  given = 0;
  for await (const _ of readTar(input(), "x"));
  assert.equal(given, 2048 + 9000);
});

Deno.test("readTar() reports an archive cut off anywhere", async () => {
  const long = `./${"d".repeat(150)}`;
  const whole = concatenate([
    pax({ path: long, "SCHILY.xattr.user.x": "1" }),
    tarMember("short", "5"),
    tarMember("f", "0", bytes("x".repeat(1000))),
    tarMember("g", "0", bytes("y")),
    END,
  ]);
  assert.equal(await failure(whole), "done");
  assert.equal(await failure(whole.subarray(0, -512)), "done", "one block of zeros will do");
  for (let size = 0; size < whole.length - 512; size += 512) {
    const expected = size === 0 ? "empty file" : "truncated tar archive";
    assert.equal(await failure(whole.subarray(0, size)), `cannot open: x.tar: ${expected}`);
    const inside = await failure(whole.subarray(0, size + 300));
    assert.equal(inside, "cannot open: x.tar: truncated tar archive", `${size} + 300`);
  }
});

Deno.test("readTar() refuses what is damaged or no archive", async () => {
  const good = tarMember("f", "0", bytes("x"));
  const first = "not a tar archive";
  const second = (what: string) => `damaged tar archive: ${what} in member at byte 1024`;
  const sparse = (map: string, realsize = "10") =>
    concatenate([
      pax({ "GNU.sparse.map": map, "GNU.sparse.size": realsize }),
      tarMember("s", "0", bytes("x")),
    ]);
  const cases: [string, Uint8Array, string][] = [
    ["text", bytes("hello ".repeat(200)), first],
    ["bad sum", archive(tarMember("f", "0", undefined, { checksum: "000001\0 " })), first],
    [
      "bad sum later",
      archive(good, tarMember("g", "0", undefined, { checksum: "000001\0 " })),
      second("wrong checksum"),
    ],
    [
      "negative size",
      archive(good, tarMember("g", "0", undefined, { patch: { 124: "\udcff".repeat(12) } })),
      second("negative size"),
    ],
    [
      "negative long name",
      archive(good, tarMember("g", "L", undefined, { patch: { 124: "\udcff".repeat(12) } })),
      second("negative size"),
    ],
    [
      "pax bomb",
      archive(good, tarMember("g", "x", undefined, { patch: { 124: "77777777777" } })),
      second("extended header too large"),
    ],
    [
      "long name bomb",
      archive(good, tarMember("g", "L", undefined, { patch: { 124: "77777777777" } })),
      second("extended header too large"),
    ],
    [
      "pax garbage",
      archive(good, tarMember("g", "x", bytes("garbage"))),
      second("malformed extended header"),
    ],
    [
      "pax size",
      archive(good, pax({ size: "-1" }), good),
      second("malformed extended header: size"),
    ],
    [
      "pax size float",
      archive(good, pax({ size: "1e3" }), good),
      second("malformed extended header: size"),
    ],
    [
      "NUL in a name",
      archive(good, pax({ linkpath: "a\0b" }), good),
      second("malformed extended header: linkpath"),
    ],
    [
      "NUL in a key",
      archive(good, pax({ "SCHILY.xattr.user.\0": "b" }), good),
      second("malformed extended header"),
    ],
    [
      "pax mtime",
      archive(good, pax({ mtime: "noon" }), good),
      second("malformed extended header: mtime"),
    ],
    ["sparse: odd", archive(good, sparse("0,1,2")), second("malformed sparse map")],
    ["sparse: overlap", archive(good, sparse("5,1,5,0")), second("malformed sparse map")],
    ["sparse: beyond the end", archive(good, sparse("10,1")), second("malformed sparse map")],
    ["sparse: more than stored", archive(good, sparse("0,2")), second("malformed sparse map")],
    ["sparse: not numbers", archive(good, sparse("a,b")), second("malformed sparse map")],
  ];
  for (const [what, data, expected] of cases) {
    assert.equal(await failure(data), `cannot open: x.tar: ${expected}`, what);
  }
  assert.equal(await failure(archive(tarMember("w", "W"))), "unknown member type: w");
});

Deno.test("readTar() applies PAX headers: local before global, empty takes back", async () => {
  const data = archive(
    pax({ mtime: "5", path: "global", uid: "77" }, "g"),
    tarMember("a", "0"),
    pax({ path: "local", mtime: "6.5", size: "1" }),
    tarMember("b", "0", bytes("x")),
    pax({ path: "" }),
    tarMember("c", "0"),
    pax({ linkpath: "t\udce9", "SCHILY.xattr.user.k": "\udcff\0\n" }),
    tarMember("d", "2", undefined, { linkName: "short" }),
  );
  const found: unknown[] = [];
  for await (const entry of read(data)) {
    const { path, mtime, mtimeNsec, uid } = entry;
    found.push([path, mtime, mtimeNsec, uid]);
    if (entry.type === "symlink") {
      assert.equal(entry.target, "t\udce9");
      assert.deepEqual(entry.xattrs?.get("user.k"), new Uint8Array([255, 0, 10]));
    } else assert.equal(entry.xattrs, undefined);
  }
  assert.deepEqual(found, [
    ["global", 5, 0, 77],
    ["local", 6, 500_000_000, 77],
    ["c", 5, 0, 77],
    ["global", 5, 0, 77],
  ]);
});

Deno.test("readTar() reads GNU long names and links, and old ways to say directory", async () => {
  const name = "n".repeat(300), target = "t".repeat(200);
  const data = archive(
    tarMember("././@LongLink", "L", bytes(`${name}\0`)),
    tarMember("././@LongLink", "K", bytes(`${target}\0`)),
    tarMember("cut", "2"),
    tarMember("volume", "V"),
    tarMember("old-dir/", "\0"),
    tarMember("old-file", "\0", bytes("v7")),
    tarMember("contiguous", "7", bytes("7")),
    tarMember("dump/", "D", bytes("Nfile\0\0"), { mode: 0o755 }),
    tarMember("size of a link is not its data", "1", undefined, {
      linkName: "x",
      patch: { 124: "00000001000" },
    }),
  );
  assert.equal(
    await show(data),
    lines(`l ${name} -> ${target}
      d 0644 old-dir
      f 0644 old-file "v7"
      f 0644 contiguous "7"
      d 0755 dump
      h size of a link is not its data = x`),
  );
});
