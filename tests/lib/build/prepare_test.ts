// Instructions made ready: how they are announced, and what they do to the state of a stage.

import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { formatAnnounced, type Prepared } from "../../../lib/build/action.ts";
import {
  describeArg,
  describeUnprepared,
  prepareArg,
  preparePair,
  prepareShell,
  prepareWorkdir,
  splitPairs,
} from "../../../lib/build/prepare.ts";
import { prepareRun } from "../../../lib/build/run_prepare.ts";
import { prepareSetting } from "../../../lib/build/settings.ts";
import { joinPath, StageState } from "../../../lib/build/state.ts";
import { CHARLIECLOUD } from "../../../lib/dockerfile/dialect.ts";
import type { Instruction } from "../../../lib/dockerfile/instruction.ts";
import { parseDockerfile } from "../../../lib/dockerfile/parse.ts";
import { defaultMetadata } from "../../../lib/store/metadata.ts";

function newState(dialect = CHARLIECLOUD): StageState {
  return new StageState({
    base: { ...defaultMetadata(), arg: { inherited: "base", PATH: "/bin" }, env: { E: "env" } },
    caller: new Map([["HTTP_PROXY", "proxy"], ["HOME", "/home/x"]]),
    globalArg: new Map([["os", "img"], ["inherited", "global"]]),
    platformArg: new Map([["TARGETARCH", "amd64"]]),
    dialect,
  });
}

function noMount(): never {
  throw new TypeError("no mount was asked for");
}

async function prepareAll(
  text: string,
  state = newState(),
  given = new Map<string, string>(),
): Promise<string[]> {
  const announced: string[] = [];
  const take = (prepared: Prepared) => {
    announced.push(formatAnnounced(prepared.text));
    state.apply(prepared.action);
    state.addHistory(formatAnnounced(prepared.text), new Date(0));
  };
  const prepare = async (instruction: Instruction) => {
    switch (instruction.kind) {
      case "arg":
        return take(prepareArg(instruction, given, state));
      case "env":
      case "label":
        return take(preparePair(instruction, state));
      case "run":
        return take(await prepareRun(instruction, "seccomp", state, noMount));
      case "configure":
        return take(prepareSetting(instruction, state));
      case "shell":
        return take(prepareShell(instruction, state));
      case "workdir":
        return take(prepareWorkdir(instruction, state));
      default:
        throw new TypeError(instruction.kind);
    }
  };
  for (const instruction of parseDockerfile({ file: "D", text }).instructions) {
    if (instruction.kind === "directive") continue;
    for (const part of splitPairs(instruction, state)) await prepare(part);
  }
  return announced;
}

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ["ENV A=1 B=$A\n", ["ENV A='1'", "ENV B='1'"]],
  ['ENV A "x\\ty"\n', ["ENV A='x\ty'"]],
  ["ENV a=\\$os\n", ["ENV a='\\$os'"]],
  ["ENV A=$HOME$PWD B=${os}\n", ["ENV A='$HOME$PWD'", "ENV B='img'"]],
  ["LABEL a=$E b c=d\n".replace(" b", ""), ["LABEL a='env'", "LABEL c='d'"]],
  ["ARG A\nARG B=$os\nARG C=x$A\n", ["ARG A=", "ARG B='img'", "ARG C='x$A'"]],
  ["ARG HTTP_PROXY\n", ["ARG HTTP_PROXY= [special]"]],
  ["ARG E=arg\nENV X=$E\n", ["ARG E='arg'", "ENV X='env'"]],
  ["ARG inherited\nENV X=$inherited\n", ["ARG inherited=", "ENV X='global'"]],
  ["RUN echo $os ${x:-y}\n", ["RUN.S echo $os ${x:-y}"]],
  ['RUN ["echo", "$os", "ä\\t"]\n', ['RUN.S ["echo", "img", "\\u00e4\\t"]']],
  ['SHELL ["/bin/$os", "-c"]\n', ["SHELL ['/bin/img', '-c']"]],
  ["WORKDIR /$os//x/ \n", ["WORKDIR /img/x/ "]],
  ["WORKDIR ./a\n", ["WORKDIR a"]],
];

