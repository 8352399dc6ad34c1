import assert from "node:assert/strict";
import { ChError } from "../../../lib/error.ts";
import { copyEntries, type Entry } from "../../../lib/layer/entry.ts";
import { type SquashfsOptions, SquashfsWriter } from "../../../lib/squashfs/writer.ts";
import {
  chunksOf,
  entriesOf,
  lines,
  output,
  run,
  showTree,
  TemporaryDirectory,
} from "../../tree_fixture.ts";

const isRoot = Deno.uid() === 0;
const mustWork = Deno.env.get("CH_MUST_WORK") === "1";

const TREE = `
  d 0755 ''
  d 0750 bin
  f 0755 bin/a "text of a"
  h bin/b = bin/a
  l bin/c -> ../else/where
  d 1777 empty
  f 0000 secret ""
  f 0644 twin "text of a"
  p 0640 fifo
`;

function test(name: string, needs: string, body: (place: TemporaryDirectory) => Promise<void>) {
  const hasNeed = new Deno.Command("sh", { args: ["-c", `command -v ${needs}`], stdout: "null" })
    .outputSync().success;
  Deno.test({
    name,
    ignore: !hasNeed && !mustWork,
    fn: async () => {
      using place = new TemporaryDirectory();
      await body(place);
    },
  });
}

async function write(path: string, text: string, options: SquashfsOptions = {}): Promise<void> {
  using writer = new SquashfsWriter(path, options);
  await copyEntries(entriesOf(text), writer);
}

/** What unsquashfs(1) makes of the image. */
function extract(place: TemporaryDirectory, image: string): string {
  const target = `${place.path}/extracted`;
  run("unsquashfs", "-quiet", "-no-progress", "-f", "-d", target, image);
  return target;
}

function file(path: string, bytes: Uint8Array, size = bytes.length): Entry {
  const common = { path, mode: 0o644, uid: 0, gid: 0, mtime: 1, mtimeNsec: 0 };
  return { ...common, type: "file", size, content: { chunks: chunksOf(bytes, 100_000) } };
}

/** Symbol of the errno that is behind it all. */
function codeOf(error: unknown): string | undefined {
  assert(error instanceof ChError);
  return (error.cause as { code?: string }).code;
}

