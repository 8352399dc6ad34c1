import assert from "node:assert/strict";
import { openCache } from "../../../lib/cache/open.ts";
import { convertImage } from "../../../lib/convert/convert.ts";
import { chooseFormat } from "../../../lib/convert/format.ts";
import type { ConvertSettings } from "../../../lib/convert/request.ts";
import { ChError } from "../../../lib/error.ts";
import { lines, makeTar, output, run, showTree, TemporaryDirectory } from "../../tree_fixture.ts";
import { RecordingLog } from "../recording_log.ts";

const isRoot = Deno.uid() === 0;

const IMAGE = `
  d 0755 ''
  d 0755 bin
  f 0755 bin/sh "shell"
  h bin/bash = bin/sh
  d 0755 ch
  f 0644 ch/environment "A=B"
  d 0755 ch/git
  f 0644 ch/git/config "no business of others"
  f 0644 ch/git.pickle "neither"
  d 0755 dev
  d 0755 etc
  l etc/resolv.conf -> ../run/nowhere
  d 0555 closed
  f 0444 closed/file "closed"
  d 1777 sticky
  f 0777 open "open"
  l link -> /bin/sh
  p 0640 fifo
  d 0755 usr
`;

/** What is common to all outputs but archives of directories: mount points, and directories open. */
const COMPLETE = lines(`
  d 0755 ''
  d 0755 bin
  f 0755 bin/bash "shell"
  h bin/sh = bin/bash
  d 0755 ch
  f 0644 ch/environment "A=B"
  d 0755 closed
  f 0444 closed/file "closed"
  d 0755 dev
  d 0755 etc
  f 0644 etc/hosts ""
  l etc/resolv.conf -> ../run/nowhere
  p 0640 fifo
  l link -> /bin/sh
  d 0755 mnt
  ${Array.from({ length: 10 }, (_, i) => `d 0755 mnt/${i}`).join("\n")}
  f 0777 open "open"
  d 0755 proc
  d 1777 sticky
  d 0755 sys
  d 0755 tmp
  d 0755 usr
`);

/** A place with the image above in it. */
class Place extends TemporaryDirectory {
  readonly log = new RecordingLog();
  readonly image = this.makeTree("image", IMAGE);
  readonly temporary = Deno.makeTempDirSync({ prefix: "ch-test." });

  async convert(from: string, to: string, settings: Partial<ConvertSettings> = {}): Promise<void> {
    const endpoint = (text: string) => {
      const isImage = /^[a-z:]+$/.test(text);
      const descriptor = isImage ? text : `${this.path}/${text}`;
      return { descriptor, format: chooseFormat("", descriptor, () => true) };
    };
    await convertImage({
      input: endpoint(from),
      output: endpoint(to),
      noClobber: false,
      xattrs: false,
      wishes: {},
      epoch: undefined,
      temporary: this.temporary,
      findStorage: () => `${this.path}/storage`,
      openCache: (store) =>
        openCache(store, { mode: "enabled", xattrs: false, largeFile: undefined, log: this.log }),
      findBuilder: () => Promise.reject(new Error("no builder here")),
      isPrivileged: isRoot,
      log: this.log,
      signal: new AbortController().signal,
      ...settings,
    });
  }

  names(): string[] {
    return [...Deno.readDirSync(this.path)].map(({ name }) => name).sort();
  }

  show(path: string): string {
    return showTree(`${this.path}/${path}`);
  }

  override [Symbol.dispose](): void {
    Deno.removeSync(this.temporary, { recursive: true });
    super[Symbol.dispose]();
  }
}

function test(name: string, body: (place: Place) => Promise<void>): void {
  Deno.test(name, async () => {
    using place = new Place();
    await body(place);
  });
}

test("convertImage(): directory → SquashFS → directory keeps everything", async (place) => {
  const before = showTree(place.image, { times: true });
  await place.convert("image/", "a.sqfs");
  assert.equal(showTree(place.image, { times: true }), before, "the input is left alone");
  await place.convert("a.sqfs", "out/");
  assert.equal(place.show("out"), COMPLETE);
  assert.deepEqual(place.names(), ["a.sqfs", "image", "out"]);
  assert.deepEqual(place.log.visible, ["packing ..."]);
});

