import assert from "node:assert/strict";
import * as options from "../../../lib/convert/output_options.ts";
import type { OutputWishes } from "../../../lib/convert/output_options.ts";

const TARS: readonly (readonly [string, OutputWishes, string])[] = [
  ["a.tar.gz", {}, "gzip"],
  ["a.tgz", {}, "gzip"],
  ["./b/.tgz", {}, "gzip"],
  ["a\n.tgz", {}, "gzip"],
  ["a.tar.bz2", {}, "bzip2"],
  ["a.tbz2", {}, "bzip2"],
  ["a.tbz", {}, "bzip2"],
  ["a.tar.bz", {}, "bzip2"],
  ["a.tar.xz", {}, "xz"],
  ["a.txz", {}, "xz"],
  ["a.tar.zst", {}, "zstd"],
  ["a.tzst", {}, "zstd"],
  ["a.tar.gz", { compression: "zstd" }, "zstd"],
  ["a.tar", { compression: "none" }, "none"],
  ["anything", { compression: "xz" }, "xz"],
];
for (const [path, wishes, compression] of TARS) {
  Deno.test(`chooseTarOptions() of ${JSON.stringify([path, wishes])} is ${compression}`, () => {
    const expected = { compression, level: undefined, owner: "keep" };
    assert.deepEqual(options.chooseTarOptions(path, wishes), expected);
  });
}

Deno.test("chooseTarOptions() does not guess", () => {
  for (const name of ["a.tar", "a.tgz.x", "atgz", "a.TGZ", "", "a.tar.Z", "a.taz"]) {
    assert.throws(() => options.chooseTarOptions(name, {}), {
      name: "ChError",
      message: "only gzipped tar output (.tar.gz or .tgz) supported",
    });
  }
});

Deno.test("options are the format's own, or else its defaults", () => {
  assert.deepEqual(options.chooseSquashOptions({}), {
    compression: undefined,
    level: undefined,
    blockSize: undefined,
    owner: "root",
  });
  const wishes = { compression: "xz", level: 3, blockSize: 131072, owner: "keep" } as const;
  assert.deepEqual(options.chooseSquashOptions(wishes), wishes);
  // The level is that of the compression there is by default.
  assert.equal(options.chooseSquashOptions({ level: 22 }).level, 22);
  assert.deepEqual(options.chooseLayeredOptions("oci", {}), {
    compression: undefined,
    level: undefined,
    owner: "root",
  });
  assert.equal(options.chooseLayeredOptions("podman", {}).compression, "none");
  options.refuseWishes("dir", { compression: undefined });
});

const REFUSED: readonly (readonly [string, () => void, RegExp])[] = [
  [
    "squash with bzip2",
    () => options.chooseSquashOptions({ compression: "bzip2" }),
    /^format squash can’t be compressed with bzip2$/,
  ],
  [
    "squash with a level that is none",
    () => options.chooseSquashOptions({ compression: "gzip", level: 10 }),
    /^not a level of compression gzip: 10$/,
  ],
  [
    "squash with a level for lz4",
    () => options.chooseSquashOptions({ compression: "lz4", level: 1 }),
    /^compression lz4 has no levels$/,
  ],
  ...[0, 2048, 5000, 2 ** 21, NaN].map((blockSize) =>
    [
      `squash with blocks of ${blockSize}`,
      () => options.chooseSquashOptions({ blockSize }),
      /^not a block size: /,
    ] as const
  ),
  [
    "tar with lz4",
    () => options.chooseTarOptions("a.tgz", { compression: "lz4" }),
    /^format tar can’t be compressed with lz4$/,
  ],
  [
    "tar with blocks",
    () => options.chooseTarOptions("a.tgz", { blockSize: 4096 }),
    /^format tar has no choice of block size$/,
  ],
  [
    "tar with no compression and a level",
    () => options.chooseTarOptions("a", { compression: "none", level: 1 }),
    /^compression none has no levels$/,
  ],
  [
    "oci with xz",
    () => options.chooseLayeredOptions("oci", { compression: "xz" }),
    /^format oci can’t be compressed with xz$/,
  ],
  [
    "docker-archive with gzip",
    () => options.chooseLayeredOptions("docker-archive", { compression: "gzip" }),
    /^format docker-archive can’t be compressed with gzip$/,
  ],
  [
    "dir with a level",
    () => options.refuseWishes("dir", { level: 1 }),
    /^format dir has no choice/,
  ],
  [
    "ch-image with an owner",
    () => options.refuseWishes("ch-image", { owner: "keep" }),
    /^format ch-image has no choice of owner$/,
  ],
];
for (const [name, choose, message] of REFUSED) {
  Deno.test(`options refuse ${name}`, () => {
    assert.throws(choose, { name: "ChError", message });
  });
}