function noise(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let at = 0, state = 1; at < size; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

for (const compression of ["gzip", "xz", "lz4", "lzo", "zstd"] as const) {
  test(
    `SquashfsWriter writes what unsquashfs(1) reads: ${compression}`,
    "unsquashfs",
    async (place) => {
      const image = `${place.path}/i.sqfs`;
      await write(image, TREE, { compression });
      const shown = showTree(extract(place, image), { times: true });
      assert.equal(
        shown,
        lines(`
        d 0755 '' @1600000000
        d 0750 bin @1600000000
        f 0755 bin/a "text of a" @1600000000
        h bin/b = bin/a @1600000000
        l bin/c -> ../else/where @1600000000
        d 1777 empty @1600000000
        p 0640 fifo @1600000000
        f 0000 secret ${isRoot ? '""' : '"?"'} @1600000000
        f 0644 twin "text of a" @1600000000
      `),
      );
    },
  );
}

test(
  "SquashfsWriter makes the superblock that ch-convert promises",
  "unsquashfs",
  async (place) => {
    const image = `${place.path}/i.sqfs`;
    await write(image, TREE);
    const view = new DataView(Deno.readFileSync(image).buffer);
    assert.equal(view.getUint32(0, true), 0x73717368, "magic");
    assert.equal(view.getUint32(8, true), 0, "time");
    assert.equal(view.getUint32(12, true), 65536, "block size");
    assert.equal(view.byteLength % 4096, 0, "size in whole blocks");
    assert.match(output("unsquashfs", "-s", image), /Compression zstd/);
  },
);

test(
  "SquashfsWriter gives everything to root unless told to keep owners",
  "unsquashfs",
  async (place) => {
    const image = `${place.path}/i.sqfs`;
    const owners = () => new Set(output("unsquashfs", "-lln", image).match(/\d+\/\d+ /g));
    const common = { mode: 0o755, uid: 12, gid: 3_000_000_000, mtime: 0, mtimeNsec: 0 };
    for (const [ownership, expected] of [["root", "0/0 "], ["keep", "12/3000000000 "]] as const) {
      using writer = new SquashfsWriter(image, { ownership });
      await writer.write({ ...common, path: "", type: "directory" });
      await writer.write({ ...common, path: "fifo", type: "fifo" });
      await writer.finish();
      assert.deepEqual(owners(), new Set([expected]));
    }
  },
);

test(
  "SquashfsWriter: same entries, same bytes, with any number of threads",
  "true",
  async (place) => {
    const images = await Promise.all([1, 2, 5].map(async (workers) => {
      const path = `${place.path}/${workers}.sqfs`;
      using writer = new SquashfsWriter(path, { workers, compression: "gzip", level: 1 });
      const bytes = noise(700_001);
      for (let i = 0; i < 30; i++) {
        await writer.write(file(`f${i}`, bytes.subarray(i * 1000, i * 20_000 + 5000)));
        await writer.write(file(`same${i}`, bytes.subarray(0, 500_000)));
      }
      await writer.finish();
      return Deno.readFileSync(path);
    }));
    assert.deepEqual(images[1], images[0]);
    assert.deepEqual(images[2], images[0]);
    // Thirty times the same half megabyte is there once.
    assert(images[0]!.length < 9_000_000, `${images[0]!.length}`);
  },
);

test(
  "SquashfsWriter takes large files from chunks and from descriptors",
  "unsquashfs",
  async (place) => {
    const image = `${place.path}/i.sqfs`;
    const bytes = noise(3_000_001);
    bytes.fill(0, 500_000, 1_500_000);
    Deno.writeFileSync(`${place.path}/source`, bytes);
    {
      using writer = new SquashfsWriter(image);
      using source = Deno.openSync(`${place.path}/source`);
      await writer.write(file("chunks", bytes));
      const fd = descriptorOf(`${place.path}/source`);
      await writer.write({
        ...file("fd", bytes),
        type: "file",
        size: bytes.length,
        content: { fd },
      });
      await writer.finish();
      assert.equal(writer.counts!.data, 2 * bytes.length);
      void source;
    }
    const extracted = extract(place, image);
    assert.deepEqual(Deno.readFileSync(`${extracted}/chunks`), bytes);
    assert.deepEqual(Deno.readFileSync(`${extracted}/fd`), bytes);
  },
);

/** Deno does not tell the number of a file it has open. */
function descriptorOf(path: string): number {
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    try {
      if (Deno.readLinkSync(`/proc/self/fd/${name}`) === path) return Number(name);
    } catch {
      // The directory's own descriptor is gone by now.
    }
  }
  throw new Error(`not open: ${path}`);
}

test("SquashfsWriter refuses a file of another size than announced", "true", async (place) => {
  const image = `${place.path}/i.sqfs`;
  const bytes = noise(10_000);
  for (const [size, reason] of [[9_999, /more data/], [10_001, /less data/]] as const) {
    using writer = new SquashfsWriter(image);
    await assert.rejects(writer.write(file("a", bytes, size)), (error) => {
      assert.match(`${(error as Error).cause}`, reason);
      return true;
    });
  }
  Deno.writeFileSync(`${place.path}/source`, bytes);
  for (const size of [9_999, 10_001]) {
    using writer = new SquashfsWriter(image);
    using _source = Deno.openSync(`${place.path}/source`);
    const fd = descriptorOf(`${place.path}/source`);
    const entry: Entry = { ...file("a", bytes), type: "file", size, content: { fd } };
    await assert.rejects(writer.write(entry), (error) => {
      assert.match(`${(error as Error).cause}`, /a: file changed while it was read/);
      return true;
    });
  }
  assert.deepEqual([...Deno.readDirSync(place.path)].map(({ name }) => name), ["source"]);
});

