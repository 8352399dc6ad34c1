import assert from "node:assert/strict";
import { Downloads } from "../../../lib/store/downloads.ts";

/** Runs BODY while the first COUNT renames find that what they were to rename is gone. */
function withRemover(count: number, body: (downloads: Downloads, path: string) => void): void {
  const store = Deno.makeTempDirSync({ prefix: "ch-test." });
  Deno.mkdirSync(`${store}/dlcache`);
  const { renameSync } = Deno;
  let left = count;
  Deno.renameSync = (from, to) => {
    if (left-- > 0) Deno.removeSync(from); // as another command that opens the storage
    renameSync(from, to);
  };
  try {
    body(new Downloads(store), `${store}/dlcache`);
  } finally {
    Deno.renameSync = renameSync;
    Deno.removeSync(store, { recursive: true });
  }
}

const list = (path: string) => [...Deno.readDirSync(path)].map(({ name }) => name);

Deno.test("Downloads.write() and link() begin again when others take the file for left over", () => {
  withRemover(2, (downloads, path) => {
    downloads.write("a.json", new TextEncoder().encode("text"));
    assert.deepEqual(list(path), ["a.json"]);
    assert.equal(new TextDecoder().decode(downloads.read("a.json")), "text");
  });
  withRemover(1, (downloads, path) => {
    downloads.link("b.json", "a.json");
    assert.equal(Deno.readLinkSync(`${path}/b.json`), "a.json");
  });
});

Deno.test("Downloads.write() gives up at last, and leaves nothing", () => {
  withRemover(Infinity, (downloads, path) => {
    assert.throws(() => downloads.write("a.json", new Uint8Array(1)), /can’t write: .*a\.json/);
    assert.deepEqual(list(path), []);
  });
});

Deno.test("Downloads.lock() is content with no file but the one that others lock", async () => {
  const store = Deno.makeTempDirSync({ prefix: "ch-test." });
  Deno.mkdirSync(`${store}/dlcache`);
  const { lstatSync } = Deno;
  try {
    const downloads = new Downloads(store);
    let path = "";
    Deno.lstatSync = (given) => {
      Deno.lstatSync = lstatSync;
      path = given as string;
      Deno.removeSync(path); // by who held the lock when we opened the file
      Deno.writeTextFileSync(path, ""); // by who came next
      return lstatSync(path);
    };
    using lock = await downloads.lock("blob", undefined, () => {});
    assert(path !== "");
    assert(lock.isAt(path));
  } finally {
    Deno.lstatSync = lstatSync;
    Deno.removeSync(store, { recursive: true });
  }
});
