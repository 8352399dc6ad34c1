import assert from "node:assert/strict";
import { findMode, findRealPath, makeDirectory, readBytes, readLink } from "../../ffi/path.ts";

function withDirectory(test: (directory: string) => void): void {
  const directory = Deno.makeTempDirSync();
  try {
    test(directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

const S_IFMT = 0o170000, S_IFREG = 0o100000, S_IFLNK = 0o120000;

Deno.test("findMode() follows links or does not", () =>
  withDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/file`, "");
    Deno.symlinkSync("file", `${directory}/link`);
    Deno.symlinkSync("none", `${directory}/broken`);
    assert.equal(findMode(`${directory}/link`, "follow")! & S_IFMT, S_IFREG);
    assert.equal(findMode(`${directory}/link`, "keep")! & S_IFMT, S_IFLNK);
    assert.equal(findMode(`${directory}/broken`, "follow"), undefined);
    assert.throws(() => findMode(`${directory}/file/x`, "follow"), {
      code: "ENOTDIR",
      call: "stat",
      path: `${directory}/file/x`,
    });
  }));

Deno.test("findRealPath() and readLink() tell where links lead", () =>
  withDirectory((directory) => {
    const real = findRealPath(directory)!;
    Deno.mkdirSync(`${directory}/a/b`, { recursive: true });
    Deno.symlinkSync("a/../a/b", `${directory}/link`);
    assert.equal(findRealPath(`${directory}/link/.`), `${real}/a/b`);
    assert.equal(findRealPath(`${directory}/none`), undefined);
    assert.equal(readLink(`${directory}/link`), "a/../a/b");
    assert.throws(() => readLink(`${directory}/a`), { code: "EINVAL" });
  }));

Deno.test("paths are bytes, UTF-8 or not", () =>
  withDirectory((directory) => {
    for (const name of ["plain", "ümläut", "\udcff\udcfe"]) {
      makeDirectory(`${directory}/${name}`);
      const real = findRealPath(`${directory}/${name}/.`)!;
      assert.equal(real.slice(real.lastIndexOf("/") + 1), name);
    }
    assert.throws(() => makeDirectory(`${directory}/plain`), { code: "EEXIST" });
  }));

Deno.test("readBytes() reads whole files, beginnings, and files without a size", () =>
  withDirectory((directory) => {
    const bytes = Uint8Array.from({ length: 200_000 }, (_, index) => index);
    Deno.writeFileSync(`${directory}/file`, bytes);
    assert.deepEqual(readBytes(`${directory}/file`), bytes);
    assert.deepEqual(readBytes(`${directory}/file`, 4), bytes.subarray(0, 4));
    assert.deepEqual(readBytes(`${directory}/file`, 300_000), bytes);
    assert.ok(readBytes("/proc/self/status").length > 100);
    assert.throws(() => readBytes(`${directory}/none`), { code: "ENOENT", call: "open" });
    assert.throws(() => readBytes(directory), { code: "EISDIR", call: "read" });
  }));
