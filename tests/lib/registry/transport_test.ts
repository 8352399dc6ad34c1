import assert from "node:assert/strict";
import { Repository } from "../../../lib/registry/repository.ts";
import { RecordingLog } from "../recording_log.ts";
import { ANONYMOUS } from "./pull_place.ts";

Deno.test("a port that is no good for HTTP is told at once, with the way out", async () => {
  const log = new RecordingLog();
  using repository = new Repository({ host: "127.0.0.1", port: 6000, path: [], name: "a" }, {
    trust: { verify: true },
    credentials: ANONYMOUS,
    plainHttp: true,
    log,
  });
  await assert.rejects(repository.ping(), (error: Error & { hint?: string }) => {
    assert.equal(
      error.message,
      "GET failed: 127.0.0.1:6000: port is reserved for another service",
    );
    assert.match(error.hint!, /let the registry have another$/);
    return true;
  });
  assert.deepEqual(log.lines, []); // it was not tried again
});
