import assert from "node:assert/strict";
import { openRoot } from "../../../ffi/tree.ts";
import type { Entry } from "../../../lib/layer/entry.ts";
import { Owners, OWNERS_FILE, withOwners } from "../../../lib/store/owners.ts";
import { Place } from "../build/files.ts";

const FILE = { type: "file", size: 3, mtime: 7 } as const;
const OWNER = { uid: 5, gid: 6 };

function ownersOf(path: string, entry: Parameters<Owners["set"]>[1]): Owners {
  const owners = Owners.parse("");
  owners.set(path, entry, OWNER);
  return owners;
}

for (
  const [name, recorded, found, holds] of [
    ["the same file", FILE, FILE, true],
    ["a file of another size", FILE, { ...FILE, size: 4 }, false],
    ["a file of another time", FILE, { ...FILE, mtime: 8 }, false],
    ["something else", FILE, { ...FILE, type: "symlink" }, false],
    ["a link of another time", { ...FILE, type: "symlink" }, {
      ...FILE,
      type: "symlink",
      mtime: 8,
    }, false],
    ["a directory that has changed", { ...FILE, type: "directory" }, {
      type: "directory",
      size: 9,
      mtime: 9,
    }, true],
  ] as const
) {
  Deno.test(`Owners.find() of ${name} is ${holds ? "the owner" : "undefined"}`, () => {
    assert.deepEqual(ownersOf("f", recorded).find("f", found), holds ? OWNER : undefined);
  });
}

Deno.test("Owners are written and read, whatever the name", () => {
  using place = new Place();
  const path = place.make("image", { "ch/": "", [`${OWNERS_FILE}.new`]: "left over" });
  using root = openRoot(path);
  assert.equal(Owners.read(root.fd).count, 0);
  const names = ["a b", "new\nline", "\udcff", "d/ü"];
  const owners = Owners.parse("");
  for (const name of names) owners.set(name, FILE, OWNER);
  owners.set("gone", FILE, OWNER);
  owners.set("gone", FILE, undefined);
  owners.write(root.fd, new Date(0));
  const read = Owners.read(root.fd);
  assert.equal(read.count, names.length);
  for (const name of names) assert.deepEqual(read.find(name, FILE), OWNER, name);
  assert.deepEqual([...Deno.readDirSync(`${path}/ch`)].map(({ name }) => name), ["owners"]);
});

for (
  const line of [
    "",
    "no JSON",
    "{}",
    "null",
    "[]",
    '[-1,0,"file",3,7,"f"]',
    '[4294967295,0,"file",3,7,"f"]',
    '[1.5,0,"file",3,7,"f"]',
    '["0",0,"file",3,7,"f"]',
    '[0,0,"char",3,7,"f"]',
    '[0,0,"file",null,7,"f"]',
    '[0,0,"file",3,1e300,"f"]',
    '[0,0,"file",3,7,["f"]]',
    '[0,0,"file",3,7]',
  ]
) {
  Deno.test(`Owners.parse() leaves out ${JSON.stringify(line)}`, () => {
    const owners = Owners.parse(`${line}\n[5,6,"file",3,7,"g"]\n`);
    assert.equal(owners.count, 1);
    assert.deepEqual(owners.find("g", FILE), OWNER);
  });
}

Deno.test("withOwners() gives entries their owners, and keeps those without as they are", async () => {
  const common = { mode: 0o644, uid: 1, gid: 1, mtime: 7, mtimeNsec: 1 };
  const content = { fd: -1 };
  const entries: Entry[] = [
    { ...common, path: "f", type: "file", size: 3, content },
    { ...common, path: "g", type: "file", size: 3, content },
  ];
  async function* source() {
    yield* entries;
  }
  const all = await Array.fromAsync(withOwners(source(), ownersOf("f", FILE)));
  assert.deepEqual(all, [{ ...entries[0], owner: OWNER }, entries[1]]);
});
