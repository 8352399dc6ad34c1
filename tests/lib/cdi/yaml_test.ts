import assert from "node:assert/strict";
import { parseYaml } from "../../../lib/cdi/yaml.ts";

const parse = (text: string) => parseYaml(text, "x.yaml");

Deno.test("parseYaml() reads what generators write", () => {
  const text = `---
# a comment
cdiVersion: 0.5.0
kind: "nvidia.com/gpu"   # another
containerEdits:
  env:
  - A=b # c
  - 'it''s: x'
  hooks:
    - args: [a, "b, c"]
      hookName: createContainer
    -
      args: []
  empty:
devices:
- containerEdits:
    deviceNodes:
    - path: /dev/x
      hostPath: /dev/y:z
  name: "0"
- name: all
  containerEdits: {}
nested:
- - a
  - b
`;
  // The second quoted item has a comma in it, which is more than we understand.
  assert.throws(() => parse(text), /x\.yaml: line 10: quote without an end/);
  assert.deepEqual(parse(text.replace("b, c", "b\\tc")), {
    cdiVersion: "0.5.0",
    kind: "nvidia.com/gpu",
    containerEdits: {
      env: ["A=b", "it's: x"],
      hooks: [{ args: ["a", "b\tc"], hookName: "createContainer" }, { args: [] }],
      empty: "",
    },
    devices: [
      { containerEdits: { deviceNodes: [{ path: "/dev/x", hostPath: "/dev/y:z" }] }, name: "0" },
      { name: "all", containerEdits: {} },
    ],
    nested: [["a", "b"]],
  });
  assert.deepEqual(parse(""), {});
  assert.deepEqual(parse("a: ~\nb: null\n"), { a: "", b: "" });
  assert.equal(Object.getPrototypeOf(parse("__proto__: x\n")), Object.prototype);
});

Deno.test("parseYaml() refuses what it does not understand, with the line", () => {
  for (
    const [text, message] of [
      ["a: &x b\n", /line 1: not understood: &/],
      ["a: |\n  b\n", /line 1: not understood: \|/],
      ["a: b\n\n  c: d\n", /line 3: indentation does not fit/],
      ["a: b\na: c\n", /line 2: twice: a/],
      ["a: 'b\n", /line 1: quote without an end/],
      ["a: {b: c}\n", /line 1: not understood/],
      [
        `${Array.from({ length: 60 }, (_, at) => `${" ".repeat(at)}k:`).join("\n")} v\n`,
        /too deep/,
      ],
      [`${"- ".repeat(60)}x\n`, /too deep/],
    ] as const
  ) assert.throws(() => parse(text), message, text);
});
