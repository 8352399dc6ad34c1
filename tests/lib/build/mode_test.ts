import { strictEqual, throws } from "node:assert/strict";
import { parseModeChange } from "../../../lib/build/mode.ts";

/** Change, mode before, mode after of a file, of a directory; chmod(1) of coreutils says the same. */
const CASES: readonly (readonly [string, number, number, number])[] = [
  ["755", 0o600, 0o755, 0o755],
  ["4755", 0o600, 0o4755, 0o4755],
  ["0", 0o777, 0, 0],
  ["u+x", 0o644, 0o744, 0o744],
  ["+x", 0o644, 0o755, 0o755],
  ["a-w", 0o666, 0o444, 0o444],
  ["go=", 0o777, 0o700, 0o700],
  ["u=rwX,go=rX", 0o640, 0o644, 0o755],
  ["u=rwX,go=rX", 0o740, 0o755, 0o755],
  ["g=u", 0o740, 0o770, 0o770],
  ["o+t,u+s", 0o755, 0o5755, 0o5755],
  ["u-x+w", 0o500, 0o600, 0o600],
];

for (const [text, before, file, directory] of CASES) {
  Deno.test(`parseModeChange() of ${text} on ${before.toString(8)}`, () => {
    const change = parseModeChange(text);
    strictEqual(change(before, false).toString(8), file.toString(8));
    strictEqual(change(before, true).toString(8), directory.toString(8));
  });
}

for (const text of ["", "8", "77777", "u", "z+x", "u+q", "u+x,", "-1"]) {
  Deno.test(`parseModeChange() refuses ${JSON.stringify(text)}`, () => {
    throws(() => parseModeChange(text), { name: "ChError" });
  });
}
