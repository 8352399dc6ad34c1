import assert from "node:assert/strict";
import * as pax from "../../../lib/layer/pax_records.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("formatPaxRecords() counts the digits of its own length", () => {
  for (const size of [0, 1, 88, 89, 90, 91, 92, 93, 94, 985, 986, 987, 988, 989, 990, 9980, 9990]) {
    const value = bytes("v".repeat(size));
    const data = pax.formatPaxRecords([["path", value]]);
    assert.equal(Number(new TextDecoder().decode(data).split(" ")[0]), data.length, `${size}`);
    const found: [string, Uint8Array][] = [];
    pax.parsePaxRecords(data, (key, value) => found.push([key, value]));
    assert.deepEqual(found, [["path", value]]);
  }
});

Deno.test("parsePaxRecords() leaves values as bytes", () => {
  const value = new Uint8Array([0, 10, 255, 61, 32]);
  const data = pax.formatPaxRecords([["SCHILY.xattr.user.x", value], ["path", bytes("a=b")]]);
  const found = new Map<string, Uint8Array>();
  pax.parsePaxRecords(data, (key, value) => found.set(key, value));
  assert.deepEqual(found.get("SCHILY.xattr.user.x"), value);
  assert.deepEqual(found.get("path"), bytes("a=b"));
});

Deno.test("parsePaxRecords() refuses malformed records", () => {
  const cases = [
    "path=a\n",
    "8 path=a\n",
    "11 path=a\n",
    "99999999999 path=a\n",
    "-1 path=a\n",
    "10 path=ab",
    "0 path=a\n",
    "5 ab\n",
    " path=a\n",
    "1e1 path=a\n",
    "10 path=a\n10 path=a",
  ];
  for (const text of cases) {
    assert.throws(() => pax.parsePaxRecords(bytes(text), () => {}), pax.PaxError, text);
  }
});

Deno.test("parsePaxTime() and formatPaxTime()", () => {
  const cases: [string, number, number][] = [
    ["0", 0, 0],
    ["1700000000.25", 1700000000, 250_000_000],
    ["1.000000001", 1, 1],
    ["-1", -1, 0],
    ["-1.25", -2, 750_000_000],
    ["-0.5", -1, 500_000_000],
  ];
  for (const [text, mtime, mtimeNsec] of cases) {
    assert.deepEqual(pax.parsePaxTime(text), { mtime, mtimeNsec }, text);
    assert.equal(pax.formatPaxTime(mtime, mtimeNsec), text);
  }
  assert.deepEqual(pax.parsePaxTime("1.1234567899"), { mtime: 1, mtimeNsec: 123456789 });
  for (const text of ["", "1e9", "x", "1.2.3", " 1"]) {
    assert.equal(pax.parsePaxTime(text), undefined, text);
  }
});
