// Layers whose names lead astray (spec ch-image §11.3).

import assert from "node:assert/strict";
import { output, tarMember } from "../../tree_fixture.ts";
import { KEPT, kept } from "./hostile_place.ts";
import { archive, directory, file, type HostileCase, pax } from "./hostile_place.ts";
import { symlink, testHostileLayers } from "./hostile_place.ts";
import { atPullPlace } from "./pull_place.ts";

const UP_LEVEL = /^rejecting up-level member: .*\.tar\.gz: /;

const NAMES: readonly HostileCase[] = [
  ...[
    "../evil",
    "..",
    "../",
    "a/../../evil",
    "a/b/../../../evil",
    "./../evil",
    "a/..",
    "a/../b",
    "/../evil",
    "//..//evil",
    "../../../../../outside/evil",
  ].map((name): HostileCase => ({
    what: `file ${name}`,
    layers: () => [archive(kept, file(name))],
    then: new RegExp(UP_LEVEL.source + name.replaceAll(".", "\\.").replace(/\/$/, "")),
  })),
  {
    what: "directory ../dir",
    layers: () => [archive(directory("../../../outside/dir/", 0o777))],
    then: UP_LEVEL,
  },
  {
    what: "symlink ../evil",
    layers: () => [archive(symlink("../evil", "kept"))],
    then: UP_LEVEL,
  },
  {
    what: "up-levels in a PAX path",
    layers: () => [archive(pax({ path: "a/../../evil" }), file("good"))],
    then: UP_LEVEL,
  },
  {
    what: "up-levels in a GNU long name",
    layers: () => [
      archive(
        tarMember("././@LongLink", "L", new TextEncoder().encode("../evil\0")),
        file("good"),
      ),
    ],
    then: UP_LEVEL,
  },
  {
    what: "up-levels in the name of a sparse file",
    layers: () => [
      archive(
        pax({ "GNU.sparse.name": "../evil", "GNU.sparse.map": "0,4", "GNU.sparse.size": "4" }),
        file("good"),
      ),
    ],
    then: UP_LEVEL,
  },
  {
    what: "up-levels out of prefix and name",
    layers: () => [
      archive(tarMember("evil", "0", undefined, { patch: { 345: "a/../.." } })),
    ],
    then: UP_LEVEL,
  },
  {
    what: "an absolute name",
    layers: (outside) => [archive(file(`${outside}/evil`), kept)],
    then: KEPT,
    log: /^warning: layer 1\/1: .{7}: fixed 1 absolute member paths$/,
  },
  {
    what: "an absolute name with many slashes",
    layers: (outside) => [archive(file(`///${outside}///./evil`), kept)],
    then: KEPT,
  },
  {
    what: "an absolute PAX path",
    layers: (outside) => [archive(pax({ path: `${outside}/file` }), file("good"), kept)],
    then: KEPT,
  },
  {
    what: "names of nothing",
    layers: () => [archive(file(""), file("/"), directory("./"), directory("/"), kept)],
    then: KEPT,
    log: /skipping member with empty path$/,
  },
  {
    what: "a root that is a file",
    layers: () => [archive(file("."))],
    then: /root is not a directory: file/,
  },
  {
    what: "a root that is a link",
    layers: (outside) => [archive(symlink("./", outside), file("evil"))],
    then: /root is not a directory: symlink/,
  },
  {
    what: "names with newlines and escapes",
    layers: () => [archive(file("a\nb\u001b[31m"), kept)],
    then: KEPT,
  },
  {
    what: "an up-level with newlines and escapes",
    layers: () => [archive(file("../a\nb\u001b[31m\u0007"))],
    then: UP_LEVEL,
  },
  {
    what: "a NUL in a PAX path",
    layers: () => [archive(kept, pax({ path: "kept\0/../../evil" }), file("good"))],
    then: /tar\.gz: damaged tar archive: malformed extended header: path in member at byte 1024/,
  },
  {
    what: "a component of 256 bytes",
    layers: () => [archive(pax({ path: `a/${"n".repeat(256)}` }), file("good"))],
    then: /can’t write: a\/nnn/,
  },
  {
    what: "a path of a megabyte",
    layers: () => [archive(pax({ path: "n".repeat(1 << 19) }), file("good"))],
    then: /can’t write: nnn/,
  },
  {
    what: "a hundred thousand directories in one another",
    layers: () => [archive(pax({ path: "a/".repeat(100_000) + "f" }), file("good"))],
    then: /: a\/a\/a/,
  },
  {
    what: "two thousand directories in one another",
    layers: () => [archive(pax({ path: "a/".repeat(1000) + "f" }), file("good"), kept)],
    then: KEPT,
  },
];

testHostileLayers(NAMES);

Deno.test(
  "pullImage() keeps names that are not UTF-8",
  atPullPlace(async ({ registry, pull, store }) => {
    await registry.addImage("1", [archive(file("a\udcff\udcfeb"), file("\udcc3"), kept)]);
    await pull("1");
    const names = output("ls", "-b", `${store.path}/img/x`).split("\n");
    assert(names.includes("a\\377\\376b") && names.includes("\\303"), names.join(" "));
  }),
);
