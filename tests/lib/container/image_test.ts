import assert from "node:assert/strict";
import { findImage, isInside, mangleName } from "../../../lib/container/image.ts";
import { type FakeFile, fakeHost } from "./fake_host.ts";

const STORAGE = "/var/tmp/alice.ch";
const FILES: Readonly<Record<string, FakeFile>> = {
  [`${STORAGE}/img/foo+latest/dev`]: null,
  [`${STORAGE}/img/bar/dev`]: null,
  [`${STORAGE}/img/a%b+c/dev`]: null,
  [`${STORAGE}/img/plain`]: "a file",
  [`${STORAGE}/img/linked`]: { to: "bar" },
  "/images/dir/dev": null,
  "/images/link": { to: "dir" },
  "/images/into_storage": { to: `${STORAGE}/img/bar` },
  "/images/squash": "hsqs and more",
  "/images/text": "some text",
  "/images/short": "hs",
  "/images/secret": { errno: 13 },
  "/bar": null,
};

function find(
  image: string,
  { write = false, unsafe = false, storage = STORAGE, files = FILES } = {},
) {
  const notes: string[] = [];
  const request = { image, storage, write, unsafe };
  return { ...findImage(request, fakeHost({ files }), (text) => notes.push(text)), notes };
}

for (
  const [image, root] of [
    ["foo:latest", "foo+latest"],
    ["foo+latest", "foo+latest"],
    ["a/b:c", "a%b+c"],
    ["bar", "bar"],
    ["linked", "bar"],
  ] as const
) {
  Deno.test(`findImage() finds ${image} in storage as ${root}`, () => {
    assert.deepEqual(find(image), { type: "name", root: `${STORAGE}/img/${root}`, notes: [] });
  });
}

for (
  const [image, root] of [
    ["/images/dir", "/images/dir"],
    ["/images/../images/link/", "/images/dir"],
    ["./bar", "/bar"],
    [".", "/"],
    ["..", "/"],
  ] as const
) {
  Deno.test(`findImage() takes ${image} as the directory ${root}`, () => {
    assert.deepEqual(find(image), { type: "directory", root, notes: [] });
  });
}

Deno.test("findImage() takes a name too long for storage as a path", () => {
  const image = `/images/${"../images/".repeat(30)}dir`;
  assert.deepEqual(find(image), { type: "directory", root: "/images/dir", notes: [] });
});

Deno.test("findImage() knows SquashFS by its first four bytes, and shows them", () => {
  assert.deepEqual(find("/images/squash", { write: true }), {
    type: "squash",
    file: "/images/squash",
    notes: ["image file magic expected: 6873 7173; actual: 6873 7173"],
  });
});

Deno.test("findImage() shows the first four bytes of what it refuses", () => {
  const notes: string[] = [];
  const request = { image: "/images/text", storage: STORAGE, write: false, unsafe: false };
  assert.throws(
    () => findImage(request, fakeHost({ files: FILES }), (text) => notes.push(text)),
    { message: "unknown image type: /images/text" },
  );
  assert.deepEqual(notes, ["image file magic expected: 6873 7173; actual: 736f 6d65"]);
});

for (
  const [image, options, message] of [
    ["foo", {}, "can't stat: foo"],
    ["", {}, "can't stat: "],
    ["/images/short", {}, "can't read: /images/short"],
    ["/images/secret", {}, "can't stat: /images/secret"],
    ["foo:latest", { write: true }, "--write invalid when running by name"],
    ["plain", {}, `can't stat: ${STORAGE}/img/plain/dev`],
    [
      `${STORAGE}/img/bar`,
      {},
      "can't run directory images from storage (hint: run by name)",
    ],
    [
      "/images/into_storage",
      {},
      "can't run directory images from storage (hint: run by name)",
    ],
    [
      "/images/dir",
      { storage: "/" },
      "can't run directory images from storage (hint: run by name)",
    ],
    [
      "/images/dir",
      { files: { ...FILES, "/private": { errno: 13 } }, storage: "/private" },
      "can't stat: /private/img/%images%dir",
    ],
  ] as const
) {
  Deno.test(`findImage() refuses ${image} ${JSON.stringify(options).slice(0, 60)}`, () => {
    assert.throws(() => find(image, options as Parameters<typeof find>[1]), { message });
  });
}

Deno.test("findImage() lifts two refusals with --unsafe", () => {
  assert.equal(find("foo:latest", { write: true, unsafe: true }).type, "name");
  assert.equal(find(`${STORAGE}/img/bar`, { unsafe: true }).type, "directory");
});

Deno.test("mangleName() leaves everything but slashes and colons", () => {
  assert.equal(mangleName("host:5000/Foo/bar:1.2_x"), "host+5000%Foo%bar+1.2_x");
});

Deno.test("isInside() compares whole components", () => {
  for (
    const [path, directory, expected] of [
      ["/a/b", "/a", true],
      ["/a", "/a", true],
      ["/a", "/a/", true],
      ["/ab", "/a", false],
      ["/a", "/a/b", false],
      ["/a", "/", true],
    ] as const
  ) {
    assert.equal(isInside(path, directory), expected, `${path} in ${directory}`);
  }
});

Deno.test("findImage() looks again for an image that is just being replaced", () => {
  const host = fakeHost({
    files: { ...FILES, [`${STORAGE}/img/foo/dev`]: null, [`${STORAGE}/imgtmp/1/root`]: null },
  });
  const request = { image: "foo", storage: STORAGE, write: false, unsafe: false };
  let hidden = 3;
  const lstat = (path: string) =>
    path.endsWith("/img/foo") && hidden-- > 0 ? undefined : host.lstat(path);
  assert.equal(findImage(request, { ...host, lstat }, () => {}).type, "name");
  hidden = Infinity;
  assert.throws(() => findImage(request, { ...host, lstat }, () => {}), /foo/);
});
