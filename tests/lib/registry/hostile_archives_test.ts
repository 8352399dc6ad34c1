// Layers that are no good archives: damaged, cut off, larger than they look.

import { gzipSync, zstdCompressSync } from "node:zlib";
import { concatenate, tarMember } from "../../tree_fixture.ts";
import { bytes, cannotOpen, damaged, KEPT, kept, patched } from "./hostile_place.ts";
import { archive, type Bytes, directory, END, file } from "./hostile_place.ts";
import { type HostileCase, pax, testHostileLayers } from "./hostile_place.ts";

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

testHostileLayers([...HEADERS, ...STREAMS]);
