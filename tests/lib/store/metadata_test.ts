import assert from "node:assert/strict";
import {
  defaultMetadata,
  formatEnvironment,
  formatMetadata,
  parseMetadata,
} from "../../../lib/store/metadata.ts";

Deno.test("defaultMetadata() is what an image without metadata has", () => {
  assert.deepEqual(defaultMetadata(), {
    arch: Deno.build.arch === "x86_64" ? "amd64" : "arm64",
    arg: {
      FAKEROOTDONTTRYCHOWN: "1",
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      TAR_OPTIONS: "--no-same-owner",
    },
    cwd: "/",
    env: {},
    history: [],
    labels: {},
    shell: ["/bin/sh", "-c"],
    volumes: [],
  });
});

Deno.test("parseMetadata() fills in what is missing and keeps what it does not know", () => {
  const metadata = parseMetadata(
    '{"cwd": "/x", "env": {"A": "1"}, "arg": {"B": "2", "PATH": "/p"}, "volumes": null, "new": [1]}',
    "f",
  );
  assert.equal(metadata.cwd, "/x");
  assert.deepEqual(metadata.env, { A: "1" });
  assert.deepEqual(metadata.arg, { ...defaultMetadata().arg, B: "2", PATH: "/p" });
  assert.deepEqual(metadata.volumes, []);
  assert.deepEqual(metadata.shell, ["/bin/sh", "-c"]);
  assert.deepEqual(metadata.new, [1]);
});

const refused: readonly [text: string, message: RegExp][] = [
  ["", /^can’t parse JSON: f:1: /],
  ["{", /^can’t parse JSON: f:1: /],
  ['{\n"a": x}', /^can’t parse JSON: f:2: /],
  ['{\n"a": 1,\n', /^can’t parse JSON: f:3: /],
  ["[]", /^can’t parse JSON: f:1: not an object$/],
  ['{\n "cwd": 1}', /^can’t parse JSON: f:2: bad value of cwd$/],
  ['{"env": {"A": 1}}', /bad value of env$/],
  ['{"env": ["A=1"]}', /bad value of env$/],
  ['{"shell": "/bin/sh"}', /bad value of shell$/],
  ['{"history": {}}', /bad value of history$/],
  ['{"volumes": [1]}', /bad value of volumes$/],
];

for (const [text, message] of refused) {
  Deno.test(`parseMetadata() refuses ${JSON.stringify(text)}`, () => {
    assert.throws(() => parseMetadata(text, "f"), { message });
  });
}

Deno.test("formatMetadata() sorts keys, indents by two, ends in a newline", () => {
  const metadata = { ...defaultMetadata(), arg: {}, labels: { b: "2", a: "1" }, arch: "x" };
  assert.equal(
    formatMetadata(metadata),
    `{
  "arch": "x",
  "arg": {},
  "cwd": "/",
  "env": {},
  "history": [],
  "labels": {
    "a": "1",
    "b": "2"
  },
  "shell": [
    "/bin/sh",
    "-c"
  ],
  "volumes": []
}
`,
  );
});

Deno.test("formatEnvironment() sorts, does not quote, and leaves out what has newlines", () => {
  assert.deepEqual(formatEnvironment({ B: "x y=z", A: "", C: "1\n2" }), {
    text: "A=\nB=x y=z\n",
    lost: ["C"],
  });
  assert.deepEqual(formatEnvironment({}), { text: "\n", lost: [] });
});