test("convertImage(): directory → archive → directory keeps everything", async (place) => {
  await place.convert("image/", "a.tar.gz");
  const members = output("tar", "-tf", `${place.path}/a.tar.gz`).trimEnd().split("\n");
  assert.equal(members[0], "./");
  assert(members.every((name) => name.startsWith("./")));
  assert(!members.some((name) => name.includes("git") || name.includes("mnt")));
  await place.convert("a.tar.gz", "out/");
  assert.equal(place.show("out"), COMPLETE);
  assert.deepEqual(place.names(), ["a.tar.gz", "image", "out"]);
  assert.deepEqual(place.log.visible, ["packing ...", "analyzing ...", "unpacking ..."]);
});

test("convertImage(): by way of an archive SquashFS is the same, byte for byte", async (place) => {
  await place.convert("image/", "a.sqfs");
  await place.convert("image/", "a.tgz");
  await place.convert("a.tgz", "b.sqfs");
  await place.convert("b.sqfs", "b.tgz");
  await place.convert("b.tgz", "c.sqfs");
  const bytes = (name: string) => Deno.readFileSync(`${place.path}/${name}`);
  await place.convert("c.sqfs", "out/");
  assert.equal(place.show("out"), COMPLETE);
  assert.deepEqual(bytes("b.sqfs"), bytes("a.sqfs"));
});

test("convertImage(): into storage and out of it", async (place) => {
  await place.convert("image/", "a.sqfs");
  await place.convert("a.sqfs", "name:tag");
  assert.deepEqual([...Deno.readDirSync(`${place.path}/storage/img`)].map(({ name }) => name), [
    "name+tag",
  ]);
  await place.convert("name:tag", "out/");
  assert.match(place.show("out"), /^f 0755 bin\/bash "shell"\nh bin\/sh = bin\/bash$/m);
  await place.convert("name:tag", "out.tgz");
  await place.convert("out.tgz", "again");
  await assert.rejects(
    place.convert("name", "none/"),
    new ChError("source image not found in ch-image storage: name"),
  );
  await assert.rejects(
    place.convert("out.tgz", "name:tag", { noClobber: true }),
    new ChError("exists in ch-image storage, not deleting per --no-clobber: name:tag"),
  );
});

const COMPRESSORS = { tar: "cat", tgz: "gzip", "tar.xz": "xz", tbz: "bzip2", "tar.Z": "zstd" };
for (const [ending, program] of Object.entries(COMPRESSORS)) {
  test(`convertImage() finds out what compresses a.${ending}: ${program}`, async (place) => {
    const script = `tar -C "$1/image" --exclude=./ch/git --exclude=./fifo -c . | ${program}`;
    run("sh", "-c", `${script} >"$1/a.${ending}"`, "sh", place.path);
    await place.convert(`a.${ending}`, "out/");
    assert.match(place.show("out"), /^f 0444 closed\/file "closed"$/m);
  });
}

test("convertImage() takes an enclosing directory off, and what is in /dev", async (place) => {
  Deno.writeFileSync(
    `${place.path}/a.tar`,
    makeTar(`
      d 0755 im*g[1]/
      d 0755 im*g[1]/dev/
      f 0644 im*g[1]/dev/x ""
      d 0755 im*g[1]/mnt/
      d 0755 im*g[1]/mnt/dev/
      f 0644 im*g[1]/mnt/dev/keep ""
    `),
  );
  for (const target of ["out/", "out.sqfs"]) await place.convert("a.tar", target);
  const shown = place.show("out");
  assert.match(shown, /^d 0755 dev$/m);
  assert.doesNotMatch(shown, / dev\/x/);
  assert.match(shown, /^f 0644 mnt\/dev\/keep ""$/m);
  assert(!shown.includes("im*g"));
  await place.convert("out.sqfs", "again/");
  assert.equal(place.show("again"), shown);
});

test("convertImage() leaves nothing of what fails, and the output as it was", async (place) => {
  await place.convert("image/", "good.tgz");
  const good = Deno.readFileSync(`${place.path}/good.tgz`);
  Deno.writeFileSync(`${place.path}/cut.tgz`, good.subarray(0, good.length - 100));
  await place.convert("image/", "good.sqfs");
  Deno.writeFileSync(
    `${place.path}/cut.sqfs`,
    Deno.readFileSync(`${place.path}/good.sqfs`).slice(0, 300),
  );
  Deno.mkdirSync(`${place.path}/empty`);
  await place.convert("good.tgz", "old/");
  const names = place.names(), old = place.show("old");
  for (const input of ["cut.tgz", "cut.sqfs", "missing.tgz", "missing.sqfs", "missing/"]) {
    for (
      const target of ["new/", "new.sqfs", "new.tgz", "old/", "empty/", "good.tgz", "good.sqfs"]
    ) {
      if (input.split(".")[1] === target.split(".")[1]) continue;
      await assert.rejects(place.convert(input, target), ChError, `${input} → ${target}`);
      assert.deepEqual(place.names(), names, `${input} → ${target}`);
    }
  }
  assert.equal(place.show("old"), old);
  assert.equal(place.show("empty"), "d 0755 ''");
  assert.deepEqual(Deno.readFileSync(`${place.path}/good.tgz`), good);
});

