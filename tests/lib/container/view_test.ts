import assert from "node:assert/strict";
import { findPlace } from "../../../lib/container/view.ts";
import { fakeFiles } from "./fake_host.ts";

const image = fakeFiles({
  "/root": null,
  "/ch/environment": "image",
  "/etc/env": "etc",
  "/links/absolute": { to: "/ch/environment" },
  "/links/relative": { to: "../ch/environment" },
  "/links/escaping": { to: "../../../../ch/environment" },
  "/links/broken": { to: "nowhere" },
  "/links/loop": { to: "loop" },
  "/links/into_bind": { to: "/mnt/file" },
  "/links/dir": { to: "/ch" },
});
const host = fakeFiles({
  "/data/file": "bound",
  "/data/environment": "bound environment",
  "/other/sub/environment": "other",
  "/alias": { to: "/data" },
});
const rootMount = { files: image, source: "/", target: "/" };

function readPlace(path: string, ...binds: readonly (readonly [string, string])[]) {
  const mounts = binds.map(([source, target]) => ({ files: host, source, target }));
  const place = findPlace(path, [rootMount, ...mounts]);
  if (place === undefined || place.kind === "directory") return place?.kind;
  return new TextDecoder().decode(place.files.readFile(place.path));
}

for (
  const [what, path, binds, content] of [
    ["a file of the image", "/ch/environment", [], "image"],
    ["a directory", "/root", [], "directory"],
    ["the root", "/", [], "directory"],
    ["nothing", "/nothing/at/all", [], undefined],
    ["the end of an absolute link", "/links/absolute", [], "image"],
    ["the end of a relative link", "/links/relative", [], "image"],
    ["no way out of the image", "/links/escaping", [], "image"],
    ["a file through a linked directory", "/links/dir/environment", [], "image"],
    ["nothing behind a broken link", "/links/broken", [], undefined],
    ["a file by way of ..", "/ch/../etc/./env", [], "etc"],
    ["a bind over the file", "/ch/environment", [["/data/file", "/ch/environment"]], "bound"],
    ["a bind over its directory", "/ch/environment", [["/data", "/ch"]], "bound environment"],
    ["nothing where a bind hides it", "/ch/environment", [["/other", "/ch"]], undefined],
    ["a bind written oddly", "/ch/environment", [["/data/", "//ch/./"]], "bound environment"],
    ["what a linked source leads to", "/ch/environment", [["/alias", "/ch"]], "bound environment"],
    ["a link's end in a bind", "/links/into_bind", [["/data", "/mnt"]], "bound"],
    ["a target that will be made", "/new/place", [["/data", "/new/place"]], "directory"],
    ["the way to it", "/new", [["/data", "/new/place"]], "directory"],
    ["the later of two binds", "/x/environment", [["/data", "/x"], ["/other/sub", "/x"]], "other"],
    ["a later bind above", "/x/sub/environment", [["/data", "/x/sub"], ["/other", "/x"]], "other"],
    [
      "a later bind below",
      "/x/sub/environment",
      [["/other", "/x"], ["/data", "/x/sub"]],
      "bound environment",
    ],
  ] as const
) {
  Deno.test(`findPlace() sees ${what}`, () => {
    assert.equal(readPlace(path, ...binds), content);
  });
}

Deno.test("findPlace() refuses a link that goes round", () => {
  assert.throws(() => readPlace("/links/loop"), { code: "ELOOP" });
});