test(
  "SquashfsWriter shows nothing before it is finished, and leaves nothing otherwise",
  "true",
  async (place) => {
    const image = `${place.path}/i.sqfs`;
    const names = () => [...Deno.readDirSync(place.path)].map(({ name }) => name);
    Deno.writeTextFileSync(image, "old");
    {
      using writer = new SquashfsWriter(image);
      await writer.write(file("a", noise(1_000_000)));
      assert.equal(Deno.readTextFileSync(image), "old");
    }
    assert.deepEqual(names(), ["i.sqfs"]);
    assert.equal(Deno.readTextFileSync(image), "old");
    await write(image, TREE);
    assert.deepEqual(names(), ["i.sqfs"]);
    assert.equal(Deno.readFileSync(image)[0], 0x68);
    assert.equal(Deno.statSync(image).mode! & 0o777, 0o666 & ~Deno.umask());
  },
);

test("SquashfsWriter says why it can't write", "true", async (place) => {
  const cases: [string, SquashfsOptions, string][] = [
    [`${place.path}/none/i.sqfs`, {}, "ENOENT"],
    [`${place.path}/i.sqfs`, { blockSize: 1000 }, "EINVAL"],
  ];
  for (const [path, options, code] of cases) {
    assert.throws(() => new SquashfsWriter(path, options), (error) => {
      assert.equal(codeOf(error), code);
      return true;
    });
  }
  await Promise.resolve();
});

test(
  "SquashfsWriter looks paths up as a file system does, and never outside",
  "unsquashfs",
  async (place) => {
    const image = `${place.path}/i.sqfs`;
    await write(
      image,
      `
    d 0755 usr
    d 0755 usr/lib
    l lib -> /usr/lib
    l up -> ../../../usr
    f 0644 lib/a "through an absolute link"
    f 0644 up/b "through a link that climbs"
    f 0644 made/up/c "below what is not there"
    h hard = lib/a
    f 0600 twice "first"
    f 0644 twice "second"
    d 0700 usr
  `,
    );
    assert.equal(
      showTree(extract(place, image)),
      lines(`
      d 0755 ''
      f 0644 hard "through an absolute link"
      l lib -> /usr/lib
      d 0755 made
      d 0755 made/up
      f 0644 made/up/c "below what is not there"
      f 0644 twice "second"
      l up -> ../../../usr
      d 0700 usr
      f 0644 usr/b "through a link that climbs"
      d 0755 usr/lib
      h usr/lib/a = hard
    `),
    );
  },
);

test("SquashfsWriter refuses entries that no file system could hold", "true", async (place) => {
  const cases: [string, string][] = [
    [`l a -> b\nl b -> a\nf 0644 a/x ""`, "ELOOP"],
    [`f 0644 a ""\nf 0644 a/b ""`, "ENOTDIR"],
    [`d 0755 a\nf 0644 a/b ""\nf 0644 a ""`, "ENOTEMPTY"],
    [`h a = missing`, "ENOENT"],
    [`d 0755 a\nh b = a`, "EPERM"],
    [`f 0644 a/.. ""`, "EINVAL"],
    [`f 0644 ${"n".repeat(256)} ""`, "ENAMETOOLONG"],
  ];
  for (const [text, code] of cases) {
    await assert.rejects(write(`${place.path}/i.sqfs`, text), (error) => {
      assert.equal(codeOf(error), code, text);
      return true;
    });
  }
});

test("SquashfsWriter sorts and indexes large directories", "unsquashfs", async (place) => {
  const image = `${place.path}/i.sqfs`;
  const names = Array.from({ length: 5000 }, (_, i) => `name-${(i * 7919) % 5000}-\u00e4`);
  await write(image, names.map((name) => `f 0644 ${name} "${name}"`).join("\n"));
  const extracted = extract(place, image);
  const found = [...Deno.readDirSync(extracted)].map(({ name }) => name);
  assert.deepEqual(found.sort(), names.toSorted());
  assert.equal(Deno.readTextFileSync(`${extracted}/name-4999-\u00e4`), "name-4999-\u00e4");
});

