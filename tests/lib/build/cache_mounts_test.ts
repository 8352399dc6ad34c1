import { deepStrictEqual, notStrictEqual, strictEqual } from "node:assert/strict";
import { CacheMounts } from "../../../lib/build/cache_mounts.ts";
import { type Sharing } from "../../../lib/build/mount.ts";
import { Place } from "./files.ts";

function mount(id: string, sharing: Sharing = "shared") {
  const rest = { target: "/c", isReadOnly: false, from: undefined, source: "/", mode: 0o750 };
  return { type: "cache", id, sharing, ...rest } as const;
}

Deno.test("CacheMounts keep a directory for each ID, whatever is in the ID", async () => {
  using place = new Place();
  const caches = new CacheMounts(`${place.path}/mounts`);
  using one = await caches.open(mount("/root/.cache"), undefined);
  using other = await caches.open(mount("../../x"), undefined);
  using again = await new CacheMounts(`${place.path}/mounts`).open(
    mount("/root/.cache"),
    undefined,
  );
  strictEqual(one.path, again.path);
  notStrictEqual(one.path, other.path);
  strictEqual(other.path.startsWith(`${place.path}/mounts/`), true);
  strictEqual(other.path.includes(".."), false);
  strictEqual(Deno.statSync(one.path).mode! & 0o777, 0o750);
});

Deno.test("CacheMounts begin with the seed, once", async () => {
  using place = new Place();
  const seed = place.make("seed", { "f": "seed" });
  const caches = new CacheMounts(`${place.path}/mounts`);
  {
    using cache = await caches.open(mount("x"), seed);
    strictEqual(Deno.readTextFileSync(`${cache.path}/f`), "seed");
    Deno.writeTextFileSync(`${cache.path}/f`, "changed");
  }
  using cache = await caches.open(mount("x"), seed);
  strictEqual(Deno.readTextFileSync(`${cache.path}/f`), "changed");
});

Deno.test("CacheMounts that are locked are had by one at a time", async () => {
  using place = new Place();
  const caches = new CacheMounts(`${place.path}/mounts`);
  const first = await caches.open(mount("x", "locked"), undefined);
  const order: string[] = [];
  const second = caches.open(mount("x", "locked"), undefined).then((cache) => {
    order.push("second");
    return cache;
  });
  using _other = await caches.open(mount("y", "locked"), undefined);
  order.push("first ends");
  first[Symbol.dispose]();
  using last = await second;
  deepStrictEqual(order, ["first ends", "second"]);
  strictEqual(last.path, first.path);
});

Deno.test("CacheMounts that are private are each one's own, and used again", async () => {
  using place = new Place();
  const caches = new CacheMounts(`${place.path}/mounts`);
  const first = await caches.open(mount("x", "private"), undefined);
  using second = await caches.open(mount("x", "private"), undefined);
  notStrictEqual(first.path, second.path);
  first[Symbol.dispose]();
  using third = await caches.open(mount("x", "private"), undefined);
  strictEqual(third.path, first.path);
});
