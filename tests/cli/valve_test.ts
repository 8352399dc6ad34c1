import assert from "node:assert/strict";
import { Valve } from "../../cli/valve.ts";

Deno.test("Valve keeps writes back while it is shut, in their order", () => {
  const valve = new Valve();
  const written: number[] = [];
  const pass = (number: number) => valve.pass(() => void written.push(number));
  pass(1);
  {
    using _ = valve.shut();
    pass(2);
    pass(3);
    assert.deepEqual(written, [1]);
  }
  pass(4);
  assert.deepEqual(written, [1, 2, 3, 4]);
});
