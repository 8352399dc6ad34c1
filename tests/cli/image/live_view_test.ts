import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { drawPicture, formatTime, type LivePicture } from "../../../cli/image/live_view.ts";
import { OutputTail } from "../../../lib/build/output_tail.ts";

function course(line: number, text: string, since: number, printed: string) {
  const tail = new OutputTail();
  tail.add(printed);
  return { line, text, since, tail };
}

function picture(changes: Partial<LivePicture>): LivePicture {
  return {
    outline: { isParallel: true, stages: 3, image: "img" },
    begin: 0,
    stagesDone: 1,
    courses: new Map(),
    meters: [],
    ...changes,
  };
}

Deno.test("drawPicture() has a line for each course, and what it printed last", () => {
  const courses = new Map([
    ["one", course(3, "RUN.S make", 1000, "a\nb\nc\rC\n")],
    ["2", course(12, "RUN.S a very long command that goes on and on", 11_900, "")],
  ]);
  deepStrictEqual(
    drawPicture(picture({ courses, meters: ["pulling: 50%"] }), 12_000, { columns: 40, rows: 16 }),
    [
      "building img: 1 of 3 stages, 12.0s",
      "[one]   3. RUN.S make             11.0s",
      "     | b",
      "     | C",
      "[2]  12. RUN.S a very long comma…  0.1s",
      "pulling: 50%",
    ],
  );
});

Deno.test("drawPicture() of stages one after another does not name them", () => {
  const outline = { isParallel: false, stages: 1, image: "img" };
  const courses = new Map([["0", course(1, "RUN.S x", 0, "")]]);
  deepStrictEqual(
    drawPicture(picture({ outline, courses, stagesDone: 0 }), 0, { columns: 30, rows: 24 }),
    ["building img: 0 of 1 stages, 0.0s", "  1. RUN.S x             0.0s"],
  );
});

Deno.test("drawPicture() shows no output where there is no room", () => {
  const courses = new Map([["0", course(1, "RUN.S x", 0, "printed\n")]]);
  strictEqual(drawPicture(picture({ courses }), 0, { columns: 30, rows: 4 }).length, 2);
});

for (
  const [milliseconds, text] of [
    [0, "0.0s"],
    [59_940, "59.9s"],
    [59_960, "0m59s"],
    [61_000, "1m01s"],
    [3_599_999, "59m59s"],
    [3_600_000, "1h00m00s"],
  ] as const
) {
  Deno.test(`formatTime(${milliseconds}) is ${text}`, () => {
    strictEqual(formatTime(milliseconds), text);
  });
}
