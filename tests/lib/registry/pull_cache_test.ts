// Pulling through the build cache (spec build-cache §5.1, and 2, 34 to 36 of its checklist).

import assert from "node:assert/strict";
import { describeCached } from "../../../lib/cache/cached_image.ts";
import { readGraph } from "../../../lib/cache/graph.ts";
import { openCache } from "../../../lib/cache/open.ts";
import { formatTree } from "../../../lib/cache/tree_view.ts";
import { parseReference } from "../../../lib/reference/reference.ts";
import { deleteImages } from "../../../lib/store/delete.ts";
import type { Store } from "../../../lib/store/store.ts";
import { makeTar } from "../../tar_archive.ts";
import { RecordingLog } from "../recording_log.ts";
import { atPullPlace, type PullPlace } from "./pull_place.ts";

const ONE = makeTar([{ name: "file", data: "one" }]);
const TWO = makeTar([{ name: "file", data: "two" }]);
const enabled = { cacheMode: "enabled" } as const;

/** How the last pull went with the cache. */
function outcome({ log }: PullPlace): string | undefined {
  const found = log.lines.findLast((line) => line.startsWith("pulled image: "));
  return found?.slice("pulled image: ".length);
}

function showTree(store: Store): string[] {
  return formatTree(readGraph(store), { verbose: false }).map((line) => line.trimEnd());
}

Deno.test(
  "pullImage() finds what it stored, under any name, and unpacks it once",
  atPullPlace(async (place) => {
    const { registry, pull, read, store } = place;
    await registry.addImage("1", [ONE]);
    const source = `${registry.address}/a/b:1`;
    await pull("1", enabled);
    assert.equal(outcome(place), "adding to build cache");
    assert.deepEqual(showTree(store).slice(1), ["*  (root) ROOT"]);
    assert(showTree(store)[0]!.endsWith(`PULL ${source}`), showTree(store)[0]);
    await pull("1", { ...enabled, destination: "y" });
    assert.equal(outcome(place), "found in build cache");
    assert.deepEqual(store.listImages(), ["x", "y"]);
    const inode = (name: string) => Deno.statSync(`${store.path}/img/${name}/file`).ino;
    assert.equal(inode("x"), inode("y"));
    deleteImages(store, ["x"], new RecordingLog());
    await pull("1", enabled);
    assert.equal(read("file"), "one");
  }),
);

Deno.test(
  "pullImage() names the source as well, so that FROM needs no registry",
  atPullPlace(async ({ registry, pull, store }) => {
    await registry.addImage("1", [ONE]);
    await pull("1", enabled);
    using cache = openCache(store, { mode: "enabled", xattrs: false, log: new RecordingLog() });
    const source = parseReference(`${registry.address}/a/b:1`);
    assert.equal(cache.findNamed(source)?.name, cache.findNamed(parseReference("x"))?.name);
    assert.equal(store.hasImage(source), false);
  }),
);

Deno.test(
  "pullImage() goes with its image when that changes, and changes back",
  atPullPlace(async (place) => {
    const { registry, pull, read } = place;
    for (
      const [layer, text, expected] of [
        [ONE, "one", "adding to build cache"],
        [TWO, "two", "adding to build cache"],
        [ONE, "one", "found in build cache"],
      ] as const
    ) {
      await registry.addImage("1", [layer]);
      await pull("1", enabled);
      assert.equal(outcome(place), expected);
      assert.equal(read("file"), text);
    }
    await pull("1", { cacheMode: "rebuild" });
    assert.equal(outcome(place), "adding to build cache");
  }),
);

Deno.test(
  "pullImage() stores nothing that is not whole, nor without the cache",
  atPullPlace(async (place) => {
    const { registry, pull, read, store } = place;
    await registry.addImage("1", [ONE, TWO]);
    await pull("1", { ...enabled, lastLayer: 1 });
    assert.equal(read("file"), "one");
    assert.deepEqual(showTree(store), ["*  (root) ROOT"]);
    await pull("1", { ...enabled });
    assert.equal(outcome(place), "adding to build cache");
    assert.equal(read("file"), "two");
    const log = new RecordingLog();
    const x = parseReference("x");
    assert.match(describeCached(store, x, log), /^yes \(state ID [0-9A-F]{4}, commit \w{7}\)$/);
    assert.deepEqual(log.lines, []);
    await pull("1");
    assert.match(describeCached(store, x, log), /^yes/);
    assert.deepEqual(log.lines, ["warning: stored image not connected to build cache"]);
    assert.equal(describeCached(store, parseReference("other"), log), "no");
  }),
);

Deno.test(
  "pullImage() unpacks again what was damaged in the cache",
  atPullPlace(async (place) => {
    const { registry, pull, read, store, log } = place;
    await registry.addImage("1", [ONE]);
    await pull("1", enabled);
    Deno.writeTextFileSync(`${store.path}/img/x/file`, "changed in place");
    deleteImages(store, ["x"], new RecordingLog());
    await pull("1", enabled);
    assert.equal(read("file"), "one");
    assert(log.lines.some((line) => line.startsWith("warning: build cache: state is damaged")));
  }),
);
