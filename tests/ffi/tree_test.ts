import assert from "node:assert/strict";
import { readWhole } from "../../ffi/descriptor.ts";
import { SystemError } from "../../ffi/system_error.ts";
import * as tree from "../../ffi/tree.ts";
import * as change from "../../ffi/tree_change.ts";
import * as whole from "../../ffi/tree_whole.ts";
import { lines, output, run, showTree, TemporaryDirectory, TIME } from "../tree_fixture.ts";

const isRoot = Deno.uid() === 0;

function code(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    assert(error instanceof SystemError, String(error));
    return error.code;
  }
  return "done";
}

const time = { mtime: TIME, mtimeNsec: 0 };

Deno.test("listDirectory() sorts by bytes and tells what lstat tells", () => {
  using work = new TemporaryDirectory();
  const path = work.makeTree(
    "t",
    `d 0700 b
     f 0640 a "12345"
     l B -> a
     h c = a
     p 0604 z`,
  );
  using root = tree.openRoot(path);
  const found = tree.listDirectory(root.fd);
  assert.deepEqual(
    found.map(({ name, type, mode, size, nlink, mtime }) => [name, type, mode, size, nlink, mtime])
      .filter(([name]) => name !== "b"),
    [
      ["B", "symlink", 0o777, 1, 1, TIME],
      ["a", "file", 0o640, 5, 2, TIME],
      ["c", "file", 0o640, 5, 2, TIME],
      ["z", "fifo", 0o604, 0, 1, TIME],
    ],
  );
  assert.equal(found[1]!.ino, BigInt(Deno.lstatSync(`${path}/a`).ino!));
  assert.deepEqual(tree.readEntry(root.fd, "b").type, "directory");
  assert.equal(tree.findEntry(root.fd, "nothing"), undefined);
  assert.equal(tree.findEntry(root.fd, "a/below"), undefined);
});

Deno.test("listDirectory() takes directories of any size", () => {
  using work = new TemporaryDirectory();
  const path = work.makeTree("t", "");
  const names = Array.from({ length: 3000 }, (_, i) => `name-${String(i).padStart(5, "0")}`);
  for (const name of names) Deno.writeTextFileSync(`${path}/${name}`, "");
  using root = tree.openRoot(path);
  assert.deepEqual(tree.listDirectory(root.fd).map(({ name }) => name), names);
});

Deno.test("names are bytes", () => {
  using work = new TemporaryDirectory();
  using root = tree.openRoot(work.makeTree("t", ""));
  const name = "caf\udce9"; // Latin-1 é
  change.putFile(root.fd, name, new TextEncoder().encode("x"), 0o600, time);
  assert.deepEqual(tree.listDirectory(root.fd).map((entry) => entry.name), [name]);
  using file = tree.openFile(root.fd, name);
  assert.deepEqual(readWhole(file.fd, 1), new TextEncoder().encode("x"));
  change.removeFile(root.fd, name);
});

