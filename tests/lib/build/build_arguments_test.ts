// --build-arg.

import { deepStrictEqual, doesNotThrow, throws } from "node:assert/strict";
import { checkConsumed, parseBuildArguments } from "../../../lib/build/build_arguments.ts";
import { parseDockerfile } from "../../../lib/dockerfile/parse.ts";

const find = (name: string) => name === "HOSTVAR" ? "from host" : undefined;

Deno.test("parseBuildArguments() splits at the first =, the last of a name wins", () => {
  deepStrictEqual(
    [...parseBuildArguments(["A=x=y", "B=", "HOSTVAR", "C=1", "C=2"], find)],
    [["A", "x=y"], ["B", ""], ["HOSTVAR", "from host"], ["C", "2"]],
  );
});

Deno.test("parseBuildArguments() wants a value from somewhere", () => {
  throws(() => parseBuildArguments(["X"], find), {
    message: "--build-arg: X: no value and not in environment",
  });
});

Deno.test("checkConsumed() names what no ARG takes", () => {
  const dockerfile = parseDockerfile({ file: "D", text: "ARG a\nFROM x\nARG b=1\nENV c=1\n" });
  doesNotThrow(() => checkConsumed(new Map([["a", ""], ["b", ""]]), dockerfile));
  throws(() => checkConsumed(new Map([["d", ""], ["a", ""], ["c", ""]]), dockerfile), {
    message: "--build-arg: not consumed: d c",
  });
});
