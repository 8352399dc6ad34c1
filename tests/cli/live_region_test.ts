// What a region leaves on a terminal, which a small one here interprets.

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { LiveRegion } from "../../cli/live_region.ts";

/** Knows what a region uses, and throws for anything else. */
class Terminal {
  readonly lines: string[] = [""];
  row = 0;
  isCursorShown = true;
  wraps = true;

  writeSync(bytes: Uint8Array): number {
    const text = new TextDecoder().decode(bytes);
    // deno-lint-ignore no-control-regex
    for (const [part] of text.matchAll(/\x1b\[[?0-9]*[a-zA-Z]|[^\x1b]/g)) this.#take(part);
    return bytes.length;
  }

  #take(part: string): void {
    // deno-lint-ignore no-control-regex
    const up = /^\x1b\[(\d+)A$/.exec(part);
    if (up !== null) this.row -= Number(up[1]);
    else if (part === "\x1b[J") this.lines.splice(this.row, this.lines.length, "");
    else if (part === "\x1b[?25l") this.isCursorShown = false;
    else if (part === "\x1b[?25h") this.isCursorShown = true;
    else if (part === "\x1b[?7l") this.wraps = false;
    else if (part === "\x1b[?7h") this.wraps = true;
    else if (part === "\n") this.lines[++this.row] ??= "";
    else if (part === "\r") return;
    else if (part.startsWith("\x1b")) throw new Error(`unknown: ${JSON.stringify(part)}`);
    else this.lines[this.row] += part;
  }
}

function begin(size = { columns: 20, rows: 10 }) {
  const terminal = new Terminal();
  const region = new LiveRegion(terminal, () => size);
  const write = (text: string) => region.writeSync(new TextEncoder().encode(text));
  const look = () => {
    deepStrictEqual([terminal.isCursorShown, terminal.wraps], [true, true]);
    return terminal.lines;
  };
  return { region, write, look };
}

Deno.test("LiveRegion draws its lines in place", () => {
  const { region, look } = begin();
  region.show(["one", "two"]);
  deepStrictEqual(look(), ["one", "two", ""]);
  region.show(["three"]);
  deepStrictEqual(look(), ["three", ""]);
  region.show([]);
  deepStrictEqual(look(), [""]);
});

Deno.test("LiveRegion stays below what is written", () => {
  const { region, write, look } = begin();
  write("first\n");
  region.show(["live"]);
  write("second\nthird\n");
  deepStrictEqual(look(), ["first", "second", "third", "live", ""]);
  region.show([]);
  write("fourth\n");
  deepStrictEqual(look(), ["first", "second", "third", "fourth", ""]);
});

Deno.test("LiveRegion shows what fits", () => {
  const { region, look } = begin({ columns: 6, rows: 3 });
  region.show(["123456789", "b", "c", "d"]);
  deepStrictEqual(look(), ["1234…", "b", ""]);
});

Deno.test("LiveRegion writes nothing if nothing has changed", () => {
  let writes = 0;
  const region = new LiveRegion({ writeSync: (bytes) => (writes++, bytes.length) }, () => ({
    columns: 80,
    rows: 24,
  }));
  region.show(["same"]);
  region.show(["same"]);
  strictEqual(writes, 1);
});