Deno.test("nothing outside the tree is reached", () => {
  using work = new TemporaryDirectory();
  work.makeTree("outside", `f 0644 secret "s"`);
  const path = work.makeTree(
    "t",
    `d 0755 d
     l out -> ../outside
     l d/up -> ..
     l file -> ../outside/secret`,
  );
  using root = tree.openRoot(path);
  const calls: [string, () => unknown, string][] = [
    ["open through link", () => tree.openFile(root.fd, "out/secret"), "ELOOP"],
    ["open link", () => tree.openFile(root.fd, "file"), "ELOOP"],
    ["open ..", () => tree.openDirectory(root.fd, ".."), "EINVAL"],
    ["open d/../..", () => tree.openDirectory(root.fd, "d/../.."), "EINVAL"],
    ["open absolute", () => tree.openDirectory(root.fd, "/"), "EINVAL"],
    ["open inner link", () => tree.openDirectory(root.fd, "d/up/d"), "ELOOP"],
    ["open link as directory", () => tree.openDirectory(root.fd, "out"), "ELOOP"],
    ["create", () => change.createFile(root.fd, "out/new", 0o600), "ELOOP"],
    ["create over link", () => change.createFile(root.fd, "file", 0o600), "EEXIST"],
    ["mkdir", () => change.makeDirectory(root.fd, "out/new", 0o700), "ELOOP"],
    ["mkdir ..", () => change.makeDirectory(root.fd, "../new", 0o700), "EINVAL"],
    ["symlink", () => change.makeSymlink("x", root.fd, "out/new"), "ELOOP"],
    ["link", () => change.makeHardLink(root.fd, "out/secret", root.fd, "x"), "ELOOP"],
    ["chmod", () => change.setMode(root.fd, "file", 0o777), "ELOOP"],
    ["unlink", () => change.removeFile(root.fd, "out/secret"), "ELOOP"],
    ["rename", () => change.renameEntry(root.fd, "out/secret", root.fd, "x"), "ELOOP"],
    ["remove", () => change.removeTree(root.fd, "out/secret"), "ELOOP"],
    ["remove ..", () => change.removeTree(root.fd, ".."), "EINVAL"],
    ["remove itself", () => change.removeTree(root.fd, ""), "EINVAL"],
    ["slash behind a link", () => tree.readEntry(root.fd, "out/"), "EINVAL"],
  ];
  for (const [what, call, expected] of calls) assert.equal(code(call), expected, what);
  change.setTime(root.fd, "file", { mtime: 5, mtimeNsec: 7 });
  assert.equal(tree.readEntry(root.fd, "file").mtimeNsec, 7);
  assert.equal(
    showTree(`${work.path}/outside`, { times: true }).split("\n")[1],
    `f 0644 secret "s" @${TIME}`,
  );
});

Deno.test("paths beyond PATH_MAX work", async () => {
  using work = new TemporaryDirectory();
  const path = work.makeTree("t", "");
  using root = tree.openRoot(path);
  const name = "n".repeat(250);
  let deep = "";
  for (let i = 0; i < 20; i++) {
    deep = deep === "" ? name : `${deep}/${name}`;
    change.makeDirectory(root.fd, deep, 0o755);
  }
  change.putFile(root.fd, `${deep}/f`, new Uint8Array(3), 0o644, time);
  change.makeHardLink(root.fd, `${deep}/f`, root.fd, `${deep}/g`);
  assert.equal(tree.readEntry(root.fd, `${deep}/f`).size, 3);
  assert.equal(tree.resolveInRoot(root.fd, `/${deep}/f`).path, `${deep}/f`);
  work.makeTree("copy", "");
  {
    using copy = tree.openRoot(`${work.path}/copy`);
    await whole.copyTree(root.fd, copy.fd);
    assert.equal(tree.readEntry(copy.fd, `${deep}/g`).nlink, 2);
  }
  using top = tree.openRoot(work.path);
  change.removeTree(top.fd, "copy");
  change.removeTree(top.fd, "t");
  assert.deepEqual([...Deno.readDirSync(work.path)], []);
});

Deno.test("openFile() opens regular files only, and does not hang on a FIFO", () => {
  using work = new TemporaryDirectory();
  using root = tree.openRoot(work.makeTree("t", `p 0644 p\nd 0755 d\nf 0644 f ""`));
  assert.equal(code(() => tree.openFile(root.fd, "p")), "EINVAL");
  assert.equal(code(() => tree.openFile(root.fd, "d")), "EISDIR");
  assert.equal(code(() => tree.openFile(root.fd, "x")), "ENOENT");
  tree.openFile(root.fd, "f")[Symbol.dispose]();
});

