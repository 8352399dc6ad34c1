import assert from "node:assert/strict";
import { DIRECT, type Output, OutputTap } from "../../../lib/build/output.ts";

function watch(joined: boolean, written: string[]): Output {
  const decoder = new TextDecoder();
  const write = (stream: string, bytes: Uint8Array) =>
    void written.push(`${stream}: ${decoder.decode(bytes)}`);
  return { kind: "watched", joined, write };
}

async function print(tap: OutputTap, texts: readonly (readonly [0 | 1, string])[]): Promise<void> {
  for (const [index, text] of texts) {
    await Deno.writeTextFile(`/proc/self/fd/${tap.descriptors[index]}`, text);
  }
}

Deno.test("OutputTap passes both streams on, and keeps the last lines", async () => {
  const written: string[] = [];
  using tap = new OutputTap(watch(false, written));
  await print(tap, [[0, "out\n"], [1, "err\n"]]);
  await tap.end();
  assert.deepEqual(written.sort(), ["stderr: err\n", "stdout: out\n"]);
  assert.deepEqual(tap.lastLines.sort(), ["err", "out"]);
});

Deno.test("OutputTap keeps the order of joined streams", async () => {
  const written: string[] = [];
  using tap = new OutputTap(watch(true, written));
  await print(tap, [[0, "1\n"], [1, "2\n"], [0, "3\n"]]);
  await tap.end();
  assert.equal(written.join("").replaceAll("stdout: ", ""), "1\n2\n3\n");
});

Deno.test("OutputTap has the last ten lines, as a terminal would show them", async () => {
  using tap = new OutputTap(watch(true, []));
  const text = Array.from({ length: 20 }, (_, index) => `line ${index}\n`).join("");
  await print(tap, [[0, `${text}0%\r50%\r100%\r\nwithout end`]]);
  await tap.end();
  assert.equal(tap.lastLines.length, 10);
  assert.deepEqual(tap.lastLines.slice(-3), ["line 19", "100%", "without end"]);
});

Deno.test("OutputTap reads on where nothing can be written, and says so in the end", async () => {
  const write = () => {
    throw new Error("full");
  };
  using tap = new OutputTap({ kind: "watched", joined: true, write });
  await print(tap, [[0, "x".repeat(300_000)]]);
  await assert.rejects(tap.end(), /full/);
});

Deno.test("OutputTap of direct output is the caller's own streams", async () => {
  using tap = new OutputTap(DIRECT);
  assert.deepEqual(tap.descriptors, [1, 2]);
  await tap.end();
  assert.deepEqual(tap.lastLines, []);
});
