import assert from "node:assert/strict";
import { parseChallenges, tokenUrl } from "../../../lib/registry/challenge.ts";

function show(header: string): unknown {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, ...parameters.entries()]);
}

Deno.test("parseChallenges() understands what registries say", () => {
  const cases: readonly [string, unknown][] = [
    ["", []],
    ["Basic", [["basic"]]],
    ['Basic realm="r"', [["basic", ["realm", "r"]]]],
    ["BASIC Realm = r", [["basic", ["realm", "r"]]]],
    [
      'Bearer realm="https://a/t",service="s",scope="repository:a/b:pull,push"',
      [["bearer", ["realm", "https://a/t"], ["service", "s"], [
        "scope",
        "repository:a/b:pull,push",
      ]]],
    ],
    [
      'Negotiate, Basic realm="a, b", Bearer realm="c"',
      [["negotiate"], ["basic", ["realm", "a, b"]], ["bearer", ["realm", "c"]]],
    ],
    ['Basic realm="a\\"b\\\\c"', [["basic", ["realm", 'a"b\\c']]]],
    ['realm="nobody\'s", Basic', [["basic"]]],
    ['Basic realm="no end', [["basic"]]],
    [",, ,", []],
  ];
  for (const [header, expected] of cases) assert.deepEqual(show(header), expected, header);
});

Deno.test("parseChallenges() tells whether two ask for the same", () => {
  const text = (header: string) => parseChallenges(header)[0]!.text;
  assert.equal(text('Bearer a="1",b="2"'), text("bearer b=2, a=1"));
  assert.notEqual(text('Bearer a="1"'), text('Bearer a="2"'));
});

Deno.test("tokenUrl() asks for scopes one by one, and for nothing about errors", () => {
  const url = (header: string) => tokenUrl(parseChallenges(header)[0]!).href;
  assert.equal(
    url('Bearer realm="https://a/t?x=1",service="s",scope="one two",error="invalid_token"'),
    "https://a/t?x=1&service=s&scope=one&scope=two",
  );
  assert.throws(() => url("Bearer service=s"), /^ChError: WWW-Authenticate missing key: realm$/);
  assert.throws(
    () => url("Bearer realm=here"),
    /^ChError: WWW-Authenticate: realm is no URL: here$/,
  );
});