Deno.test("resolveInRoot() follows links as a process in the image would", () => {
  using work = new TemporaryDirectory();
  using root = tree.openRoot(work.makeTree(
    "t",
    `d 0755 usr
     d 0755 usr/bin
     f 0755 usr/bin/sh ""
     l bin -> usr/bin
     l abs -> /usr/bin
     l up -> ../../../usr
     l usr/self -> ../usr/self
     l chain -> abs/sh
     l dangling -> usr/nowhere/x
     l usr/bin/back -> ..`,
  ));
  const cases: [string, string, ("keep" | "follow")?][] = [
    ["", ""],
    ["/", ""],
    ["../..", ""],
    ["bin/sh", "usr/bin/sh"],
    ["/abs/sh", "usr/bin/sh"],
    ["up/bin/../../../bin", "usr/bin"],
    ["chain", "usr/bin/sh"],
    ["chain", "chain", "keep"],
    ["bin", "bin", "keep"],
    ["bin/", "usr/bin", "keep"],
    ["bin/back/bin/./sh", "usr/bin/sh"],
    ["usr//bin/../", "usr"],
  ];
  for (const [path, expected, last = "follow"] of cases) {
    assert.equal(tree.resolveInRoot(root.fd, path, { last }).path, expected, path);
  }
  const failures: [string, string][] = [
    ["usr/self", "ELOOP"],
    ["usr/x", "ENOENT"],
    ["dangling", "ENOENT"],
    ["bin/sh/x", "ENOTDIR"],
    ["bin/sh/", "ENOTDIR"],
    ["bin/sh/..", "ENOTDIR"],
  ];
  for (const [path, expected] of failures) {
    assert.equal(code(() => tree.resolveInRoot(root.fd, path)), expected, path);
  }
  const missing: [string, string, string][] = [
    ["bin/new/dir", "usr/bin/new/dir", "usr/bin"],
    ["dangling/y", "usr/nowhere/x/y", "usr"],
    ["new/../../bin/sh", "usr/bin/sh", "usr/bin/sh"],
    ["new/..", "", ""],
  ];
  for (const [path, expected, present] of missing) {
    const found = tree.resolveInRoot(root.fd, path, { missing: "allow" });
    assert.deepEqual([found.path, found.present], [expected, present], path);
    assert.equal(found.isThere, expected === present, path);
  }
});

Deno.test("makeDirectories() makes what is missing, inside the image", () => {
  using work = new TemporaryDirectory();
  const path = work.makeTree("t", `l var -> /data\nf 0644 f ""\nl up -> ../../out`);
  using root = tree.openRoot(path);
  assert.equal(change.makeDirectories(root.fd, "var/a/b", 0o755), "data/a/b");
  assert.equal(change.makeDirectories(root.fd, "/up/c", 0o700), "out/c");
  assert.equal(change.makeDirectories(root.fd, "data/a", 0o700), "data/a");
  assert.equal(code(() => change.makeDirectories(root.fd, "f", 0o755)), "EEXIST");
  assert.equal(code(() => change.makeDirectories(root.fd, "f/x", 0o755)), "ENOTDIR");
  assert.deepEqual([...Deno.readDirSync(work.path)].map(({ name }) => name), ["t"]);
  assert.equal(Deno.lstatSync(`${path}/data/a/b`).isDirectory, true);
});

Deno.test("xattrs are read and set", () => {
  using work = new TemporaryDirectory();
  using root = tree.openRoot(work.makeTree("t", `f 0644 f ""\nl l -> f`));
  const value = new Uint8Array([0, 255, 10]);
  change.setXattr(root.fd, "f", "user.one", value);
  change.setXattr(root.fd, "f", "user.long", new Uint8Array(3500).fill(7));
  const found = tree.readXattrs(root.fd, "f");
  assert.deepEqual(found.get("user.one"), value);
  assert.equal(found.get("user.long")!.length, 3500);
  assert.equal(tree.readXattrs(root.fd, "l").size, 0);
  assert.equal(code(() => change.setXattr(root.fd, "l", "user.x", value)), "ELOOP");
});

Deno.test("modes do not depend on the umask", () => {
  const before = Deno.umask(0o077);
  try {
    using work = new TemporaryDirectory();
    const path = work.makeTree("t", "");
    using root = tree.openRoot(path);
    change.makeDirectory(root.fd, "d", 0o1777);
    change.putFile(root.fd, "f", new Uint8Array(), 0o666, time);
    assert.equal(
      showTree(path).split("\n").slice(1).join("\n"),
      lines(`d 1777 d\nf 0666 f ""`),
    );
  } finally {
    Deno.umask(before);
  }
});

Deno.test("exchangeNames() and renameToNew() keep what is there", () => {
  using work = new TemporaryDirectory();
  const path = work.makeTree("t", `f 0644 a "a"\nd 0755 b`);
  using root = tree.openRoot(path);
  change.exchangeNames(root.fd, "a", root.fd, "b");
  assert.equal(tree.readEntry(root.fd, "b").type, "file");
  assert.equal(
    code(() => change.renameToNew(root.fd, "b", root.fd, "a")),
    "EEXIST",
  );
});

