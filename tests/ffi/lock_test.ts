import assert from "node:assert/strict";
import { acquireLock } from "../../ffi/lock.ts";
import { SystemError } from "../../ffi/system_error.ts";

const lockModule = new URL("../../ffi/lock.ts", import.meta.url).href;

/** What another process gets that tries to lock PATH: "locked" or the error's code. */
function lockElsewhere(path: string): string {
  const script = `
    import { acquireLock } from ${JSON.stringify(lockModule)};
    try { acquireLock(Deno.args[0]); console.log("locked"); }
    catch (error) { console.log(error.code); }`;
  const { stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-lock", "--ext=ts", script, path],
  }).outputSync();
  return new TextDecoder().decode(stdout).trim() || new TextDecoder().decode(stderr);
}

Deno.test("acquireLock() keeps other processes out until it is disposed", () => {
  const directory = Deno.makeTempDirSync({ prefix: "ch-test." });
  try {
    const path = `${directory}/lock`;
    const lock = acquireLock(path);
    assert.match(lockElsewhere(path), /^(EAGAIN|EACCES)$/);
    lock[Symbol.dispose]();
    assert.equal(lockElsewhere(path), "locked");
    lock[Symbol.dispose]();
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("acquireLock() does not follow a link, and says what failed", () => {
  const directory = Deno.makeTempDirSync({ prefix: "ch-test." });
  try {
    Deno.symlinkSync("elsewhere", `${directory}/lock`);
    assert.throws(() => acquireLock(`${directory}/lock`), (error) => {
      assert(error instanceof SystemError);
      assert.equal(error.code, "ELOOP");
      assert.equal(error.path, `${directory}/lock`);
      return true;
    });
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("FileLock.isAt() is false for a file that was removed, or made anew", () => {
  const directory = Deno.makeTempDirSync({ prefix: "ch-test." });
  try {
    const path = `${directory}/lock`;
    using lock = acquireLock(path);
    assert.equal(lock.isAt(path), true);
    Deno.removeSync(path);
    assert.equal(lock.isAt(path), false);
    Deno.writeTextFileSync(path, "");
    assert.equal(lock.isAt(path), false);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
