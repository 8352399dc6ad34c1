import assert from "node:assert/strict";
import { DIRECT, type Output } from "../../../lib/build/output.ts";
import { prefixLog, prefixOutput } from "../../../lib/build/stage_voice.ts";
import { newRecordedLog } from "./recorded_log.ts";

Deno.test("prefixOutput() marks whole lines, those of each stream apart", () => {
  const written: string[] = [];
  const decoder = new TextDecoder();
  const target: Output = {
    kind: "watched",
    joined: false,
    write: (stream, bytes) => void written.push(`${stream}=${decoder.decode(bytes)}`),
  };
  for (const output of [target, { kind: "direct", watched: target } as const]) {
    written.length = 0;
    const marked = prefixOutput(output, "[a] ");
    assert.ok(marked.kind === "watched");
    const write = (stream: "stdout" | "stderr", text: string) =>
      marked.write(stream, new TextEncoder().encode(text));
    write("stdout", "on");
    write("stderr", "err\n");
    write("stdout", "e\ntwo\n\nth");
    write("stdout", "ree");
    marked.flush!();
    marked.flush!();
    assert.deepEqual(written, [
      "stderr=[a] err\n",
      "stdout=[a] one\n[a] two\n[a] \n",
      "stdout=[a] three\n",
    ]);
  }
  assert.equal(prefixOutput(DIRECT, "[a] "), DIRECT);
});

Deno.test("prefixLog() marks every line", () => {
  const log = newRecordedLog();
  const marked = prefixLog(log, "[a] ");
  marked.info("one\ntwo");
  marked.warning("w");
  assert.deepEqual(log.lines, ["[a] one\n[a] two", "warning: [a] w"]);
});
