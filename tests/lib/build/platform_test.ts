import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  formatPlatform,
  listPlatformArguments,
  parsePlatform,
} from "../../../lib/build/platform.ts";

for (
  const [text, formatted] of [
    ["linux/amd64", "linux/amd64"],
    ["amd64", "linux/amd64"],
    ["linux/x86_64", "linux/amd64"],
    ["aarch64", "linux/arm64"],
    ["linux/arm64/v8", "linux/arm64/v8"],
    ["arm/v7", "linux/arm/v7"],
    ["i386", "linux/386"],
    ["linux/riscv64", "linux/riscv64"],
  ] as const
) {
  Deno.test(`parsePlatform(${text}) is ${formatted}`, () => {
    strictEqual(formatPlatform(parsePlatform(text)), formatted);
  });
}

for (const text of ["", "windows/amd64", "linux/", "linux/arm64/8", "a/b/c", "linux/AMD64"]) {
  Deno.test(`parsePlatform() refuses ${JSON.stringify(text)}`, () => {
    throws(() => parsePlatform(text), { message: `not a platform: ${text}` });
  });
}

Deno.test("listPlatformArguments() tells both platforms and the stage", () => {
  const list = listPlatformArguments(parsePlatform("amd64"), parsePlatform("arm/v7"), "final");
  deepStrictEqual(Object.fromEntries(list), {
    BUILDPLATFORM: "linux/amd64",
    BUILDOS: "linux",
    BUILDARCH: "amd64",
    BUILDVARIANT: "",
    TARGETPLATFORM: "linux/arm/v7",
    TARGETOS: "linux",
    TARGETARCH: "arm",
    TARGETVARIANT: "v7",
    TARGETSTAGE: "final",
  });
});
