import assert from "node:assert/strict";
import {
  acceptUnaware,
  chooseArchitecture,
  nameArchitecture,
  withoutVariant,
} from "../../../lib/registry/architecture.ts";
import { RecordingLog } from "../recording_log.ts";

Deno.test("nameArchitecture() has the names of registries (spec ch-image §8)", () => {
  assert.equal(nameArchitecture("x86_64"), "amd64");
  assert.equal(nameArchitecture("aarch64"), "arm64/v8");
  assert.equal(nameArchitecture("armv7l"), "arm/v7");
  assert.throws(() => nameArchitecture("pdp11"), /^ChError: unknown host architecture: pdp11$/);
});

Deno.test("chooseArchitecture() takes the very one, or a fallback with a warning", () => {
  const log = new RecordingLog();
  assert.equal(chooseArchitecture("arm64/v8", ["arm64", "arm64/v8"], log), "arm64/v8");
  assert.deepEqual(log.lines, []);
  assert.equal(chooseArchitecture("arm64/v8", ["amd64", "arm64"], log), "arm64");
  assert.deepEqual(log.lines, ["warning: arch arm64/v8 requested but falling back to arm64"]);
  for (const [wanted, there] of [["arm", ["arm/v7"]], ["arm/v6", ["arm"]]] as const) {
    assert.throws(() => chooseArchitecture(wanted, there, log), {
      message: `requested arch unavailable: ${wanted}`,
      hint: `available: ${there.join(" ")}`,
    });
  }
});

Deno.test("acceptUnaware() takes an image that does not say for amd64 only", () => {
  const log = new RecordingLog();
  acceptUnaware("amd64", log);
  assert.equal(log.lines.length, 2);
  assert.throws(() => acceptUnaware("arm64/v8", log), { hint: "consider --arch=yolo" });
  assert.equal(withoutVariant("arm64/v8"), "arm64");
});
