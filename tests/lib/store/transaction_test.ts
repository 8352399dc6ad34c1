import assert from "node:assert/strict";
import { parseReference } from "../../../lib/reference/reference.ts";
import { openStore, type Store } from "../../../lib/store/store.ts";
import { RecordingLog } from "../recording_log.ts";

/** Runs BODY with an empty storage. */
function inStore(body: (store: Store) => void): () => void {
  return () => {
    const path = Deno.makeTempDirSync({ prefix: "ch-test." });
    try {
      using store = openStore(`${path}/st`, { lock: true }, new RecordingLog());
      body(store);
    } finally {
      Deno.removeSync(path, { recursive: true });
    }
  };
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Makes an image with one file, whose text is TEXT. */
function makeImage(store: Store, reference: string, text: string): void {
  using image = store.newImage(parseReference(reference));
  Deno.writeTextFileSync(`${image.rootPath}/file`, text);
  image.commit();
}

Deno.test(
  "ImageTransaction shows the image only once it is committed",
  inStore((store) => {
    using image = store.newImage(parseReference("a/b:c"));
    Deno.writeTextFileSync(`${image.rootPath}/file`, "x");
    assert.deepEqual(store.listImages(), []);
    assert.equal(image.commit(), `${store.path}/img/a%b+c`);
    assert.deepEqual(store.listImages(), ["a/b:c"]);
    assert.equal(Deno.readTextFileSync(`${store.path}/img/a%b+c/file`), "x");
    assert(!exists(`${store.path}/imgtmp`));
  }),
);

Deno.test(
  "ImageTransaction replaces the image of that name, and removes that",
  inStore((store) => {
    makeImage(store, "a", "old");
    makeImage(store, "a", "new");
    assert.deepEqual(store.listImages(), ["a"]);
    assert.equal(Deno.readTextFileSync(`${store.path}/img/a/file`), "new");
    assert(!exists(`${store.path}/imgtmp`));
  }),
);

Deno.test(
  "ImageTransaction leaves nothing, and the old image, if it is not committed",
  inStore((store) => {
    makeImage(store, "a", "old");
    {
      using image = store.newImage(parseReference("a"));
      Deno.mkdirSync(`${image.rootPath}/dir/dir`, { recursive: true });
      Deno.chmodSync(`${image.rootPath}/dir`, 0);
      Deno.writeTextFileSync(`${image.newDirectory("upper")}/x`, "");
    }
    assert.equal(Deno.readTextFileSync(`${store.path}/img/a/file`), "old");
    assert(!exists(`${store.path}/imgtmp`));
  }),
);

Deno.test(
  "ImageTransaction works with roots that may not be written to",
  inStore((store) => {
    for (const text of ["1", "2"]) {
      using image = store.newImage(parseReference("a"));
      Deno.writeTextFileSync(`${image.rootPath}/file`, text);
      Deno.chmodSync(image.rootPath, 0o500);
      image.commit();
    }
    assert.equal(Deno.readTextFileSync(`${store.path}/img/a/file`), "2");
  }),
);

Deno.test(
  "several transactions can be open at once",
  inStore((store) => {
    using one = store.newImage(parseReference("one"));
    using other = store.newImage(parseReference("other"));
    const directory = one.newDirectory("work");
    other.commit();
    assert(exists(directory));
    one.commit();
    assert.deepEqual(store.listImages(), ["one", "other"]);
    assert(!exists(`${store.path}/imgtmp`));
  }),
);