const SAMPLE = `
  d 0755 bin
  f 4755 bin/su "setuid"
  f 0000 bin/none "unreadable"
  h bin/also = bin/su
  l bin/link -> /bin/su
  d 0500 closed
  d 0700 closed/below
  f 0644 closed/below/f "deep" @1500000000
  d 1777 tmp
  p 0620 tmp/fifo
  s 0755 tmp/socket`;

Deno.test("copyTree() copies everything as it is", async () => {
  using work = new TemporaryDirectory();
  const from = work.makeTree(
    "from",
    isRoot ? SAMPLE + "\n c 0666 null 1,3" : notUnreadable(SAMPLE),
  );
  const to = work.makeTree("to", "");
  using a = tree.openRoot(from);
  using b = tree.openRoot(to);
  const counts = await whole.copyTree(a.fd, b.fd, { owner: isRoot });
  assert.equal(showTree(to, { times: true }), showTree(from, { times: true }));
  assert.deepEqual([counts.directories, counts.symlinks], [5, 1]);
  assert.notEqual(Deno.statSync(`${to}/bin/su`).ino, Deno.statSync(`${from}/bin/su`).ino);
});

Deno.test("copyTree() leaves out what it is told to, and opens directories", async () => {
  using work = new TemporaryDirectory();
  const from = work.makeTree("from", notUnreadable(SAMPLE) + (isRoot ? "\n c 0666 null 1,3" : ""));
  const to = work.makeTree("to", "");
  using a = tree.openRoot(from);
  using b = tree.openRoot(to);
  const counts = await whole.copyTree(a.fd, b.fd, {
    skip: ["devices", "fifos", "sockets"],
    openDirectories: true,
  });
  assert.deepEqual(
    [counts.skippedDevices, counts.skippedFifos, counts.skippedSockets, counts.others],
    [isRoot ? 1 : 0, 1, 1, 0],
  );
  assert.deepEqual(showTree(to).split("\n").filter((line) => /closed$|tmp/.test(line)), [
    "d 0700 closed",
    "d 1777 tmp",
  ]);
});

Deno.test("copyTree() keeps holes and xattrs", async () => {
  using work = new TemporaryDirectory();
  const from = work.makeTree("from", `f 0644 holes ""`);
  const to = work.makeTree("to", "");
  run("truncate", "-s", "100M", `${from}/holes`);
  using file = Deno.openSync(`${from}/holes`, { write: true });
  file.seekSync(50 << 20, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array([1]));
  using a = tree.openRoot(from);
  using b = tree.openRoot(to);
  change.setXattr(a.fd, "holes", "user.k", new Uint8Array([1]));
  await whole.copyTree(a.fd, b.fd, { xattrs: true });
  run("cmp", `${from}/holes`, `${to}/holes`);
  assert(Deno.statSync(`${to}/holes`).blocks! < 1000);
  assert.deepEqual([...tree.readXattrs(b.fd, "holes").keys()], ["user.k"]);
});

Deno.test("linkTree() shares files, not directories", async () => {
  using work = new TemporaryDirectory();
  const from = work.makeTree("from", SAMPLE);
  const to = work.makeTree("to", "");
  using a = tree.openRoot(from);
  using b = tree.openRoot(to);
  await whole.linkTree(a.fd, b.fd);
  assert.equal(showTree(to, { times: true }), showTree(from, { times: true }));
  assert.equal(Deno.lstatSync(`${to}/bin/su`).ino, Deno.lstatSync(`${from}/bin/su`).ino);
  assert.notEqual(Deno.statSync(`${to}/tmp`).ino, Deno.statSync(`${from}/tmp`).ino);
});

Deno.test("removeTree() removes whatever the modes, and does not mind absence", () => {
  using work = new TemporaryDirectory();
  work.makeTree("t/in", SAMPLE);
  Deno.chmodSync(`${work.path}/t/in/closed/below`, 0);
  Deno.chmodSync(`${work.path}/t/in/closed`, 0);
  using top = tree.openRoot(work.path);
  change.removeTree(top.fd, "t/in");
  change.removeTree(top.fd, "t/in");
  change.removeTree(top.fd, "no/such/thing");
  assert.deepEqual([...Deno.readDirSync(`${work.path}/t`)], []);
});

