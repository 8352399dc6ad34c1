// Layers that are no good archives: damaged, cut off, larger than they look.

import { gzipSync, zstdCompressSync } from "node:zlib";
import { concatenate, tarMember } from "../../tree_fixture.ts";
import { archive, type Bytes, directory, END, file } from "./hostile_place.ts";
import { type HostileCase, pax, testHostileLayers } from "./hostile_place.ts";

const KEPT = ['f 0644 kept "text"'];
const kept = file("kept", "text");
const bytes = (text: string) => new TextEncoder().encode(text);

/** A member behind a good one whose header has TEXT at byte AT, the sum being right. */
const patched = (at: number, text: string, type = "0") =>
  archive(kept, tarMember("bad", type, undefined, { patch: { [at]: text } }));
const damaged = (what: string) =>
  new RegExp(`^cannot open: .*\\.tar\\.gz: damaged tar archive: ${what} in member at byte 1024$`);
const cannotOpen = (what: string) => new RegExp(`^cannot open: .*\\.tar\\.gz: ${what}`);
const SIZE = 124, MODE = 100, MTIME = 136, LINK = 157;

const HEADERS: readonly HostileCase[] = [
  {
    what: "text instead of an archive",
    layers: () => [bytes("<html>not here</html>".repeat(100))],
    then: cannotOpen("not a tar archive$"),
  },
  {
    what: "a wrong checksum",
    layers: () => [archive(kept, tarMember("bad", "0", undefined, { checksum: "000001\0 " }))],
    then: damaged("wrong checksum"),
  },
  {
    what: "a size below zero",
    layers: () => [patched(SIZE, "\udcff".repeat(12))],
    then: damaged("negative size"),
  },
  {
    what: "a size of 2^95",
    layers: () => [patched(SIZE, "\udcbf" + "\udcff".repeat(11))],
    then: damaged("malformed size"),
  },
  {
    what: "a size of 8 GiB without anything behind it",
    layers: () => [
      concatenate([kept, tarMember("bad", "0", undefined, { patch: { [SIZE]: "77777777777" } })]),
    ],
    then: cannotOpen("truncated tar archive$"),
  },
  {
    what: "a size of 8 EiB without anything behind it",
    layers: () => [
      patched(SIZE, "\udc80\0\0\0\0\u001f" + "\udcff".repeat(6)),
    ],
    then: cannotOpen("truncated tar archive$"),
  },
  {
    what: "a size that is text",
    layers: () => [patched(SIZE, "lots       \0")],
    then: damaged("malformed size"),
  },
  {
    what: "a mode that is text",
    layers: () => [patched(MODE, "rwxrwxr")],
    then: damaged("malformed mode"),
  },
  {
    what: "a time that is text",
    layers: () => [patched(MTIME, "yesterday")],
    then: damaged("malformed mtime"),
  },
  {
    what: "a time before and after all times",
    layers: () => [
      archive(
        kept,
        tarMember("a", "0", undefined, { patch: { [MTIME]: "\udcff\udc80" + "\0".repeat(10) } }),
      ),
    ],
    then: /damaged tar archive: malformed mtime|can’t write: a/,
  },
  {
    what: "a PAX time after all times",
    layers: () => [archive(pax({ mtime: "999999999999999" }), file("a"), kept)],
    then: [...KEPT, 'f 0644 a "evil"'],
  },
  {
    what: "a link's header with a size and no data",
    layers: () => [
      archive(
        tarMember("l", "2", undefined, { patch: { [SIZE]: "00000001000", [LINK]: "kept" } }),
        kept,
      ),
    ],
    then: [...KEPT, "l l -> kept"],
  },
  {
    what: "a directory with data",
    layers: () => [archive(directory("d/"), tarMember("e/", "0", bytes("data")), kept)],
    then: [...KEPT, "d 0755 d"],
  },
];

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

const gzipped = gzipSync(archive(kept, file("more", "x".repeat(5000))));
/** Window of 2 GiB (RFC 8878, 3.1.1.1.2). */
const GREEDY_ZSTD = new Uint8Array([0x28, 0xb5, 0x2f, 0xfd, 0x00, 21 << 3, 1, 0, 0]);

const STREAMS: readonly HostileCase[] = [
  { what: "an empty layer", layers: () => [new Uint8Array()], then: cannotOpen("empty file$") },
  { what: "half a block", layers: () => [kept.slice(0, 300)], then: cannotOpen("truncated") },
  {
    what: "no end",
    layers: () => [concatenate([kept])],
    then: cannotOpen("truncated tar archive$"),
  },
  {
    what: "data cut off",
    layers: () => [kept.slice(0, 514)],
    then: cannotOpen("truncated tar archive$"),
  },
  {
    what: "garbage behind the end",
    layers: () => [concatenate([kept, END, bytes("garbage".repeat(1000)), file("evil")])],
    then: [...KEPT, '!f 0644 evil "evil"'],
  },
  {
    what: "an archive behind the end of an archive",
    layers: () => [concatenate([archive(kept), archive(file("evil"))])],
    then: [...KEPT, '!f 0644 evil "evil"'],
  },
  {
    what: "gzip cut off",
    layers: () => [new Uint8Array(gzipped.subarray(0, -20))],
    then: cannotOpen(""),
  },
  {
    what: "gzip with a wrong sum",
    layers: () => [new Uint8Array(gzipped).with(-6, gzipped.at(-6)! ^ 1)],
    then: cannotOpen(""),
  },
  {
    what: "gzip with another archive appended",
    layers: () => [concatenate([gzipped, gzipSync(archive(file("evil")))])],
    then: [...KEPT, '!f 0644 evil "evil"'],
  },
  {
    what: "gzip in gzip",
    layers: () => [new Uint8Array(gzipSync(gzipped))],
    then: cannotOpen(""),
  },
  {
    what: "only the magic number of gzip",
    layers: () => [new Uint8Array([0x1f, 0x8b])],
    then: cannotOpen(""),
  },
  {
    what: "zstd cut off",
    layers: () => [zstd(archive(kept)).subarray(0, -9).slice()],
    then: cannotOpen(""),
  },
  { what: "zstd that wants 2 GiB of memory", layers: () => [GREEDY_ZSTD], then: cannotOpen("") },
  {
    what: "xz cut off",
    layers: () => [new Uint8Array([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 4])],
    then: cannotOpen(""),
  },
  { what: "bzip2 cut off", layers: () => [bytes("BZh91AY")], then: cannotOpen("") },
  {
    what: "64 MiB of zeros in 64 KiB, and then no archive",
    layers: () => [new Uint8Array(gzipSync(concatenate([new Uint8Array(64 << 20), file("evil")])))],
    then: ['!f 0644 evil "evil"'],
    log: /ignoring empty layer/,
  },
];

function zstd(data: Bytes): Bytes {
  return new Uint8Array(zstdCompressSync(data));
}

testHostileLayers([...HEADERS, ...EXTENSIONS, ...SPARSE, ...STREAMS]);
