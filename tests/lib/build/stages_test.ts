import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { parsePlatform } from "../../../lib/build/platform.ts";
import { findSourceStage, type PlannedStage, planStages } from "../../../lib/build/stages.ts";
import { parseDockerfile } from "../../../lib/dockerfile/parse.ts";
import { divideIntoStages } from "../../../lib/dockerfile/program.ts";
import { parseReference } from "../../../lib/reference/reference.ts";

const DOCKER = "# syntax=docker/dockerfile:1\n";

interface Wishes {
  readonly target?: string;
  readonly arg?: Readonly<Record<string, string>>;
}

function plan(text: string, { target, arg = {} }: Wishes = {}, onBad = () => {}): PlannedStage[] {
  const dockerfile = parseDockerfile({ file: "Dockerfile", text });
  return planStages(divideIntoStages(dockerfile), {
    tag: parseReference("t:v"),
    target,
    globalArg: new Map(Object.entries(arg)),
    dialect: dockerfile.dialect,
    buildPlatform: parsePlatform("amd64"),
    targetPlatform: parsePlatform("arm64"),
  }, onBad);
}

const CHAIN = "FROM a AS x\nFROM b\nCOPY --from=x /f /\nFROM x AS y\nFROM c\nCOPY --from=1 /f /\n";

Deno.test("planStages() names stages, and tells what each needs", () => {
  deepStrictEqual(
    plan(CHAIN).map(({ number, reference, needs, base }) => [
      number,
      reference.text,
      base.stage ?? base.reference.text,
      ...needs,
    ]),
    [
      [0, "t:v_stage0", "a"],
      [1, "t:v_stage1", "b", 0],
      [2, "t:v_stage2", 0, 0],
      [3, "t:v", "c", 1],
    ],
  );
});

for (
  const [name, text, wishes, numbers] of [
    ["all by upstream's rules", CHAIN, {}, [0, 1, 2, 3]],
    ["the needed ones by Docker's", DOCKER + CHAIN, {}, [0, 1, 3]],
    ["those of a target", CHAIN, { target: "y" }, [0, 2]],
    ["those of a target in capitals", CHAIN, { target: "Y" }, [0, 2]],
    ["those of a target's number", CHAIN, { target: "1" }, [0, 1]],
    [
      "what a mount needs",
      `${DOCKER}FROM a AS x\nFROM a\nFROM b\nRUN --mount=type=bind,from=x,target=/x true\n`,
      {},
      [0, 2],
    ],
  ] as const
) {
  Deno.test(`planStages() builds ${name}`, () => {
    deepStrictEqual(plan(text, wishes).map(({ number }) => number), numbers);
  });
}

Deno.test("planStages() gives the target the name of the build", () => {
  const stages = plan(CHAIN, { target: "y" });
  deepStrictEqual(stages.map(({ reference }) => reference.text), ["t:v_stage0", "t:v"]);
});

Deno.test("planStages() replaces variables in FROM", () => {
  const [stage] = plan("ARG i\nFROM ${i}:$TARGETARCH\n", { arg: { i: "img" } });
  strictEqual(stage!.base.reference.text, "img:arm64");
  const [other] = plan(`${DOCKER}FROM --platform=$BUILDPLATFORM img\n`);
  strictEqual(other!.base.platform!.architecture, "amd64");
  strictEqual(other!.platformArg.get("TARGETARCH"), "amd64");
});

Deno.test("planStages(): FROM --arg counts from its stage on", () => {
  const stages = plan("FROM a\nFROM --arg=os=img $os\nFROM $os\n");
  deepStrictEqual(stages.map(({ globalArg }) => globalArg.get("os")), [undefined, "img", "img"]);
  deepStrictEqual(stages.map(({ base }) => base.reference.text), ["a", "img", "img"]);
});

Deno.test("planStages(): a name that is given again means the later stage", () => {
  deepStrictEqual(plan("FROM a AS x\nFROM x AS x\nFROM x\n").map(({ needs }) => needs), [
    [],
    [0],
    [1],
  ]);
});

for (
  const [name, text, wishes, message] of [
    ["itself as base", "FROM t:v\n", {}, "output image ref same as FROM: t:v"],
    ["a variable that is not set", "FROM $no\n", {}, /contains an undefined variable: \$no/],
    ["a target that is none", "FROM a\n", { target: "z" }, "--target: no such stage: z"],
    ["a number beyond", "FROM a\n", { target: "1" }, "--target: no such stage: 1"],
    [
      "a platform that is none",
      `${DOCKER}FROM --platform=windows/x a\n`,
      {},
      "not a platform: windows/x",
    ],
  ] as const
) {
  Deno.test(`planStages() refuses ${name}`, () => {
    throws(() => plan(text, wishes), { message });
  });
}

Deno.test("planStages() tells which FROM is wrong", () => {
  const lines: number[] = [];
  throws(() =>
    planStages(
      divideIntoStages(parseDockerfile({ file: "f", text: "FROM a\n\nFROM $b\n" })),
      {
        tag: parseReference("t"),
        target: undefined,
        globalArg: new Map(),
        dialect: parseDockerfile({ file: "f", text: "FROM a\n" }).dialect,
        buildPlatform: parsePlatform("amd64"),
        targetPlatform: parsePlatform("amd64"),
      },
      ({ position }) => lines.push(position.line),
    )
  );
  deepStrictEqual(lines, [3]);
});

const AT = { number: 1, aliases: new Map([["x", 0], ["self", 1]]) };

for (
  const [name, found] of [
    ["0", 0],
    ["x", 0],
    ["X", 0],
    ["debian", undefined],
    ["self", "--from: stage self is the current stage"],
    ["1", "--from: stage 1 is the current stage"],
    ["2", "--from: stage 2 does not exist yet"],
    ["3", "--from: stage 3 does not exist"],
    ["-1", "--from: invalid negative stage index -1"],
  ] as const
) {
  Deno.test(`findSourceStage(${name}) in stage 1 of 3`, () => {
    const find = () => findSourceStage(name, AT, 3);
    if (typeof found === "string") throws(find, { message: found });
    else strictEqual(find(), found);
  });
}