test("convertImage() replaces an image, stray files and all", async (place) => {
  await place.convert("image/", "a.sqfs");
  await place.convert("a.sqfs", "out/");
  Deno.writeTextFileSync(`${place.path}/out/stray`, "");
  await place.convert("a.sqfs", "out/");
  assert.equal(place.show("out"), COMPLETE);
  assert(place.log.lines.includes(`deleting existing image: ${place.path}/out/`));
  await assert.rejects(place.convert("a.sqfs", "out/", { noClobber: true }), ChError);
});

test("convertImage() replaces a link to an image, not the image", async (place) => {
  await place.convert("image/", "a.sqfs");
  await place.convert("a.sqfs", "far/");
  Deno.writeTextFileSync(`${place.path}/far/stray`, "");
  Deno.symlinkSync("far", `${place.path}/out`);
  await place.convert("a.sqfs", "./out");
  assert(Deno.lstatSync(`${place.path}/out`).isDirectory);
  assert.equal(Deno.readTextFileSync(`${place.path}/far/stray`), "");
});

test("convertImage() fills an empty directory where it is", async (place) => {
  await place.convert("image/", "a.sqfs");
  Deno.mkdirSync(`${place.path}/out`);
  const { ino } = Deno.statSync(`${place.path}/out`);
  await place.convert("a.sqfs", "out/", { noClobber: true });
  assert.equal(Deno.statSync(`${place.path}/out`).ino, ino);
  assert.equal(place.show("out"), COMPLETE);
  assert(place.log.lines.includes(`using empty directory: ${place.path}/out/`));
});

test("convertImage() keeps modes whatever the umask", async (place) => {
  const umask = Deno.umask(0o077);
  try {
    await place.convert("image/", "a.sqfs");
    await place.convert("a.sqfs", "out/");
    assert.equal(place.show("out"), COMPLETE);
    assert.equal(Deno.statSync(`${place.path}/a.sqfs`).mode! & 0o777, 0o600);
  } finally {
    Deno.umask(umask);
  }
});

test("convertImage() keeps attributes only if told to", async (place) => {
  run("setfattr", "-n", "user.foo", "-v", "bar", `${place.image}/open`);
  const attributes = (path: string) =>
    output("getfattr", "-d", "--absolute-names", `${place.path}/${path}/open`);
  for (const way of ["a.sqfs", "a.tgz"]) {
    for (const [first, second] of [[true, true], [true, false], [false, true]] as const) {
      await place.convert("image/", way, { xattrs: first });
      await place.convert(way, "out/", { xattrs: second });
      assert.equal(attributes("out").includes('user.foo="bar"'), first && second, way);
      run("rm", "-rf", `${place.path}/out`);
    }
  }
});

test("convertImage() says that SquashFS has no ACLs", async (place) => {
  run("setfacl", "-m", "u:12345:r", `${place.image}/open`);
  await place.convert("image/", "a.sqfs", { xattrs: true });
  assert(
    place.log.lines.includes(
      "warning: SquashFS can’t hold extended attribute system.posix_acl_access: open",
    ),
    place.log.lines.join("\n"),
  );
});

test("convertImage() stops when told to, with nothing left", async (place) => {
  await place.convert("image/", "a.sqfs");
  const names = place.names();
  for (const target of ["out/", "out.tgz", "name"]) {
    const abort = new AbortController();
    abort.abort(new ChError("received SIGINT"));
    await assert.rejects(
      place.convert("a.sqfs", target, { signal: abort.signal }),
      new ChError("received SIGINT"),
    );
  }
  assert.deepEqual(place.names().filter((name) => name !== "storage"), names);
});

