import assert from "node:assert/strict";
import { begin, readAhead } from "../../../lib/layer/read_ahead.ts";

/** 1 to 4, of which MADE gets those that have been made, and "closed" in the end. */
async function* count(made: unknown[]): AsyncGenerator<number, void, void> {
  try {
    for (let number = 1; number <= 4; number++) {
      made.push(number);
      yield await Promise.resolve(number);
    }
  } finally {
    made.push("closed");
  }
}

const settle = () => new Promise((resolve) => setTimeout(resolve));

Deno.test("readAhead() makes some in advance, and closes when its consumer stops", async () => {
  const made: unknown[] = [];
  for await (const number of readAhead(count(made), 2)) {
    await settle();
    assert.deepEqual(made, [1, 2, 3]);
    assert.equal(number, 1);
    break;
  }
  assert.deepEqual(made, [1, 2, 3, "closed"]);
});

Deno.test("begin() makes the first at once, and no other", async () => {
  const made: unknown[] = [];
  const items = begin(count(made));
  await settle();
  assert.deepEqual(made, [1]);
  assert.deepEqual(await Array.fromAsync(items), [1, 2, 3, 4]);
});

Deno.test("begin(): what nobody has asked for is closed, too", async () => {
  const made: unknown[] = [];
  await begin(count(made)).return();
  assert.deepEqual(made, [1, "closed"]);
});

Deno.test("begin() tells an error to who asks, and to nobody else", async () => {
  async function* fail(): AsyncGenerator<number, void, void> {
    yield await Promise.reject(new Error("wrong"));
  }
  begin(fail());
  await settle();
  await assert.rejects(begin(fail()).next(), { message: "wrong" });
});
