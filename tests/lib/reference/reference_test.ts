import assert from "node:assert/strict";
import { ChError } from "../../../lib/error.ts";
import {
  type ImageReference,
  mangleReference,
  parseReference,
  unmangleName,
} from "../../../lib/reference/reference.ts";

const empty = { host: undefined, port: undefined, path: [], tag: undefined, digest: undefined };

const accepted: readonly [given: string, expected: Partial<ImageReference>][] = [
  ["name", { name: "name" }],
  ["name:tag", { name: "name", tag: "tag" }],
  ["name:Tag_1.0-x", { name: "name", tag: "Tag_1.0-x" }],
  ["foo:latest", { name: "foo", tag: "latest" }],
  ["localhost/x", { path: ["localhost"], name: "x" }],
  ["HOST/x", { path: ["HOST"], name: "x" }],
  ["a.b/c", { host: "a.b", name: "c" }],
  ["A.b/c", { host: "A.b", name: "c" }],
  ["localhost:5000/x", { host: "localhost", port: 5000, name: "x" }],
  ["localhost:5000", { name: "localhost", tag: "5000" }],
  ["a.b", { name: "a.b" }],
  ["example.com:8080/a/b:t", {
    host: "example.com",
    port: 8080,
    path: ["a"],
    name: "b",
    tag: "t",
  }],
  ["a/b/c", { path: ["a", "b"], name: "c" }],
  ["n@sha256:ff", { name: "n", digest: "ff" }],
  ["h.x/p/n@sha256:0aF", { host: "h.x", path: ["p"], name: "n", digest: "0aF" }],
  ["a__b", { name: "a__b" }],
  ["a/..", { path: ["a"], name: ".." }],
  ["-x", { name: "-x" }],
  ["x.lock", { name: "x.lock" }],
];

for (const [given, expected] of accepted) {
  Deno.test(`parseReference() understands ${given}`, () => {
    assert.deepEqual(parseReference(given), { ...empty, text: given, ...expected });
  });
}

Deno.test("parseReference() understands the mangled form and drops ampersands", () => {
  assert.deepEqual(
    parseReference("example.com+8080%p&%n+t"),
    parseReference("example.com:8080/p/n:t"),
  );
});

const refused: readonly [given: string, where: string][] = [
  ["name*", "char 5"],
  ["/a", "char 1"],
  ["a//b", "char 3"],
  ["host.com:/p/n", "char 10"],
  ["name@sha512:ff", "char 5"],
  ["x:1:2", "char 4"],
  ["a/b:T@g", "char 6"],
  ["a:t@sha256:ff", "char 4"],
  ["a/Name", "char 3"],
  ["Name:t", "char 6"],
  ["a:50x/y", "char 6"],
  ["a@sha256:xyz", "char 10"],
  ["na me", "char 3"],
  ["a&b*", "char 4"],
  ["é", "char 1"],
  ["a:", "at end"],
  ["a/", "at end"],
  ["Name", "at end"],
  ["Name:50", "at end"],
  ["a@sha256:", "at end"],
  ["", "at end"],
];

for (const [given, where] of refused) {
  Deno.test(`parseReference() refuses “${given}” ${where}`, () => {
    assert.throws(() => parseReference(given), (error) => {
      assert(error instanceof ChError);
      assert.equal(error.message, `image ref syntax, ${where}: ${given}`);
      assert(error.hint);
      return true;
    });
  });
}

const hints: readonly [given: string, hint: RegExp][] = [
  ["docker://debian:12", /^leave out “docker:\/\/”$/],
  ["https://a.b/c", /^leave out “https:\/\/”$/],
  ["Debian:12", /capital letters$/],
  ["a.b/Debian:T", /capital letters$/],
  ["a*", /ch-image\(1\)$/],
];

for (const [given, hint] of hints) {
  Deno.test(`parseReference() tells how “${given}” may be mended`, () => {
    assert.throws(() => parseReference(given), { hint });
  });
}

for (const given of [".", "..", "&.", ".&."]) {
  Deno.test(`parseReference() refuses ${given}, which names a directory of the storage`, () => {
    assert.throws(() => parseReference(given), { message: /^image reference not usable/ });
  });
}

Deno.test("parseReference() refuses a variable that was not substituted", () => {
  assert.throws(() => parseReference("a${b}"), {
    message: "image reference contains an undefined variable: a${b}",
  });
});

Deno.test("mangleReference() and unmangleName() are inverse", () => {
  for (
    const [text, mangled] of [
      ["example.com:8080/a/b:t", "example.com+8080%a%b+t"],
      ["n@sha256:ff", "n@sha256+ff"],
    ] as const
  ) {
    assert.equal(mangleReference(text), mangled);
    assert.equal(unmangleName(mangled), text);
  }
});
