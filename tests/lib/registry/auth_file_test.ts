import assert from "node:assert/strict";
import {
  findPlainLogin,
  listHelpers,
  listKeys,
  parseAuthFile,
  withLogin,
  withoutLogin,
} from "../../../lib/registry/auth_file.ts";

const parse = (values: unknown) => parseAuthFile(JSON.stringify(values), "auth.json");
const encode = (text: string) => new TextEncoder().encode(text).toBase64();
const alice = { kind: "password", username: "alice", password: "a:b" };

Deno.test("findPlainLogin() finds a login under every name it may have", () => {
  const auth = encode("alice:a:b");
  const cases: readonly [string, unknown, unknown][] = [
    ["host:443", { auths: { host: { auth } } }, alice],
    ["host:443", { auths: { "host:443": { auth } } }, alice],
    ["host:443", { auths: { "https://host/v2/": { auth } } }, alice],
    ["host:5000", { auths: { "host:5000": { auth } } }, alice],
    ["host:5000", { auths: { host: { auth } } }, undefined],
    ["registry-1.docker.io:443", { auths: { "https://index.docker.io/v1/": { auth } } }, alice],
    ["registry-1.docker.io:443", { auths: { "docker.io": { auth } } }, alice],
    ["host:443", { auths: { host: { username: "alice", password: "a:b" } } }, alice],
    ["host:443", { auths: { host: { auth: encode("alice:a:b\0\0") } } }, alice],
    ["host:443", { auths: { host: { auth, identitytoken: "t" } } }, {
      kind: "identity",
      token: "t",
    }],
    ["host:443", { auths: { host: {} } }, undefined],
    ["host:443", { auths: { host: null } }, undefined],
    ["host:443", { auths: [] }, undefined],
    ["host:443", {}, undefined],
    ["toString:443", { auths: {} }, undefined],
  ];
  for (const [registry, values, expected] of cases) {
    assert.deepEqual(findPlainLogin(parse(values), registry), expected, JSON.stringify(values));
  }
});

Deno.test("findPlainLogin() names a login that is none", () => {
  for (const auth of ["%%%", encode("nocolon"), encode(":"), "//79"]) {
    assert.throws(() => findPlainLogin(parse({ auths: { host: { auth } } }), "host:443"), {
      message: "can’t decode saved login: auth.json: host",
    });
  }
});

Deno.test("listHelpers() puts the registry's own before the one for all", () => {
  const file = parse({ credHelpers: { host: "own" }, credsStore: "all" });
  assert.deepEqual(listHelpers(file, "host:443")[0], { helper: "own", key: "host" });
  assert.deepEqual(
    listHelpers(file, "other:443")[0],
    { helper: "all", key: listKeys("other:443")[0] },
  );
  assert.deepEqual(
    listHelpers(parse({ credHelpers: { host: 7 }, credsStore: "" }), "host:443"),
    [],
  );
});

Deno.test("withLogin() and withoutLogin() leave everything else as it is", () => {
  const before = { auths: { "https://host/v1/": { auth: "x" }, other: { auth: "y" } }, more: [1] };
  const after = withLogin(parse(before), "host:443", "alice", "a:b");
  assert.deepEqual(JSON.parse(after), {
    auths: { other: { auth: "y" }, host: { auth: encode("alice:a:b") } },
    more: [1],
  });
  assert.deepEqual(
    JSON.parse(withoutLogin(parseAuthFile(after, "auth.json"), "host:443")!),
    { auths: { other: { auth: "y" } }, more: [1] },
  );
  assert.equal(withoutLogin(parse(before), "nosuch:443"), undefined);
});

Deno.test("parseAuthFile() names a file that is none", () => {
  assert.deepEqual(parseAuthFile(" \n", "f").values, {});
  for (const text of ["{", "[]", "null", "7"]) {
    assert.throws(() => parseAuthFile(text, "f"), /^ChError: can’t parse JSON: f/, text);
  }
});
