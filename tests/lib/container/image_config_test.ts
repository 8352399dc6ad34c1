import assert from "node:assert/strict";
import { readImageCommand, readImageEnvironment } from "../../../lib/container/image_config.ts";

/** An image with these files below /ch. */
function image(files: Readonly<Record<string, unknown>>) {
  return (path: string) => {
    const value = files[path.replace("/ch/", "")];
    if (value === undefined) return undefined;
    return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
  };
}

const PULLED = {
  config: { Env: ["A=pulled"], Entrypoint: ["/e"], Cmd: ["c"], WorkingDir: "/pulled" },
};

for (
  const [what, files, expected] of [
    ["nothing", {}, {}],
    ["/ch/environment first", {
      "environment": "A=file\nB='q'\n",
      "metadata.json": { env: { A: "metadata" } },
    }, { A: "file", B: "q" }],
    ["then metadata.json", {
      "metadata.json": { env: { A: "l1\nl2" } },
      "config.pulled.json": PULLED,
    }, { A: "l1\nl2" }],
    ["then config.pulled.json", { "config.pulled.json": PULLED }, { A: "pulled" }],
    ["metadata without env", { "metadata.json": {}, "config.pulled.json": PULLED }, {
      A: "pulled",
    }],
    ["a config of nothing", { "config.pulled.json": { config: null } }, {}],
  ] as const
) {
  Deno.test(`readImageEnvironment() takes ${what}`, () => {
    const entries = readImageEnvironment(image(files)).map(({ name, value }) => [name, value]);
    assert.deepEqual(Object.fromEntries(entries), expected);
  });
}

for (
  const [what, files, expected] of [
    ["nothing", {}, { entrypoint: [], cmd: [], cwd: undefined }],
    ["config.pulled.json", { "config.pulled.json": PULLED }, {
      entrypoint: ["/e"],
      cmd: ["c"],
      cwd: "/pulled",
    }],
    [
      "the Dockerfile's WORKDIR over the registry's",
      { "metadata.json": { cwd: "/own" }, "config.pulled.json": PULLED },
      { entrypoint: ["/e"], cmd: ["c"], cwd: "/own" },
    ],
    [
      "ENTRYPOINT and CMD of one file",
      { "metadata.json": { config: { Cmd: ["own"] } }, "config.pulled.json": PULLED },
      { entrypoint: [], cmd: ["own"], cwd: "/pulled" },
    ],
    [
      "null and empty for nothing",
      { "config.pulled.json": { config: { Entrypoint: null, Cmd: null, WorkingDir: "" } } },
      { entrypoint: [], cmd: [], cwd: undefined },
    ],
  ] as const
) {
  Deno.test(`readImageCommand() takes ${what}`, () => {
    assert.deepEqual(readImageCommand(image(files)), expected);
  });
}

for (
  const [what, files, message] of [
    [
      "no JSON",
      { "config.pulled.json": "{" },
      /^can't parse JSON: \/ch\/config.pulled.json: /,
    ],
    [
      "a list for an object",
      { "metadata.json": [] },
      /^bad value in \/ch\/metadata.json: the whole/,
    ],
    ["a text for a list", { "config.pulled.json": { config: { Cmd: "x" } } }, /pulled.json: Cmd$/],
    ["a number in a list", { "metadata.json": { config: { Cmd: [1] } } }, /metadata.json: Cmd$/],
    ["a NUL", { "metadata.json": { config: { Cmd: ["a\0b"] } } }, /metadata.json: Cmd$/],
    ["a number for WORKDIR", { "metadata.json": { cwd: 1 } }, /metadata.json: working directory$/],
  ] as const
) {
  Deno.test(`readImageCommand() refuses ${what}`, () => {
    assert.throws(() => readImageCommand(image(files)), { name: "ChError", message });
  });
}

for (
  const [what, files, message] of [
    ["a variable without =", { "config.pulled.json": { config: { Env: ["A"] } } }, /json: Env$/],
    ["a variable without a name", { "config.pulled.json": { config: { Env: ["=1"] } } }, /: Env$/],
    ["a NUL in a value", { "metadata.json": { env: { A: "\0" } } }, /metadata.json: env$/],
    ["a name with =", { "metadata.json": { env: { "A=B": "1" } } }, /metadata.json: env$/],
    ["a bad line", { environment: "A\n" }, /no delimiter: \/ch\/environment:1$/],
  ] as const
) {
  Deno.test(`readImageEnvironment() refuses ${what}`, () => {
    assert.throws(() => readImageEnvironment(image(files)), { name: "ChError", message });
  });
}