test("SquashfsWriter keeps names and targets that are no text", "unsquashfs", async (place) => {
  const image = `${place.path}/i.sqfs`;
  const common = { mode: 0o644, uid: 0, gid: 0, mtime: 0, mtimeNsec: 0 };
  {
    using writer = new SquashfsWriter(image);
    await writer.write({ ...common, path: "n\udcff", type: "symlink", target: "t\udcfe" });
    await writer.finish();
  }
  const found = output(
    "sh",
    "-c",
    `cd "$1" && ls -b && readlink n* | od -An -c`,
    "sh",
    extract(place, image),
  );
  assert.match(found, /^n\\377\n\s*t 376/);
});

test(
  "SquashfsWriter keeps extended attributes and tells of those it can't",
  "unsquashfs",
  async (place) => {
    const image = `${place.path}/i.sqfs`;
    const lost: string[] = [];
    const value = (text: string) => new TextEncoder().encode(text);
    {
      using writer = new SquashfsWriter(image, {
        onLostXattr: (name, path) => lost.push(`${name} ${path}`),
      });
      for (const path of ["a", "b"]) {
        await writer.write({
          ...file(path, value("x")),
          xattrs: new Map([
            ["user.two", value("2")],
            ["system.posix_acl_access", value("acl")],
            ["user.one", value("1\0\xff")],
          ]),
        });
      }
      await writer.finish();
    }
    assert.deepEqual(lost, ["system.posix_acl_access a"]);
    const extracted = extract(place, image);
    for (const path of ["a", "b"]) {
      assert.equal(
        output(
          "getfattr",
          "-d",
          "-m",
          ".",
          "-e",
          "hex",
          "--absolute-names",
          `${extracted}/${path}`,
        ),
        `# file: ${extracted}/${path}\nuser.one=0x3100c3bf\nuser.two=0x32\n\n`,
      );
    }
  },
);

Deno.test({
  name: "SquashfsWriter writes what the kernel mounts, devices and all",
  ignore: !isRoot && !mustWork,
  fn: async () => {
    using place = new TemporaryDirectory();
    const image = `${place.path}/i.sqfs`, mount = `${place.path}/mnt`;
    const devices = `c 0666 null 1,3\nb 0660 disk 259,70000\ns 0755 socket`;
    await write(image, `${TREE}\n${devices}`);
    Deno.mkdirSync(mount);
    run("mount", "-o", "loop,ro", image, mount);
    try {
      assert.equal(
        showTree(mount),
        lines(`
          d 0755 ''
          d 0750 bin
          f 0755 bin/a "text of a"
          h bin/b = bin/a
          l bin/c -> ../else/where
          b 0660 disk 259,70000
          d 1777 empty
          p 0640 fifo
          c 0666 null 1,3
          f 0000 secret ""
          s 0755 socket
          f 0644 twin "text of a"
        `),
      );
      assert.equal(output("stat", "-c", "%h", mount, `${mount}/bin/a`), "4\n2\n");
    } finally {
      run("umount", mount);
    }
  },
});

Deno.test("SquashfsWriter passes on what the content of a file throws", async () => {
  using place = new TemporaryDirectory();
  async function* chunks() {
    yield new Uint8Array(10);
    await Promise.resolve();
    throw new ChError("cannot open: broken");
  }
  using writer = new SquashfsWriter(`${place.path}/i.sqfs`);
  const entry = {
    ...file("a", new Uint8Array(20)),
    type: "file" as const,
    size: 20,
    content: { chunks: chunks() },
  };
  await assert.rejects(writer.write(entry), new ChError("cannot open: broken"));
});
