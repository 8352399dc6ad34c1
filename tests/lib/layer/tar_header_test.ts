import assert from "node:assert/strict";
import * as header from "../../../lib/layer/tar_header.ts";
import { tarMember } from "../../tree_fixture.ts";

const FIELDS = {
  name: "./a",
  mode: 0o644,
  uid: 0,
  gid: 0,
  size: 0,
  mtime: 1_600_000_000,
  type: "0",
  linkName: "",
  major: 0,
  minor: 0,
};

Deno.test("encodeTarHeader() writes what decodeTarHeader() reads", () => {
  const long = `${"p".repeat(100)}/${"q".repeat(55)}/${"n".repeat(90)}`;
  const cases: [string, Partial<typeof FIELDS>, "ustar" | "gnu"][] = [
    ["plain", {}, "ustar"],
    ["gnu", {}, "gnu"],
    ["prefix", { name: `${"p".repeat(100)}/${"n".repeat(90)}` }, "ustar"],
    ["100 bytes", { name: "x".repeat(100) }, "ustar"],
    ["bytes that are no text", { name: "caf\udce9", linkName: "\udcff" }, "ustar"],
    ["device", { type: "3", major: 259, minor: 70000 }, "ustar"],
    ["8 GiB", { size: 8 * 2 ** 30 }, "gnu"],
    ["large ids", { uid: 2 ** 31, gid: 4294967294 }, "gnu"],
    ["before 1970", { mtime: -1 }, "gnu"],
    ["far future", { mtime: 2 ** 40 }, "gnu"],
    ["link", { type: "2", linkName: "l".repeat(100) }, "gnu"],
    ["all mode bits", { mode: 0o7777 }, "ustar"],
  ];
  for (const [what, fields, format] of cases) {
    const wanted = { ...FIELDS, ...fields };
    const block = header.encodeTarHeader({ ...wanted, format, user: "root", group: "root" });
    assert.equal(block.length, 512);
    assert.deepEqual(header.decodeTarHeader(block), wanted, what);
  }
  assert.equal(header.fitsName(long), false);
});

Deno.test("decodeTarHeader() takes numbers as programs have written them", () => {
  const cases: [string, Record<number, string>, Partial<typeof FIELDS>][] = [
    ["blanks before", { 108: "     17 " }, { uid: 0o17 }],
    ["blank and NUL behind", { 108: "000017 \0" }, { uid: 0o17 }],
    ["no terminator", { 108: "00000017" }, { uid: 0o17 }],
    ["empty", { 108: "\0\0\0\0\0\0\0\0" }, { uid: 0 }],
    ["v7 without magic", { 257: "\0".repeat(8), 345: "junk" }, { name: "./a" }],
    ["prefix", { 345: "above" }, { name: "above/./a" }],
    ["GNU has no prefix", { 257: "ustar  \0", 345: "15000000000" }, { name: "./a" }],
    ["device fields of what is none", { 329: "garbage!" }, { major: 0 }],
    ["type bits in the mode", { 100: "0100644\0" }, { mode: 0o644 }],
    ["base-256", { 124: "\udc80\0\0\0\0\0\0\x02\0\0\0\0" }, { size: 2 ** 33 }],
    ["base-256, negative", { 136: "\udcff".repeat(12) }, { mtime: -1 }],
  ];
  for (const [what, patch, fields] of cases) {
    const block = tarMember("./a", "0", undefined, { patch });
    assert.deepEqual(header.decodeTarHeader(block), { ...FIELDS, ...fields }, what);
  }
});

Deno.test("decodeTarHeader() refuses what is no header", () => {
  const cases: [string, Parameters<typeof tarMember>[3], RegExp][] = [
    ["checksum", { checksum: "000123\0 " }, /wrong checksum/],
    ["checksum field", { checksum: "garbage!" }, /malformed checksum/],
    ["letters", { patch: { 124: "0000000000z" } }, /malformed size/],
    ["digits behind a blank", { patch: { 124: "00 00000000" } }, /malformed size/],
    ["eight", { patch: { 100: "0000684\0" } }, /malformed mode/],
    ["beyond 2^53", { patch: { 124: "\udc80" + "\udcff".repeat(11) } }, /malformed size/],
  ];
  for (const [what, fields, expected] of cases) {
    const block = tarMember("a", "0", undefined, fields);
    assert.throws(() => header.decodeTarHeader(block), expected, what);
  }
});

Deno.test("decodeTarHeader() takes sums over signed bytes", () => {
  const block = tarMember("\udcff\udcfe", "0");
  const sum = block.reduce(
    (total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte < 128 ? byte : byte - 256),
    0,
  );
  block.set(new TextEncoder().encode(sum.toString(8).padStart(6, "0") + "\0 "), 148);
  assert.equal(header.decodeTarHeader(block).name, "\udcff\udcfe");
});
