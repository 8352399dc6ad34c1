// ch-image build of stages that do not need each other.

import assert from "node:assert/strict";
import { expect, test } from "../rig.ts";
import { prepare } from "./build_case.ts";

/** Each stage waits until the other has begun: one after another they would never end. */
const MEET = "for n in $(seq 300); do test -e /tmp/$THERE && exit 0; sleep .1; done; exit 9";

function meeting(directory: string, syntax = ""): string {
  const stage = (name: string, other: string) =>
    `FROM base AS ${name}\nARG THERE=${directory}.${other}\n` +
    `RUN echo in ${name}; touch /tmp/${directory}.${name}; ${MEET}\nRUN echo ${name} >/f\n`;
  return `${syntax}${stage("one", "two")}${stage("two", "one")}FROM base\n` +
    "COPY --from=one /f /1\nCOPY --from=two /f /2\n";
}

for (
  const [how, syntax, args] of [
    ["--jobs=2", "", ["--jobs=2"]],
    ["Docker's rules", "# syntax=docker/dockerfile:1\n", []],
  ] as const
) {
  test(`ch-image build: stages at the same time, by ${how}`, async (work) => {
    const directory = `ch-meet.${crypto.randomUUID()}`;
    await prepare(work, meeting(directory, syntax));
    try {
      const result = await work.run(["ch-image", "build", "-t", "t", ...args, "context"]);
      expect(result, {
        code: 0,
        stderr: /^\[one\] +\d+\. RUN.S[^]*grown in 11 instructions: t\n/m,
      });
      assert.deepEqual(result.stdout.split("\n").sort(), ["", "[one] in one", "[two] in two"]);
      assert.equal(await work.must("cd storage/img/t; cat 1 2"), "one\ntwo\n");
    } finally {
      await work.must(`rm -f /tmp/${directory}.*`);
    }
  });
}

test("ch-image build --jobs: a stage that fails stops the others", async (work) => {
  await prepare(
    work,
    "FROM base AS one\nRUN sleep 300\nFROM base AS two\nRUN echo no; exit 5\nFROM base\n" +
      "COPY --from=one /f /\nCOPY --from=two /f /\n",
  );
  expect(await work.run(["ch-image", "build", "-t", "t", "--jobs=2", "context"]), {
    code: 1,
    stdout: "[two] no\n",
    stderr: /error: build failed: RUN command exited with 5\nhint: at \S+:4: RUN\.S/,
  });
  assert.equal(await work.must("ls -A storage/imgtmp 2>/dev/null || true"), "");
});

test("ch-image build: stages that need each other are not marked", async (work) => {
  await prepare(work, "FROM base AS one\nRUN echo hi >/f\nFROM base\nCOPY --from=one /f /\n");
  expect(await work.run(["ch-image", "build", "-t", "t", "--jobs=4", "context"]), {
    code: 0,
    stderr: /^ {2}1[.*] FROM/,
  });
  expect(await work.run(["ch-image", "build", "-t", "t", "--jobs=0", "context"]), { code: 2 });
});
