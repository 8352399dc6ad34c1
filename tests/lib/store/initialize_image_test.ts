import assert from "node:assert/strict";
import { openRoot } from "../../../ffi/tree.ts";
import { initializeImage } from "../../../lib/store/initialize_image.ts";

const COMPLETE = "bin ch ch/environment dev etc etc/hosts etc/resolv.conf mnt " +
  "mnt/0 mnt/1 mnt/2 mnt/3 mnt/4 mnt/5 mnt/6 mnt/7 mnt/8 mnt/9 proc sys tmp usr";

function initialize(prepare: (path: string) => void, check: (path: string) => void): void {
  const path = Deno.makeTempDirSync({ prefix: "ch-test." });
  try {
    prepare(path);
    using root = openRoot(path);
    initializeImage(root.fd);
    check(path);
  } finally {
    Deno.removeSync(path, { recursive: true });
  }
}

function listTree(path: string): string[] {
  return [...Deno.readDirSync(path)].flatMap(({ name, isDirectory }) =>
    isDirectory ? [name, ...listTree(`${path}/${name}`).map((below) => `${name}/${below}`)] : [name]
  ).sort();
}

Deno.test("initializeImage() makes what an empty image lacks", () => {
  initialize(() => {}, (path) => assert.equal(listTree(path).join(" "), COMPLETE));
});

Deno.test("initializeImage() leaves alone what is there", () => {
  initialize((path) => {
    Deno.mkdirSync(`${path}/etc`);
    Deno.writeTextFileSync(`${path}/etc/hosts`, "mine");
    Deno.symlinkSync("usr/bin", `${path}/bin`);
    Deno.symlinkSync("/nowhere", `${path}/tmp`);
    Deno.symlinkSync("../gone", `${path}/etc/resolv.conf`);
  }, (path) => {
    assert.equal(Deno.readTextFileSync(`${path}/etc/hosts`), "mine");
    assert.equal(Deno.readLinkSync(`${path}/bin`), "usr/bin");
    assert.equal(Deno.readLinkSync(`${path}/tmp`), "/nowhere");
    assert.equal(Deno.readLinkSync(`${path}/etc/resolv.conf`), "../gone");
  });
});

Deno.test("initializeImage() makes nothing through links", () => {
  initialize((path) => {
    Deno.mkdirSync(`${path}/var`);
    Deno.symlinkSync("var", `${path}/mnt`);
    Deno.symlinkSync("../outside", `${path}/etc`);
    Deno.symlinkSync("ch", `${path}/ch`);
  }, (path) => {
    assert.deepEqual([...Deno.readDirSync(`${path}/var`)], []);
    assert.equal(listTree(path).join(" "), "bin ch dev etc mnt proc sys tmp usr var");
  });
});

Deno.test("initializeImage() copes with files where directories should be", () => {
  initialize((path) => {
    for (const name of ["etc", "mnt", "ch"]) Deno.writeTextFileSync(`${path}/${name}`, "");
  }, (path) => {
    assert.equal(listTree(path).join(" "), "bin ch dev etc mnt proc sys tmp usr");
  });
});
