import assert from "node:assert/strict";
import { locateStore, type StoreLocation } from "../../../lib/store/location.ts";

const none: StoreLocation = { option: undefined, variable: undefined, user: "alice", cwd: "/w" };

const cases: readonly [given: Partial<StoreLocation>, path: string][] = [
  [{}, "/var/tmp/alice.ch"],
  [{ variable: "/v" }, "/v"],
  [{ variable: "/v", option: "/o" }, "/o"],
  [{ variable: "relative", option: "/o" }, "/o"],
  [{ option: "o/p" }, "/w/o/p"],
  [{ option: "../o" }, "/w/../o"],
  [{ option: "o", cwd: "/" }, "/o"],
  [{ option: "" }, "/w"],
];

for (const [given, path] of cases) {
  Deno.test(`locateStore() of ${JSON.stringify(given)} is ${path}`, () => {
    assert.equal(locateStore({ ...none, ...given }), path);
  });
}

for (const [variable, shown] of [["rel", "rel"], ["", "."], ["./x", "./x"]] as const) {
  Deno.test(`locateStore() refuses $CH_IMAGE_STORAGE “${variable}”`, () => {
    assert.throws(() => locateStore({ ...none, variable }), {
      message: `$CH_IMAGE_STORAGE: not absolute path: ${shown}`,
    });
  });
}