for (const [text, expected] of CASES) {
  Deno.test(`preparing ${JSON.stringify(text)}`, async () => {
    deepStrictEqual(await prepareAll(text), expected);
  });
}

Deno.test("prepareArg() substitutes a build argument too", async () => {
  const announced = await prepareAll("ARG A=x\nARG B=y\n", newState(), new Map([["A", "<$os>"]]));
  deepStrictEqual(announced, ["ARG A='<img>'", "ARG B='y'"]);
});

Deno.test("describeArg() of nothing and of emptiness", () => {
  strictEqual(formatAnnounced(describeArg("A", undefined)), "ARG A=");
  strictEqual(formatAnnounced(describeArg("A", "")), "ARG A=''");
});

Deno.test("StageState becomes metadata, without what is passed through", async () => {
  const state = newState();
  await prepareAll(
    'ARG HTTP_PROXY=mine\nARG z=1\nENV F=2\nLABEL l=m\nSHELL ["s"]\nWORKDIR x\n',
    state,
  );
  const { arch: _arch, history, ...rest } = state.toMetadata();
  deepStrictEqual(rest, {
    arg: { inherited: "global", PATH: "/bin", os: "img", z: "1" },
    cwd: "/x",
    env: { E: "env", F: "2" },
    labels: { l: "m" },
    shell: ["s"],
    volumes: [],
  });
  strictEqual(state.variables.find("HTTP_PROXY"), "mine");
  deepStrictEqual(history.at(-1), { created: "1970-01-01T00:00:00Z", created_by: "WORKDIR x" });
  strictEqual(history.length, 6);
});

Deno.test("BuildVariables list ENV over ARG, once", async () => {
  const state = newState();
  await prepareAll("ARG E=arg\nARG F=arg\n", state);
  deepStrictEqual(state.variables.list().sort(), [
    "E=env",
    "F=arg",
    "HTTP_PROXY=proxy",
    "PATH=/bin",
    "inherited=global",
    "os=img",
  ]);
});

Deno.test("prepareRun() uses the shell of the moment", async () => {
  const state = newState();
  await prepareAll('SHELL ["/bin/bash", "-lc"]\n', state);
  const [run] = parseDockerfile({ file: "D", text: "RUN x\n" }).instructions;
  if (run?.kind !== "run") throw new TypeError();
  deepStrictEqual((await prepareRun(run, "none", state, noMount)).action, {
    op: "run",
    run: {
      form: "shell",
      argv: ["/bin/bash", "-lc", "x"],
      script: undefined,
      mounts: [],
      network: "host",
    },
  });
});

Deno.test("joinPath() keeps what is absolute and ..", () => {
  strictEqual(joinPath("/", "a"), "/a");
  strictEqual(joinPath("/a", "../b/"), "/a/../b/");
  strictEqual(joinPath("/a/", "b"), "/a/b");
  strictEqual(joinPath("/a", "/b"), "/b");
  strictEqual(joinPath("/a", "."), "/a");
  strictEqual(joinPath("/a", ""), "/a");
});

Deno.test("describeUnprepared() shows instructions as written", () => {
  const lines = [
    "COPY --from=x a b /x",
    "ENV A=${b:-c}",
    "WORKDIR $x",
    'RUN ["$x"]',
    "FROM $x AS y",
  ];
  deepStrictEqual(
    parseDockerfile({ file: "D", text: lines.join("\n") }).instructions.map((instruction) =>
      formatAnnounced(describeUnprepared(instruction))
    ),
    ["COPY ['a', 'b'] -> /x", "ENV A='${b:-c}'", "WORKDIR $x", 'RUN ["$x"]', "FROM $x AS y"],
  );
});
