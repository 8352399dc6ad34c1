import assert from "node:assert/strict";
import { parseId, parseInteger } from "../../../lib/container/integer.ts";

for (
  const [text, value] of [
    ["0", 0],
    ["007", 7],
    [" 5", 5],
    ["\t+5", 5],
    ["-5", -5],
    ["2147483647", 2147483647],
    ["-2147483648", -2147483648],
  ] as const
) {
  Deno.test(`parseInteger() reads ${JSON.stringify(text)}`, () => {
    assert.equal(parseInteger("--uid", text), value);
  });
}

for (
  const [text, message] of [
    ["", "--uid: no digits found"],
    ["x", "--uid: no digits found"],
    ["- 1", "--uid: no digits found"],
    ["1x", "--uid: extra characters after digits"],
    ["0x5", "--uid: extra characters after digits"],
    ["5 ", "--uid: extra characters after digits"],
    ["5\n", "--uid: extra characters after digits"],
    ["2147483648", "--uid: out of range"],
    ["-2147483649", "--uid: out of range"],
    ["99999999999999999999", "--uid: out of range"],
  ] as const
) {
  Deno.test(`parseInteger() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseInteger("--uid", text), { message });
  });
}

Deno.test("parseId() refuses negative numbers", () => {
  assert.equal(parseId("--gid", "0"), 0);
  assert.throws(() => parseId("--gid", "-1"), { message: "--gid: must be non-negative" });
});
