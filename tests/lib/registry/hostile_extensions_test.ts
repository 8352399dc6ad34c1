// Layers whose members say more of themselves than their headers hold: extended headers and maps of sparse
// files that are damaged, contradict one another or ask for too much.

import { concatenate, tarMember } from "../../tree_fixture.ts";
import { bytes, cannotOpen, damaged, KEPT, kept, patched } from "./hostile_place.ts";
import { archive, file } from "./hostile_place.ts";
import { type HostileCase, pax, testHostileLayers } from "./hostile_place.ts";

const SIZE = 124;

const EXTENSIONS: readonly HostileCase[] = [
  ...["x", "g", "L", "K"].flatMap((type): HostileCase[] => [
    {
      what: `an extended header ${type} of 8 GiB`,
      layers: () => [patched(SIZE, "77777777777", type)],
      then: damaged("extended header too large"),
    },
    {
      what: `an extended header ${type} of less than nothing`,
      layers: () => [patched(SIZE, "\udcff".repeat(12), type)],
      then: damaged("negative size"),
    },
  ]),
  {
    what: "extended headers of some MiB together",
    layers: () => [
      archive(
        kept,
        ...Array.from(
          { length: 5 },
          (_, i) => pax({ [`SCHILY.xattr.user.${i}`]: "x".repeat(300_000) }),
        ),
        file("bad"),
      ),
    ],
    then: damaged("extended header too large"),
  },
  {
    what: "a thousand extended headers for one member",
    layers: () => [archive(...Array.from({ length: 1000 }, () => pax({ mtime: "1" })), kept)],
    then: KEPT,
  },
  ...([
    ["a record longer than its header", "99 path=x\n"],
    ["a record of no length", "0 path=x\n"],
    ["a record with a length below zero", "-9 path=x\n"],
    ["a length of a hundred digits", `${"9".repeat(100)} path=x\n`],
    ["a record without end", "9 path=xyz"],
    ["a record without key", "4 xx\n"],
  ] as const).map(([what, text]): HostileCase => ({
    what,
    layers: () => [archive(kept, tarMember("PaxHeader", "x", bytes(text)), file("bad"))],
    then: damaged("malformed extended header"),
  })),
  ...([["size", "-1"], ["size", "1e9"], ["size", "99999999999999999999"], ["mtime", "now"], [
    "uid",
    "root",
  ]] as const)
    .map(([key, value]): HostileCase => ({
      what: `a PAX ${key} of ${value}`,
      layers: () => [archive(kept, pax({ [key]: value }), file("bad"))],
      then: damaged(`malformed extended header: ${key}`),
    })),
  {
    what: "a PAX size larger than the archive",
    layers: () => [archive(kept, pax({ size: "4096000" }), file("bad"))],
    then: cannotOpen("truncated tar archive$"),
  },
  {
    what: "a global path for all members",
    layers: () => [archive(pax({ path: "../evil" }, "g"), file("a"), file("b"))],
    then: /^rejecting up-level member: .*\.tar\.gz: \.\.\/evil$/,
  },
  {
    what: "an extended header with nothing behind it",
    layers: () => [concatenate([kept, pax({ path: "x" })])],
    then: cannotOpen("truncated tar archive$"),
  },
  {
    what: "attributes nobody may set",
    layers: () => [
      archive(
        pax({
          "SCHILY.xattr.security.capability": "\u0001\0\0\u0002",
          "SCHILY.xattr.trusted.overlay.opaque": "y",
          "SCHILY.xattr.user.overlay.opaque": "y",
          "SCHILY.acl.access": "user::rwx",
        }),
        file("a"),
        kept,
      ),
    ],
    then: [...KEPT, 'f 0644 a "evil"'],
  },
];

const sparse = (map: string, size: string, data = "evil") =>
  archive(kept, pax({ "GNU.sparse.map": map, "GNU.sparse.size": size }), file("bad", data));

const SPARSE: readonly HostileCase[] = [
  ...([
    ["overlapping", "2,2,0,2", "9"],
    ["beyond the end", "8,4", "9"],
    ["more than is stored", "0,9", "9"],
    ["less than is stored", "0,1", "9"],
    ["an odd number", "0,4,9", "9"],
    ["not numbers", "0,x", "9"],
    ["numbers out of range", "0,4,99999999999999999999,0", "9"],
  ] as const).map(([what, map, size]): HostileCase => ({
    what: `a sparse map: ${what}`,
    layers: () => [sparse(map, size)],
    then: damaged("malformed sparse map"),
  })),
  {
    what: "a sparse file of 8 PiB",
    layers: () => [sparse("0,4", "9007199254740991")],
    then: damaged("sparse file too large"),
  },
  {
    what: "a sparse map in the data that does not end",
    layers: () => [
      archive(
        kept,
        pax({ "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9" }),
        tarMember("bad", "0", bytes("999999\n" + "0\n".repeat(100))),
      ),
    ],
    then: /(damaged|truncated) tar archive/,
  },
  {
    what: "a sparse map in the data with too many stretches",
    layers: () => [
      archive(
        kept,
        pax({ "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "9" }),
        tarMember("bad", "0", bytes("99999999\n0\n")),
      ),
    ],
    then: damaged("malformed sparse map"),
  },
  {
    what: "an old sparse file whose map goes on for ever",
    layers: () => [
      concatenate([
        kept,
        tarMember("bad", "S", undefined, { patch: { 257: "ustar  \0", 482: "\u0001" } }),
      ]),
    ],
    then: cannotOpen("truncated tar archive$"),
  },
];

testHostileLayers([...EXTENSIONS, ...SPARSE]);
