import assert from "node:assert/strict";
import { overlayFiles } from "../../../lib/container/overlay_files.ts";
import { fakeFiles, fakeHost } from "./fake_host.ts";

const LOWER = { "/a/file": "lower", "/a/link": { to: "file" }, "/b/file": "lower", "/c": "file" };
const UPPER = {
  "/up/a/file": "upper",
  "/up/b/new": "upper",
  "/up/c/file": "upper",
  "/up/d": { device: "null" },
  "/up/e/link": { to: "there" },
} as const;

function view(opaque: readonly string[] = [], root = "") {
  const host = fakeHost({ files: UPPER, opaque });
  return overlayFiles("/up", fakeFiles(root === "" ? LOWER : { "/img/only": "x" }), root, host);
}

Deno.test("overlayFiles() shows the upper layer's files, else the lower's", () => {
  const files = view();
  const text = (path: string) => new TextDecoder().decode(files.readFile(path));
  assert.equal(text("/a/file"), "upper");
  assert.equal(text("/b/file"), "lower");
  assert.equal(text("/c/file"), "upper");
  assert.equal(files.readLink("/a/link"), "file");
  assert.equal(files.readLink("/e/link"), "there");
  assert.equal(files.lstat("/"), "directory");
  assert.equal(files.lstat("/a"), "directory");
  assert.equal(files.lstat("/none"), undefined);
  assert.throws(() => files.readFile("/none"), { code: "ENOENT" });
});

Deno.test("overlayFiles() hides what was removed", () => {
  assert.equal(view().lstat("/d"), undefined);
  assert.equal(view().lstat("/d/x"), undefined);
  assert.equal(view().lstat("/b/file"), "file");
  assert.equal(view(["/up/b"]).lstat("/b/file"), undefined);
  assert.equal(view(["/up/b"]).lstat("/b/new"), "file");
});

Deno.test("overlayFiles() of an image that is a directory of the host", () => {
  assert.equal(view([], "/img").lstat("/only"), "file");
});