Deno.test({
  name: "removeTree() stops at mount points, also of the same file system",
  ignore: !isRoot,
  fn: () => {
    using work = new TemporaryDirectory();
    work.makeTree("kept", `f 0644 f "precious"`);
    work.makeTree("t", `d 0755 a\nd 0755 a/mnt\nf 0644 z ""`);
    const mount = `${work.path}/t/a/mnt`;
    for (const args of [["--bind", `${work.path}/kept`, mount], ["-t", "tmpfs", "none", mount]]) {
      run("mount", ...args);
      try {
        Deno.writeTextFileSync(`${mount}/more`, "");
        using top = tree.openRoot(work.path);
        assert.throws(() => change.removeTree(top.fd, "t"), (error) => {
          assert(error instanceof SystemError);
          assert.deepEqual([error.code, error.path], ["EXDEV", "t/a/mnt"]);
          return true;
        });
        assert.equal(Deno.statSync(`${mount}/more`).isFile, true);
      } finally {
        run("umount", mount);
      }
    }
    assert.equal(Deno.readTextFileSync(`${work.path}/kept/f`), "precious");
  },
});

/** Whiteouts as extended attributes: what an ordinary user can make by hand anywhere. */
function whiteOut(rootFd: number, path: string): void {
  change.putFile(rootFd, path, new Uint8Array(), 0o644, time);
  change.setXattr(rootFd, path, "user.overlay.whiteout", new TextEncoder().encode("y"));
}

const IMAGE = `
  d 0755 keep
  f 0644 keep/a "old a"
  f 0644 keep/b "old b"
  d 0755 gone
  f 0644 gone/x ""
  d 0755 replaced
  f 0644 replaced/x "old"
  d 0755 was-dir
  f 0644 was-dir/x ""
  f 0644 was-file "file"
  l was-link -> keep
  f 0644 file "old file"`;

Deno.test("applyOverlay() merges an upper directory", async () => {
  using work = new TemporaryDirectory();
  const image = work.makeTree("image", IMAGE);
  Deno.linkSync(`${image}/file`, `${work.path}/store`);
  const upper = work.makeTree(
    "upper",
    `d 0750 keep @1700000001
     f 0600 keep/a "new a"
     f 0644 keep/new "n"
     h keep/new2 = keep/new
     d 0700 replaced
     f 0644 replaced/y "new"
     f 0644 was-dir "now a file"
     d 0711 was-file @1700000002
     f 0444 was-file/f "x"
     d 0755 was-link
     d 0500 new @1700000003
     d 0755 new/sub
     f 0400 new/sub/f "deep"
     f 0644 file "new file"
     p 0644 fifo`,
  );
  using upperRoot = tree.openRoot(upper);
  using imageRoot = tree.openRoot(image);
  const mark = (path: string, name: string, value: string) =>
    change.setXattr(upperRoot.fd, path, name, new TextEncoder().encode(value));
  whiteOut(upperRoot.fd, "gone");
  whiteOut(upperRoot.fd, "keep/b");
  whiteOut(upperRoot.fd, "keep/never-was");
  whiteOut(upperRoot.fd, "replaced/x2");
  mark("replaced", "user.overlay.opaque", "y");
  mark("keep", "user.overlay.opaque", "x");
  mark("keep", "user.overlay.impure", "y");
  mark("keep", "user.mine", "1");
  mark("keep/a", "user.overlay.origin", "\x01\x02");
  mark("keep/a", "user.own", "2");
  change.setMode(upperRoot.fd, "new/sub/f", 0o600);
  mark("new/sub/f", "user.overlay.origin", "\x01\x02");
  change.setMode(upperRoot.fd, "new/sub/f", 0o400);
  change.setTime(upperRoot.fd, "keep", { mtime: 1700000001, mtimeNsec: 0 });
  change.setMode(upperRoot.fd, "", 0o711);
  change.setTime(upperRoot.fd, "", { mtime: 1700000009, mtimeNsec: 5 });

  const counts = await whole.applyOverlay(upperRoot.fd, imageRoot.fd);
  assert.equal(
    showTree(image),
    lines(`
      d 0711 ''
      p 0644 fifo
      f 0644 file "new file"
      d 0750 keep
      f 0600 keep/a "new a"
      f 0644 keep/new "n"
      h keep/new2 = keep/new
      d 0500 new
      d 0755 new/sub
      f 0400 new/sub/f "deep"
      d 0700 replaced
      f 0644 replaced/y "new"
      f 0644 was-dir "now a file"
      d 0711 was-file
      f 0444 was-file/f "x"
      d 0755 was-link`),
  );
  assert.deepEqual([...Deno.readDirSync(upper)], []);
  for (const [path, seconds] of [["keep", 1], ["was-file", 2], ["new", 3], ["", 9]] as const) {
    assert.equal(tree.readEntry(imageRoot.fd, path).mtime, 1700000000 + seconds, path);
  }
  assert.deepEqual([...tree.readXattrs(imageRoot.fd, "keep").keys()], ["user.mine"]);
  assert.deepEqual([...tree.readXattrs(imageRoot.fd, "keep/a").keys()], ["user.own"]);
  assert.equal(tree.readXattrs(imageRoot.fd, "new/sub/f").size, 0);
  // gone and x, keep/b, replaced and x, was-dir and x, was-file, was-link
  assert.equal(counts.removed, 9);
  assert.equal(Deno.readTextFileSync(`${work.path}/store`), "old file");
});

