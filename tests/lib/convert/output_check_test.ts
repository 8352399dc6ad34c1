import assert from "node:assert/strict";
import { checkDirectoryOutput, checkFileOutput } from "../../../lib/convert/output_check.ts";
import { ChError } from "../../../lib/error.ts";
import { TemporaryDirectory } from "../../tree_fixture.ts";

const PLACE = `
  d 0755 image
  d 0755 image/bin
  d 0755 image/dev
  d 0755 image/usr
  d 0755 merged
  l merged/bin -> usr/bin
  d 0755 merged/dev
  d 0755 merged/usr
  d 0755 merged/usr/bin
  d 0755 almost
  d 0755 almost/bin
  d 0755 almost/dev
  d 0755 broken
  l broken/bin -> /nonexistent/bin
  d 0755 broken/dev
  d 0755 broken/usr
  d 0755 empty
  f 0644 file "text"
  p 0644 fifo
  l toImage -> image
  l toEmpty -> empty
  l toFile -> file
  l toNothing -> nothing
  l loop -> loop
`;

function withPlace(body: (path: string) => void): () => void {
  return () => {
    using place = new TemporaryDirectory();
    body(place.makeTree("p", PLACE));
  };
}

Deno.test(
  "checkDirectoryOutput() tells what is there, or why it may not be replaced",
  withPlace((path) => {
    const cases: [string, string, string][] = [
      ["nothing", "nothing", "nothing"],
      ["empty", "empty", "empty"],
      ["empty/", "empty", "empty"],
      ["image", "image", "!exists, not deleting per --no-clobber: P"],
      ["merged", "image", "!exists, not deleting per --no-clobber: P"],
      ["toImage/", "link", "!exists, not deleting per --no-clobber: P"],
      ["toImage", "link", "!exists, not deleting per --no-clobber: P"],
      ["almost", "!exists but does not appear to be an image and is not empty: P", ""],
      ["broken", "!exists but does not appear to be an image and is not empty: P", ""],
      ["toEmpty", "!exists but does not appear to be an image and is not empty: P", ""],
      ["file", "!exists but not a directory: P", ""],
      ["fifo", "!exists but not a directory: P", ""],
      ["toFile", "!exists but not a directory: P", ""],
      ["toNothing", "!exists but not a directory: P", ""],
      ["loop", "!exists but not a directory: P", ""],
      ["none/a", "!not a directory: D/none", ""],
      ["file/a", "!not a directory: D/file", ""],
    ];
    for (const [name, clobbering, careful] of cases) {
      const check = (expected: string, noClobber: boolean) => {
        const at = `${path}/${name}`;
        if (!expected.startsWith("!")) {
          return assert.equal(checkDirectoryOutput(at, noClobber), expected, name);
        }
        const message = expected.slice(1).replace(/P$/, at).replace("D/", `${path}/`);
        assert.throws(() => checkDirectoryOutput(at, noClobber), new ChError(message));
      };
      check(clobbering, false);
      check(careful || clobbering, true);
    }
  }),
);

Deno.test(
  "checkFileOutput() lets regular files be replaced, behind links too",
  withPlace((path) => {
    assert.equal(checkFileOutput(`${path}/new`, true), `${path}/new`);
    assert.equal(checkFileOutput(`${path}/file`, false), `${path}/file`);
    assert.equal(checkFileOutput(`${path}/toFile`, false), `${path}/file`);
    for (const name of ["image", "fifo", "toNothing", "loop", "toImage"]) {
      assert.throws(
        () => checkFileOutput(`${path}/${name}`, false),
        new ChError(`exists but not a regular file: ${path}/${name}`),
      );
    }
    for (const name of ["file", "toFile", "toNothing", "image"]) {
      assert.throws(
        () => checkFileOutput(`${path}/${name}`, true),
        new ChError(`exists, not deleting per --no-clobber: ${path}/${name}`),
      );
    }
    assert.throws(
      () => checkFileOutput(`${path}/none/a`, false),
      new ChError(`not a directory: ${path}/none`),
    );
  }),
);

Deno.test("checkFileOutput() of a bare name looks in the working directory", () => {
  assert.equal(checkFileOutput("surely-not-there.sqfs", true), "surely-not-there.sqfs");
});
