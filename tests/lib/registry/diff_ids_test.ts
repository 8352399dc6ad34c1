// What the configuration says of the uncompressed layers, and layers that are something else: their own
// digests are right in all of these.

import assert from "node:assert/strict";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { digestOf } from "../../fake_registry.ts";
import { makeTar } from "../../tar_archive.ts";
import { concatenate } from "../../tree_fixture.ts";
import { type Bytes, expectRefusal } from "./hostile_place.ts";
import { assertNothing, atPullPlace } from "./pull_place.ts";

const ONE = makeTar([{ name: "one", data: "1" }]);
const TWO = makeTar([{ name: "two", data: "2" }]);
const PADDED = concatenate([ONE, new Uint8Array(9216)]);
const gzip = (data: Bytes): Bytes => new Uint8Array(gzipSync(data));
const zstd = (data: Bytes): Bytes => new Uint8Array(zstdCompressSync(data));

interface DiffIdCase {
  readonly what: string;
  readonly layers: readonly Bytes[];
  /** What the configuration has the digests of. */
  readonly meant: readonly Bytes[];
}

const WRONG =
  /^layer 1\/1: [0-9a-f]{7}: uncompressed content is not what the config says: digest is sha256:[0-9a-f]{64}, not sha256:/;

const REFUSED: readonly (DiffIdCase & { readonly message: RegExp })[] = [
  { what: "another archive", layers: [gzip(ONE)], meant: [TWO], message: WRONG },
  { what: "another archive, uncompressed", layers: [ONE], meant: [TWO], message: WRONG },
  { what: "another archive, zstd", layers: [zstd(ONE)], meant: [TWO], message: WRONG },
  {
    what: "the compressed instead of the uncompressed",
    layers: [gzip(ONE)],
    meant: [gzip(ONE)],
    message: WRONG,
  },
  {
    what: "zeros behind the end that nobody meant",
    layers: [gzip(PADDED)],
    meant: [ONE],
    message: WRONG,
  },
  {
    what: "an archive behind the end that nobody meant",
    layers: [gzip(concatenate([ONE, TWO]))],
    meant: [ONE],
    message: WRONG,
  },
  {
    what: "an archive behind the end in a stream of its own",
    layers: [concatenate([gzip(ONE), gzip(TWO)])],
    meant: [ONE],
    message: WRONG,
  },
  {
    what: "the end of the archive is missing",
    layers: [gzip(ONE.subarray(0, ONE.length - 1024))],
    meant: [ONE],
    message: /^(layer 1\/1: .*not what the config says|cannot open)/,
  },
  {
    what: "layers in another order",
    layers: [gzip(ONE), gzip(TWO)],
    meant: [TWO, ONE],
    message: /^layer 1\/2: .*not what the config says/,
  },
  {
    what: "the last of two",
    layers: [gzip(ONE), gzip(TWO)],
    meant: [ONE, ONE],
    message: /^layer 2\/2: .*not what the config says/,
  },
  {
    what: "a layer twice that is meant to be two",
    layers: [gzip(ONE), gzip(ONE)],
    meant: [ONE, TWO],
    message: /^layer 2\/2: .*not what the config says/,
  },
  {
    what: "one too few",
    layers: [gzip(ONE), gzip(TWO)],
    meant: [ONE],
    message: /^config: 1 layers, but 2 in the manifest$/,
  },
  {
    what: "one too many",
    layers: [gzip(ONE)],
    meant: [ONE, TWO],
    message: /^config: 2 layers, but 1 in the manifest$/,
  },
];

for (const { what, layers, meant, message } of REFUSED) {
  Deno.test(
    `pullImage() refuses layers that the config does not mean: ${what}`,
    atPullPlace(async (place) => {
      await place.registry.addImage("1", layers, await configOf(meant));
      await expectRefusal(place, message);
      assertNothing(place);
      // Nor is anything remembered that would make it pass the next time.
      await expectRefusal(place, message, { cacheMode: "enabled" });
      await expectRefusal(place, message, { cacheMode: "enabled" });
    }),
  );
}

const TAKEN: readonly DiffIdCase[] = [
  { what: "gzip", layers: [gzip(ONE)], meant: [ONE] },
  { what: "zstd", layers: [zstd(ONE)], meant: [ONE] },
  { what: "uncompressed", layers: [ONE], meant: [ONE] },
  {
    what: "in pieces",
    layers: [concatenate([ONE.subarray(0, 700), ONE.subarray(700)].map(gzip))],
    meant: [ONE],
  },
  { what: "zeros behind the end that are meant", layers: [gzip(PADDED)], meant: [PADDED] },
  { what: "the same twice", layers: [gzip(ONE), gzip(ONE)], meant: [ONE, ONE] },
  { what: "the same, compressed in two ways", layers: [gzip(ONE), zstd(ONE)], meant: [ONE, ONE] },
  { what: "a config that does not tell", layers: [gzip(ONE)], meant: [] },
];

for (const { what, layers, meant } of TAKEN) {
  Deno.test(
    `pullImage() takes layers that the config means: ${what}`,
    atPullPlace(async ({ registry, pull, read }) => {
      await registry.addImage("1", layers, await configOf(meant));
      await pull("1");
      assert.equal(read("one"), "1");
    }),
  );
}

Deno.test(
  "pullImage() looks at no more layers than it unpacks",
  atPullPlace(async ({ registry, pull, read }) => {
    await registry.addImage("1", [gzip(ONE), gzip(TWO)], await configOf([ONE, ONE]));
    await pull("1", { lastLayer: 1 });
    assert.equal(read("one"), "1");
  }),
);

async function configOf(archives: readonly Bytes[]) {
  return { rootfs: { type: "layers", diff_ids: await Promise.all(archives.map(digestOf)) } };
}
