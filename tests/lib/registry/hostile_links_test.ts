// Layers whose links lead astray (spec ch-image §11.3).

import { KEPT, kept } from "./hostile_place.ts";
import { archive, directory, file, hardLink, type HostileCase, pax } from "./hostile_place.ts";
import { symlink, testHostileLayers, UP } from "./hostile_place.ts";

const TOO_MANY = /^rejecting too many up-levels: .*\.tar\.gz: /;

const LINKS: readonly HostileCase[] = [
  ...["../x", "../../../etc", "a/../../x", "a/b/../../../x", "..", "./../x", "//../x"].map((
    target,
  ): HostileCase => ({
    what: `symlink to ${target} in the root`,
    layers: () => [archive(symlink("l", target))],
    then: new RegExp(`${TOO_MANY.source}l -> ${target.replaceAll(".", "\\.")}$`),
  })),
  {
    what: "a symlink one level too high",
    layers: () => [archive(symlink("a/b/l", "../../../x"))],
    then: TOO_MANY,
  },
  {
    what: "a symlink exactly to the root",
    layers: () => [archive(symlink("a/b/l", "../.."), file("a/b/l/kept", "text"))],
    then: KEPT,
  },
  {
    what: "a symlink outside in a PAX header",
    layers: () => [archive(pax({ linkpath: UP }), symlink("l", "x"))],
    then: TOO_MANY,
  },
  {
    what: "an absolute symlink, and a file through it",
    layers: (outside) => [archive(symlink("l", outside), file("l/evil"))],
    then: ["!f 0644 l"],
    log: /changed 1 absolute symbolic and\/or hard links to relative/,
  },
  {
    what: "an absolute symlink, and a file through it in the next layer",
    layers: (outside) => [archive(symlink("l", outside)), archive(file("l/file"))],
    then: [],
  },
  {
    what: "an absolute symlink, and a file in its place",
    layers: (outside) => [archive(symlink("l", `${outside}/file`), file("l", "new"))],
    then: ['f 0644 l "new"'],
  },
  {
    what: "an absolute symlink to a directory, and a directory in its place",
    layers: (outside) => [archive(symlink("l", outside), directory("l/", 0o700), file("l/a"))],
    then: ["d 0700 l", 'f 0644 l/a "evil"'],
  },
  {
    what: "an absolute symlink to a directory, and a whiteout through it",
    layers: (outside) => [archive(symlink("l", outside)), archive(file("l/.wh.file", ""))],
    then: [],
  },
  {
    what: "an absolute symlink to a directory, made opaque",
    layers: (outside) => [archive(symlink("l", outside)), archive(file("l/.wh..wh..opq", ""))],
    then: [],
  },
  {
    what: "symlinks over symlinks that climb together",
    layers: () => [
      archive(
        directory("a/b/c/"),
        symlink("a/b/c/up", ".."),
        symlink("a/b/c/up/up", ".."),
        symlink("l", "a/b/c/up/up/../../.."),
      ),
    ],
    then: ["l a/b/c/up -> .."],
  },
  {
    what: "a symlink that climbs after its directory has become a link",
    layers: () => [
      archive(directory("d/e/f/"), symlink("d/e/f/l", "../../.."), file("d/e/f/l/a")),
      archive(symlink("d/e/f", "../../"), file("d/e/f/evil")),
    ],
    then: ["l d/e/f -> ../../"],
  },
  {
    what: "a rename trick: a link whose parent link moves it up",
    layers: (outside) => [
      archive(symlink("x", "a/b/c"), directory("a/b/c/"), symlink("x/l", `../../..${UP.slice(2)}`)),
      archive(file("x/l/evil"), file(`a/b/c/l/${outside.split("/").at(-1)}/evil`)),
    ],
    then: TOO_MANY,
  },
  {
    what: "symlinks in a circle, and a file through them",
    layers: () => [archive(symlink("a", "b"), symlink("b", "a"), file("a/evil"))],
    then: /can’t write: a\/evil/,
  },
  {
    what: "a symlink to itself",
    layers: () => [archive(symlink("a", "a"), kept)],
    then: [...KEPT, "l a -> a"],
  },
  {
    what: "a chain of a hundred symlinks",
    layers: () => [
      archive(
        ...Array.from({ length: 100 }, (_, i) => symlink(`l${i}`, `l${i + 1}`)),
        file("l0/evil"),
      ),
    ],
    then: /can’t write: l0\/evil/,
  },
  {
    what: "an empty symlink",
    layers: () => [archive(symlink("l", ""))],
    then: /^rejecting link with empty target: .*\.tar\.gz: l$/,
  },
  {
    what: "an empty hard link",
    layers: () => [archive(hardLink("l", ""))],
    then: /^rejecting link with empty target: .*\.tar\.gz: l$/,
  },
  {
    what: "a hard link outside",
    layers: () => [archive(hardLink("l", `${UP}/file`))],
    then: TOO_MANY,
  },
  {
    what: "a hard link outside by detour",
    layers: () => [archive(directory("a/"), hardLink("l", "a/../../file"))],
    then: TOO_MANY,
  },
  {
    what: "an absolute hard link",
    layers: (outside) => [archive(hardLink("l", `${outside}/file`))],
    then: /can’t link: l -> .*outside\/file: no such member/,
  },
  {
    what: "a hard link through a symlink outside, then written to",
    layers: (outside) => [
      archive(symlink("s", `${outside}/file`), hardLink("l", "s"), file("l", "new")),
    ],
    then: ['f 0644 l "new"'],
  },
  {
    what: "a hard link in a directory that is a symlink outside",
    layers: (outside) => [archive(symlink("s", outside), hardLink("l", "s/file"))],
    then: /can’t link: l -> s\/file: no such member/,
  },
  {
    what: "a hard link to itself",
    layers: () => [archive(hardLink("l", "l"))],
    then: /can’t link: l -> l: no such member/,
  },
  {
    what: "a hard link to a directory",
    layers: () => [archive(directory("d/"), hardLink("l", "d"))],
    then: /can’t link: l -> d: no such member/,
  },
  {
    what: "a hard link to a member that comes later",
    layers: () => [archive(hardLink("l", "f"), file("f"))],
    then: /can’t link: l -> f: no such member/,
  },
  {
    what: "a hard link to what the layer took away",
    layers: () => [archive(file("f")), archive(file(".wh.f", ""), hardLink("l", "f"))],
    then: /can’t link: l -> f: no such member/,
  },
  {
    what: "writing over one name of a file",
    layers: () => [archive(file("a", "old"), hardLink("b", "a")), archive(file("a", "new"))],
    then: ['f 0644 a "new"', 'f 0644 b "old"'],
  },
];

testHostileLayers(LINKS);