Deno.test("applyOverlay() does not take an unreadable empty file for a whiteout", async () => {
  using work = new TemporaryDirectory();
  const image = work.makeTree("image", `f 0644 f "old"`);
  const upper = work.makeTree("upper", `f 0000 f ""`);
  using upperRoot = tree.openRoot(upper);
  using imageRoot = tree.openRoot(image);
  await whole.applyOverlay(upperRoot.fd, imageRoot.fd);
  assert.equal(tree.readEntry(imageRoot.fd, "f").mode, 0);
});

Deno.test("applyOverlay() refuses redirects, which it cannot follow", async () => {
  using work = new TemporaryDirectory();
  using upperRoot = tree.openRoot(work.makeTree("upper", "d 0755 d"));
  using imageRoot = tree.openRoot(work.makeTree("image", "d 0755 d"));
  change.setXattr(upperRoot.fd, "d", "user.overlay.redirect", new TextEncoder().encode("e"));
  await assert.rejects(
    () => whole.applyOverlay(upperRoot.fd, imageRoot.fd),
    (error) => error instanceof SystemError && error.code === "EOPNOTSUPP" && error.path === "d",
  );
});

Deno.test("applyOverlay() of what the kernel wrote gives what was seen through it", async () => {
  using work = new TemporaryDirectory();
  // Not on an overlay file system, where this machine's /tmp may be.
  const image = work.makeTree("image", IMAGE);
  for (const name of ["upper", "work", "merged", "seen"]) work.makeTree(name, "");
  const script = `set -e
    mount -t overlay none -o userxattr,lowerdir=image,upperdir=upper,workdir=work merged
    cd merged
    rm -r gone was-dir was-link; mkdir was-dir; echo 1 > was-dir/new; ln -s keep/a was-link
    rm was-file; mkdir -m 700 was-file
    echo more >> keep/a; chmod 711 keep; rm keep/b; touch -d @1234567890 keep
    rm -r replaced; mkdir replaced; echo n > replaced/n
    mkfifo fifo; echo z > one; ln one two; mkdir -p new/er; mv new/er new/est
    find . -mindepth 1 | while read f; do touch -h -r "$f" "$f"; done
    cp -a . ../seen`;
  const { code: status, stderr } = new Deno.Command("unshare", {
    args: [...(isRoot ? ["-m"] : ["-rm"]), "sh", "-c", script],
    cwd: work.path,
  }).outputSync();
  assert.equal(status, 0, new TextDecoder().decode(stderr));
  using upperRoot = tree.openRoot(`${work.path}/upper`);
  using imageRoot = tree.openRoot(image);
  await whole.applyOverlay(upperRoot.fd, imageRoot.fd);
  const withoutRoot = (path: string) =>
    showTree(path, { times: true }).split("\n").slice(1).join("\n");
  assert.equal(withoutRoot(image), withoutRoot(`${work.path}/seen`));
  assert.doesNotMatch(output("getfattr", "-Rd", "-m", "-", image), /overlay/);
});

function notUnreadable(text: string): string {
  return text.replace("f 0000", "f 0400");
}
