import assert from "node:assert/strict";
import { ChError } from "../../../lib/error.ts";
import { type Builder, chooseFormat, type Format } from "../../../lib/convert/format.ts";

const all = () => true;

Deno.test("chooseFormat() infers the format from the text alone", () => {
  const cases: [Format, string][] = [
    ["squash", "./foo:bar.sqfs foo.squishy a.squash a.squashfs /x/y.sqfs .sqfs a\n.sqfs"],
    ["tar", "foo.tar foo.tgz foo.txz foo.tbz foo.taz foo.t2z a.tar.gz a.tar.xz a.tar.bz a.tar.Z"],
    ["tar", "./foo.tar /foo.tgz ../foo.tar"],
    ["tar", "foo.tar.bz2 ./foo.tar.bz2 /foo.tar.zst foo.tbz2 foo.tzst"],
    ["dir", "/a ./a / ./ /x.sqfs.d ./a.tar.lzma /a.TAR"],
    ["ch-image", "foo.tar.lzma foo.TAR a.tzz.x a.tz"],
    ["ch-image", "../a . .. a/b a.tar/b foo.sqfs/bar foo foo:bar example.com:5000/a/b:c"],
  ];
  for (const [format, descriptors] of cases) {
    for (const descriptor of descriptors.split(" ")) {
      assert.equal(chooseFormat("", descriptor, all), format, descriptor);
    }
  }
  assert.equal(chooseFormat("", "", all), "ch-image");
});

Deno.test("chooseFormat() prefers ch-image, then podman, then docker", () => {
  const choose = (...builders: Builder[]) =>
    chooseFormat("", "foo", (builder) => builders.includes(builder));
  assert.equal(choose("docker", "podman", "ch-image"), "ch-image");
  assert.equal(choose("docker", "podman"), "podman");
  assert.equal(choose("docker"), "docker");
  assert.throws(
    () => choose(),
    new ChError("descriptor looks like builder storage but no builder found: foo"),
  );
});

Deno.test("chooseFormat() takes a name at its word", () => {
  const none = () => false;
  assert.equal(chooseFormat("dir", "a.sqfs", none), "dir");
  assert.equal(chooseFormat("tar", "./a", none), "tar");
  assert.equal(chooseFormat("podman", "./a", all), "podman");
  const cases: [string, string][] = [
    ["bogus", "invalid format: bogus"],
    ["Dir", "invalid format: Dir"],
    ["docker", "format docker invalid: docker not found"],
    ["ch-image", "format ch-image invalid: ch-image not found"],
  ];
  for (const [name, message] of cases) {
    assert.throws(() => chooseFormat(name, "a", none), new ChError(message));
  }
});
