import assert from "node:assert/strict";
import { type MetadataFiles, toImageDetails, toMetadata } from "../../../lib/oci/image_metadata.ts";
import type { ImageDetails } from "../../../lib/oci/model.ts";
import { defaultMetadata, formatEnvironment } from "../../../lib/store/metadata.ts";

const CONFIG: ImageDetails = {
  architecture: "arm64",
  os: "linux",
  author: "somebody",
  config: {
    Env: ["PATH=/usr/bin", "EQUALS=a=b", "EMPTY="],
    Entrypoint: ["/bin/e"],
    Cmd: ["c", "d e"],
    WorkingDir: "/work",
    User: "1000:1000",
    Labels: { "org.example": "yes" },
    Shell: ["/bin/bash", "-c"],
    Volumes: { "/data": {} },
    StopSignal: "SIGINT",
  },
  history: [{ created_by: "x" }],
};
const encode = (text: string) => new TextEncoder().encode(text);
const NONE: MetadataFiles = { metadata: undefined, environment: undefined, pulled: undefined };

Deno.test("toMetadata() has what a Dockerfile could say", () => {
  const { arg, ...rest } = toMetadata(CONFIG);
  assert.deepEqual(rest, {
    arch: "arm64",
    author: "somebody",
    config: {
      User: "1000:1000",
      Entrypoint: ["/bin/e"],
      Cmd: ["c", "d e"],
      StopSignal: "SIGINT",
    },
    cwd: "/work",
    env: { PATH: "/usr/bin", EQUALS: "a=b", EMPTY: "" },
    history: [{ created_by: "x" }],
    labels: { "org.example": "yes" },
    shell: ["/bin/bash", "-c"],
    volumes: ["/data"],
  });
  assert.deepEqual(arg, defaultMetadata().arg);
  assert.deepEqual(toMetadata({ architecture: "amd64", os: "linux" }), {
    ...defaultMetadata(),
    arch: "amd64",
    config: {},
  });
});

Deno.test("toMetadata() keeps of what was there what the configuration can't say", () => {
  const base = {
    ...defaultMetadata(),
    arg: { MINE: "1" },
    labels: { old: "gone" },
    other: 7,
    author: "nobody",
    config: { Cmd: ["old"], StopSignal: "SIGHUP" },
  };
  const { author: _, ...config } = CONFIG;
  const metadata = toMetadata({ ...config, config: { Cmd: ["new"] } }, base);
  assert.deepEqual([metadata.arg, metadata["other"]], [{ MINE: "1" }, 7]);
  assert.deepEqual(metadata.labels, {});
  assert.deepEqual(metadata["config"], { Cmd: ["new"] });
  assert.equal(metadata["author"], undefined);
});

Deno.test("toImageDetails() is toMetadata()'s way back", () => {
  const metadata = toMetadata(CONFIG);
  const environment = encode(formatEnvironment(metadata.env).text);
  const back = toImageDetails({ metadata, environment, pulled: CONFIG });
  assert.deepEqual(back, {
    ...CONFIG,
    config: { ...CONFIG.config, Env: ["EMPTY=", "EQUALS=a=b", "PATH=/usr/bin"] },
  });
});

Deno.test("toImageDetails() with nothing to go by", () => {
  assert.deepEqual(toImageDetails(NONE), {
    architecture: defaultMetadata().arch,
    os: "linux",
    config: {},
    history: [],
  });
});

const ENVIRONMENTS: readonly (readonly [string, Partial<MetadataFiles>, readonly string[]])[] = [
  ["the file's", { environment: encode("B=2\nA='1 2'\n\n") }, ["B=2", "A=1 2"]],
  ["the file's, not the registry's", { environment: encode("\n"), pulled: CONFIG }, []],
  ["the registry's", { pulled: CONFIG }, ["PATH=/usr/bin", "EQUALS=a=b", "EMPTY="]],
  ["the metadata's", { metadata: { ...defaultMetadata(), env: { B: "2", A: "1" } } }, [
    "A=1",
    "B=2",
  ]],
  [
    "the metadata's where the file has no room for it",
    {
      metadata: { ...defaultMetadata(), env: { A: "two\nlines", B: "2" } },
      environment: encode("B=2\n"),
    },
    ["A=two\nlines", "B=2"],
  ],
  [
    "the file's if it was edited",
    {
      metadata: { ...defaultMetadata(), env: { A: "1" } },
      environment: encode("A=2\n"),
    },
    ["A=2"],
  ],
];
for (const [name, files, expected] of ENVIRONMENTS) {
  Deno.test(`toImageDetails(): the environment is ${name}`, () => {
    assert.deepEqual(toImageDetails({ ...NONE, ...files }).config?.Env ?? [], expected);
  });
}

Deno.test("toImageDetails(): own settings replace all of the registry's", () => {
  const metadata = { ...defaultMetadata(), author: "me", config: { Cmd: ["mine"], User: "5" } };
  const { author, config } = toImageDetails({ ...NONE, metadata, pulled: CONFIG });
  assert.equal(author, "me");
  assert.deepEqual([config?.Entrypoint, config?.Cmd, config?.User, config?.["StopSignal"]], [
    undefined,
    ["mine"],
    "5",
    undefined,
  ]);
});

Deno.test("toImageDetails(): without own settings the registry's count", () => {
  const { config } = toImageDetails({ ...NONE, metadata: defaultMetadata(), pulled: CONFIG });
  assert.deepEqual([config?.Entrypoint, config?.Cmd, config?.User], [
    CONFIG.config?.Entrypoint,
    CONFIG.config?.Cmd,
    "1000:1000",
  ]);
});
