import assert from "node:assert/strict";
import * as meters from "../../../lib/convert/meter.ts";
import type { Entry } from "../../../lib/layer/entry.ts";
import { collect } from "../../byte_streams.ts";
import { chunksOf, TemporaryDirectory } from "../../tree_fixture.ts";
import { RecordingLog } from "../recording_log.ts";

/** Keeps what its meter is told. */
class MeterLog extends RecordingLog {
  readonly told: (string | number | undefined)[] = [];

  override progress(message: string, total: number | undefined) {
    this.told.push(message, total);
    return {
      update: (done: number) => void this.told.push(done),
      [Symbol.dispose]: () => void this.told.push("end"),
    };
  }
}

Deno.test("ByteMeter is called as the phase, and adds up", () => {
  const log = new MeterLog();
  {
    using meter = new meters.ByteMeter(log, "packing ...", 10);
    meter.add(3);
    meter.add(4);
  }
  assert.deepEqual(log.told, ["packing", 10, 3, 7, "end"]);
});

Deno.test("meterChunks() counts what was taken, also if the consumer stops", async () => {
  const log = new MeterLog();
  const meter = new meters.ByteMeter(log, "x", undefined);
  assert.equal(
    (await collect(meters.meterChunks(chunksOf(new Uint8Array(25), 10), meter))).length,
    25,
  );
  for await (const _ of meters.meterChunks(chunksOf(new Uint8Array(25), 10), meter)) break;
  assert.deepEqual(log.told, ["x", undefined, 10, 20, 25]);
});

Deno.test("meterFiles() counts files, whole or in pieces, and changes nothing", async () => {
  const log = new MeterLog();
  const meter = new meters.ByteMeter(log, "x", undefined);
  const common = { mode: 0o644, uid: 0, gid: 0, mtime: 0, mtimeNsec: 0 };
  const entries: Entry[] = [
    { ...common, type: "directory", path: "d" },
    { ...common, type: "file", path: "d/a", size: 5, content: { fd: 0 } },
    {
      ...common,
      type: "file",
      path: "d/b",
      size: 20,
      content: { chunks: chunksOf(new Uint8Array(20), 15) },
    },
  ];
  async function* source() {
    yield* entries;
  }
  const seen: string[] = [];
  for await (const entry of meters.meterFiles(source(), meter)) {
    seen.push(entry.path);
    if (entry.type === "file" && "chunks" in entry.content) {
      assert.equal((await collect(entry.content.chunks)).length, 20);
    }
  }
  assert.deepEqual(seen, ["d", "d/a", "d/b"]);
  assert.deepEqual(log.told, ["x", undefined, 5, 20, 25]);
});

Deno.test("findFileSize() follows links, and knows files alone", () => {
  using place = new TemporaryDirectory();
  Deno.writeTextFileSync(`${place.path}/file`, "12345");
  Deno.symlinkSync(`${place.path}/file`, `${place.path}/link`);
  assert.equal(meters.findFileSize(`${place.path}/file`), 5);
  assert.equal(meters.findFileSize(`${place.path}/link`), 5);
  assert.equal(meters.findFileSize(place.path), undefined);
  assert.equal(meters.findFileSize("/dev/null"), undefined);
  assert.equal(meters.findFileSize(`${place.path}/nosuch`), undefined);
});