test("convertImage() stops in the middle of its work", async (place) => {
  for (let i = 0; i < 1200; i++) {
    Deno.writeFileSync(`${place.image}/usr/${i}`, crypto.getRandomValues(new Uint8Array(60_000)));
  }
  await place.convert("image/", "whole.tgz");
  const names = place.names();
  for (
    const [from, target] of [["image/", "out.tgz"], ["image/", "out.sqfs"], ["whole.tgz", "out/"]]
  ) {
    for (const delay of [5, 30]) {
      const abort = new AbortController();
      setTimeout(() => abort.abort(new ChError("received SIGTERM")), delay);
      await assert.rejects(
        place.convert(from!, target!, { signal: abort.signal }),
        new ChError("received SIGTERM"),
      );
      assert.deepEqual(place.names(), names);
    }
  }
});

test("convertImage() writes into its input without finding itself there", async (place) => {
  for (const target of ["image/out.tgz", "image/out.sqfs"]) await place.convert("image/", target);
  const listed = output("tar", "-tf", `${place.image}/out.tgz`);
  assert.doesNotMatch(listed, /out|tmp/);
});

test("convertImage() refuses archives of layers", async (place) => {
  const id = "0123456789abcdef".repeat(4);
  const archives = [
    `d 0755 ${id}/\nf 0644 ${id}/layer.tar ""\nf 0644 manifest.json "[]"\nf 0644 repositories "{}"`,
    `d 0755 blobs/\nd 0755 blobs/sha256/\nf 0644 blobs/sha256/${id} ""\nf 0644 index.json "{}"\nf 0644 oci-layout "{}"`,
  ];
  for (const text of archives) {
    Deno.writeFileSync(`${place.path}/a.tar`, makeTar(text));
    await assert.rejects(
      place.convert("a.tar", "out/"),
      new ChError(`archive of image layers, not of one tree: ${place.path}/a.tar`, {
        hint:
          "say “-i docker-archive” if docker save or podman save made it, else “-i oci-archive”",
      }),
    );
  }
  assert(!place.names().includes("out"));
});

Deno.test({
  name: "convertImage() fails for a file it may not read",
  ignore: isRoot,
  fn: async () => {
    using place = new Place();
    Deno.chmodSync(`${place.image}/open`, 0);
    for (const target of ["a.sqfs", "a.tgz"]) {
      await assert.rejects(place.convert("image/", target), /can’t read: .*\/open/);
    }
    assert.deepEqual(place.names(), ["image"]);
  },
});

Deno.test({
  name: "convertImage() deletes nothing below a mount point in an image",
  ignore: !isRoot,
  fn: async () => {
    using place = new Place();
    await place.convert("image/", "a.sqfs");
    await place.convert("a.sqfs", "out/");
    const mount = `${place.path}/out/mnt/0`;
    run("mount", "-t", "tmpfs", "none", mount);
    try {
      Deno.writeTextFileSync(`${mount}/precious`, "");
      await assert.rejects(place.convert("a.sqfs", "out/"), /can’t delete existing image/);
      assert.equal(Deno.readTextFileSync(`${mount}/precious`), "");
    } finally {
      run("umount", mount);
    }
  },
});

Deno.test({
  name: "convertImage() says so when the disk is full, and leaves nothing there",
  ignore: !isRoot,
  fn: async () => {
    using place = new Place();
    Deno.writeFileSync(`${place.image}/usr/big`, crypto.getRandomValues(new Uint8Array(60_000)));
    for (let i = 0; i < 6; i++) {
      run(
        "sh",
        "-c",
        `cat "$1" "$1" >"$1.${i}"; mv "$1.${i}" "$1"`,
        "sh",
        `${place.image}/usr/big`,
      );
    }
    await place.convert("image/", "a.tgz");
    Deno.mkdirSync(`${place.path}/full`);
    run("mount", "-t", "tmpfs", "-o", "size=32k", "none", `${place.path}/full`);
    try {
      for (
        const [from, target] of [["image/", "out.tgz"], ["image/", "out.sqfs"], ["a.tgz", "out/"]]
      ) {
        await assert.rejects(place.convert(from!, `full/${target}`), (error) => {
          const cause = error instanceof ChError ? error.cause : error;
          assert.equal((cause as { code?: string }).code, "ENOSPC", String(error));
          return true;
        });
        assert.deepEqual([...Deno.readDirSync(`${place.path}/full`)], []);
      }
    } finally {
      run("umount", `${place.path}/full`);
    }
  },
});
