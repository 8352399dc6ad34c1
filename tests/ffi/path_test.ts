import assert from "node:assert/strict";
import {
  findMode,
  findNames,
  findRealPath,
  findXattr,
  readBytes,
  readFileIdentity,
  readLink,
} from "../../ffi/path.ts";

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
    const script = "mkdir plain ümläut \"$(printf '\\377\\376')\"";
    const { success } = new Deno.Command("sh", { args: ["-c", script], cwd: directory })
      .outputSync();
    assert.ok(success);
    for (const name of ["plain", "ümläut", "\udcff\udcfe"]) {
      const real = findRealPath(`${directory}/${name}/.`)!;
      assert.equal(real.slice(real.lastIndexOf("/") + 1), name);
    }
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

Deno.test("readFileIdentity() tells files apart, by whatever name", () =>
  withDirectory((directory) => {
    Deno.writeTextFileSync(`${directory}/a`, "");
    Deno.writeTextFileSync(`${directory}/b`, "");
    const identity = readFileIdentity(`${directory}/a`);
    assert.notEqual(readFileIdentity(`${directory}/b`), identity);
    Deno.renameSync(`${directory}/a`, `${directory}/c`);
    Deno.symlinkSync("c", `${directory}/link`);
    assert.equal(readFileIdentity(`${directory}/link`), identity);
    assert.throws(() => readFileIdentity(`${directory}/a`), { code: "ENOENT" });
  }));

Deno.test("findXattr() of a file that has none", () =>
  withDirectory((directory) => {
    assert.equal(findXattr(directory, "user.none"), undefined);
    assert.throws(() => findXattr(`${directory}/none`, "user.none"), { code: "ENOENT" });
  }));

Deno.test("paths of which links are refused", () =>
  withDirectory((temporary) => {
    const directory = findRealPath(temporary)!;
    Deno.mkdirSync(`${directory}/real`);
    Deno.writeTextFileSync(`${directory}/real/file`, "text");
    Deno.symlinkSync("real", `${directory}/way`);
    Deno.symlinkSync("file", `${directory}/real/link`);
    const pipe = new Deno.Command("mkfifo", { args: [`${directory}/pipe`] }).outputSync();
    assert.ok(pipe.success);

    assert.equal(findMode(`${directory}/real/file`, "refuse")! & S_IFMT, S_IFREG);
    assert.equal(findMode(`${directory}/real/link`, "refuse")! & S_IFMT, S_IFLNK);
    assert.equal(findMode(`${directory}/real/none`, "refuse"), undefined);
    assert.equal(readLink(`${directory}/real/link`, "refuse"), "file");
    assert.equal(readBytes(`${directory}/real/file`, 9, "refuse").length, 4);
    assert.throws(() => findMode(`${directory}/way/file`, "refuse"), { code: "ELOOP" });
    assert.throws(() => readLink(`${directory}/way/link`, "refuse"), { code: "ELOOP" });
    assert.throws(() => readBytes(`${directory}/way/file`, 9, "refuse"), { code: "ELOOP" });
    assert.throws(() => readBytes(`${directory}/real/link`, 9, "refuse"), { code: "ELOOP" });
    assert.throws(() => readBytes(`${directory}/real`, 9, "refuse"), { code: "EISDIR" });
    assert.throws(() => readBytes(`${directory}/pipe`, 9, "refuse"), { code: "EINVAL" });
  }));

Deno.test("findNames() lists a directory", () =>
  withDirectory((directory) => {
    assert.deepEqual(findNames(directory), []);
    for (const name of ["b", ".a"]) Deno.writeTextFileSync(`${directory}/${name}`, "");
    Deno.symlinkSync("nowhere", `${directory}/link`);
    assert.deepEqual(findNames(directory), [".a", "b", "link"]);
    assert.equal(findNames(`${directory}/none`), undefined);
    assert.throws(() => findNames(`${directory}/b`), { code: "ENOTDIR" });
  }));
