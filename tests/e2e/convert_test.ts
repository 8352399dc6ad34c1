// ch-convert between storage, directory, tar and SquashFS, held against tar(1) and unsquashfs(1).

import assert from "node:assert/strict";
import { makeTar, type Member } from "../tar_archive.ts";
import { exists, expect, type Expected, type Need, type Tree } from "../rig.ts";
import { listTemporary, test } from "./convert_place.ts";

test("ch-convert without arguments prints usage", async (work) => {
  expect(await work.run(["ch-convert"]), { code: 1, stdout: "", stderr: /usage|Usage/ });
});

test("ch-convert --help and -h", async (work) => {
  for (const option of ["--help", "-h"]) {
    const result = await work.run(["ch-convert", option]);
    expect(result, { code: 0, stdout: "", stderr: /[Uu]sage: ch-convert[^]*--no-clobber/ });
  }
});

test("ch-convert --version is the version of ch-run", async (work) => {
  const { stdout, stderr } = await work.run(["ch-run", "--version"]);
  const version = (stdout + stderr).trim();
  assert.notEqual(version, "");
  expect(await work.run(["ch-convert", "--version"]), {
    code: 0,
    stdout: "",
    stderr: `${version}\n`,
  });
});

const USAGE: readonly (readonly string[])[] = [
  ["one"],
  ["one", "two", "three"],
  ["--bogus", "one", "two"],
  ["one", "two", "--no-clobber"],
  ["-i"],
];
for (const words of USAGE) {
  test(`ch-convert ${words.join(" ")} is a usage error`, async (work) => {
    const result = await work.run(["ch-convert", ...words]);
    expect(result, { code: 1, stdout: "" });
    assert.notEqual(result.stderr, "");
  });
}

const DRY: readonly (readonly [readonly string[], string, string])[] = [
  [["./foo:bar.sqfs", "out.tar"], "squash", "tar"],
  [["x.tar", "y.sqfs"], "tar", "squash"],
  [["x.tgz", "y.squash"], "tar", "squash"],
  [["x.tar.Z", "y.squashfs"], "tar", "squash"],
  [["x.tar.gz", "y.squishy"], "tar", "squash"],
  [["x.txz", "y.sqfs"], "tar", "squash"],
  [["./x", "y.sqfs"], "dir", "squash"],
  [["/x", "y.sqfs"], "dir", "squash"],
  [["../x", "y.sqfs"], "ch-image", "squash"],
  [["foo.TAR", "y.sqfs"], "ch-image", "squash"],
  [["-i=dir", "-o=tar", "x", "y"], "dir", "tar"],
  [["--in-fmt", "dir", "--out-fmt=squash", "x", "y"], "dir", "squash"],
  [["-i", "dir", "-i", "tar", "x", "y.sqfs"], "tar", "squash"],
  [["--in-fmt=", "-o", "", "./x", "y.sqfs"], "dir", "squash"],
  [["./100%s\\n", "y%d.sqfs"], "dir", "squash"],
];
for (const [words, input, output] of DRY) {
  test(`ch-convert -n ${words.join(" ")}: ${input} to ${output}`, async (work) => {
    const [from, to] = words.slice(-2) as [string, string];
    const result = await work.run(["ch-convert", "-n", ...words]);
    expect(result, { code: 0 });
    assert.ok(
      result.stderr.includes(
        `input:   ${input.padEnd(8)}  ${from}\noutput:  ${output.padEnd(8)}  ${to}\n`,
      ),
      result.stderr,
    );
    assert.match(result.stderr, /^done$/m);
    assert.ok(!exists(`${work.path}/${to}`));
  });
}

const WRONG: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["an unknown format", ["-i", "bogus", "x", "y"], /error: invalid format: bogus/],
  [
    "equal formats",
    ["-n", "foo.tar", "foo.tar.gz"],
    /error: input and output formats must be different/,
  ],
  ["-v -q", ["-v", "-q", "x", "y"], /error: incompatible options: --quiet, --verbose/],
  ["-q -v", ["-q", "-v", "x", "y"], /error: incompatible options: --quiet, --verbose/],
  [
    "--xattrs --no-xattrs",
    ["--xattrs", "--no-xattrs", "x", "y"],
    /error: "--xattrs" incompatible with "--no-xattrs"/,
  ],
  [
    "a relative --tmp",
    ["--tmp", "rel", "./image", "y.sqfs"],
    /error: temp dir must be absolute: rel/,
  ],
  ["a missing directory", ["./nosuch", "y.sqfs"], /error: not a directory: \.\/nosuch/],
  ["a missing file", ["nosuch.sqfs", "./y"], /error: not found: nosuch\.sqfs/],
  [
    "a missing stored image",
    ["nosuch:latest", "y.sqfs"],
    /error: source image not found in ch-image storage: nosuch:latest/,
  ],
  [
    "output .tar",
    ["./image", "y.tar"],
    /error: only gzipped tar output \(\.tar\.gz or \.tgz\) supported/,
  ],
  ["output .tar.Z", ["./image", "y.tar.Z"], /error: only gzipped tar output/],
  [
    "to write lzma",
    ["--comp=lzma", "./image", "y.sqfs"],
    /can’t be compressed with lzma\nhint: images with lzma can be read, but not written; choose one of: gzip lz4 lzo xz zstd$/m,
  ],
  ["bzip2 for squash", ["--comp=bzip2", "./image", "y.sqfs"], /can’t be compressed with bzip2/],
  [
    "a level that is none",
    ["--level=high", "./image", "y.sqfs"],
    /not a whole number: --level=high/,
  ],
  ["blocks of 5000 bytes", ["--block-size=5000", "./image", "y.sqfs"], /not a block size: 5000/],
  ["a missing parent", ["./image", "./no/such/y.sqfs"], /error: not a directory: \.\/no\/such/],
  ["rubbish as SquashFS", ["text.sqfs", "./y"], /error: .*text\.sqfs/],
  ["rubbish as tar", ["-i", "tar", "text.tar.gz", "./y"], /error: .*text\.tar\.gz/],
  ["an OCI archive", ["oci.tar", "./y"], /error: /],
];
for (const [name, words, stderr] of WRONG) {
  test(`ch-convert refuses ${name}`, async (work) => {
    work.image();
    work.tree(".", { "text.sqfs": "text\n", "text.tar.gz": "text\n" });
    Deno.writeFileSync(
      `${work.path}/oci.tar`,
      makeTar([{ name: "oci-layout", data: "{}" }, { name: "index.json", data: "{}" }, {
        name: "blobs/",
        type: "5",
      }]),
    );
    expect(await work.run(["ch-convert", ...words]), { code: 1, stdout: "", stderr });
    assert.ok(!exists(`${work.path}/y.sqfs`) && !exists(`${work.path}/no`));
  });
}

// --- what may be overwritten

interface OverCase {
  readonly name: string;
  readonly files?: Tree;
  readonly before: string;
  readonly args: readonly string[];
  readonly expected: Expected;
  readonly after: string;
  readonly needs?: readonly Need[];
}
const OVERWRITING: readonly OverCase[] = [
  {
    name: "a file where a directory is to be",
    before: "echo mine > out",
    args: ["in.sqfs", "./out"],
    expected: { code: 1, stderr: /error: exists but not a directory: \.\/out/ },
    after: 'test "$(cat out)" = mine',
  },
  {
    name: "a directory that is no image",
    before: "mkdir -p out/bin out/dev; echo mine > out/file",
    args: ["in.sqfs", "./out"],
    expected: {
      code: 1,
      stderr: /error: exists but does not appear to be an image and is not empty: \.\/out/,
    },
    after: 'test "$(cat out/file)" = mine',
  },
  {
    name: "an image directory is replaced",
    before: "mkdir -p out/bin out/dev out/usr; echo mine > out/stray",
    args: ["in.sqfs", "./out"],
    expected: { code: 0, stderr: /^deleting existing image: \.\/out$/m },
    after: "test ! -e out/stray -a -e out/bin/busybox",
  },
  {
    name: "an image directory and --no-clobber",
    before: "mkdir -p out/bin out/dev out/usr; echo mine > out/stray",
    args: ["--no-clobber", "in.sqfs", "./out"],
    expected: { code: 1, stderr: /error: exists, not deleting per --no-clobber: \.\/out/ },
    after: "test -e out/stray",
  },
  {
    name: "an empty directory is filled",
    before: "mkdir out; stat -c %i out > inode",
    args: ["--no-clobber", "in.sqfs", "./out"],
    expected: { code: 0, stderr: /^using empty directory: \.\/out$/m },
    after: 'test -e out/bin/busybox; test "$(stat -c %i out)" = "$(cat inode)"',
  },
  {
    name: "a symlink to an image directory is replaced, not its target",
    before: "mkdir -p else/bin else/dev else/usr; echo mine > else/stray; ln -s else out",
    args: ["in.sqfs", "./out"],
    expected: { code: 0 },
    after: "test -d out -a ! -L out -a -e else/stray -a ! -e out/stray",
  },
  {
    name: "a SquashFS is replaced",
    before: "echo old > out.sqfs",
    args: ["./image", "out.sqfs"],
    expected: { code: 0 },
    after: 'test "$(head -c 4 out.sqfs)" = hsqs',
  },
  {
    name: "a SquashFS and --no-clobber",
    before: "echo old > out.sqfs",
    args: ["--no-clobber", "./image", "out.sqfs"],
    expected: { code: 1, stderr: /error: exists, not deleting per --no-clobber: out\.sqfs/ },
    after: 'test "$(cat out.sqfs)" = old',
  },
  {
    name: "a tar and --no-clobber",
    before: "echo old > out.tgz",
    args: ["--no-clobber", "./image", "out.tgz"],
    expected: { code: 1, stderr: /error: exists, not deleting per --no-clobber: out\.tgz/ },
    after: 'test "$(cat out.tgz)" = old',
  },
  {
    name: "a stored image and --no-clobber",
    before: "ch-image import image foo",
    args: ["--no-clobber", "./image", "foo"],
    expected: {
      code: 1,
      stderr: /error: exists in ch-image storage, not deleting per --no-clobber: foo/,
    },
    after: "ch-image list | grep -qx foo",
  },
];
for (const entry of OVERWRITING) {
  test(`ch-convert over ${entry.name}`, async (work) => {
    work.image();
    await work.must(`mksquashfs image in.sqfs -quiet -no-progress; ${entry.before}`);
    expect(await work.run(["ch-convert", ...entry.args]), entry.expected);
    await work.must(entry.after);
  }, "mksquashfs");
}

test(
  "ch-convert never removes what is mounted in an image it replaces",
  async (work) => {
    work.image();
    work.image("out", { "precious/": "" });
    work.tree("mounted", { "mark": "x" });
    await work.must("mksquashfs image in.sqfs -quiet -no-progress");
    await work.must('mount --bind "$1/mounted" "$1/out/precious"', [work.path], { root: true });
    try {
      const result = await work.run(["ch-convert", "in.sqfs", "./out"]);
      expect(result, {
        code: 1,
        stderr:
          /error: can’t delete existing image: \.\/out: something is mounted at \S*\/out\/precious$/m,
      });
      // Found before anything was deleted.
      await work.must("test -e mounted/mark -a -e out/bin/busybox -a -d out/usr -a -d out/mnt/0");
      await work.must('test -z "$(ls -A | grep tmp)"');
    } finally {
      await work.must('umount "$1/out/precious"', [work.path], { root: true });
    }
  },
  "root",
  "mksquashfs",
);

// --- contents

/** An image with something of everything. */
const RICH: Tree = {
  "data/file": "data\n",
  "data/empty": "",
  "data/link": { link: "file" },
  "data/dangling": { link: "../nosuch/at/all" },
  "data/open": { content: "open\n", mode: 0o777 },
  "data/secret": { content: "secret\n", mode: 0o600 },
  "data/dir/deep/er/leaf": "leaf\n",
  "data/sp ace\nnew": "odd\n",
  "data/.dot": "dot\n",
  "ch/environment": "A=1\n",
  "ch/git": "cache\n",
  "ch/git.pickle": "cache\n",
};
const ENRICH = "cd image/data; ln file hard; mkdir sticky; chmod 1777 sticky; " +
  "head -c 3000000 /dev/urandom > big; truncate -s 2000000 hole; printf x >> hole; " +
  'touch "$(printf "byte\\377")"; touch -d "2001-02-03 04:05:06" file; touch -d "1999-09-09" dir';

/** Names, types, modes, sizes, link targets, link counts and times below $1, without our additions. */
const LOOK = 'cd "$1"; find . -path ./ch -prune -o -path "./mnt*" -prune -o ! -path . ' +
  '-printf "%P %y %m %s %l %n\\n" | sed -E "s/ d ([0-9]+) .*/ d \\1/" | sort';

const ROUTES: readonly (readonly string[])[] = [
  ["out.sqfs", "./back"],
  ["out.tar.gz", "./back"],
  ["out.tgz", "./back"],
  ["foo", "./back"],
  ["out.sqfs", "out.tgz", "./back"],
  ["out.tgz", "out.sqfs", "./back"],
  ["foo", "out.sqfs", "./back"],
  ["foo", "out.tgz", "foo2", "./back"],
  ["out.sqfs", "foo", "./back"],
];
for (const route of ROUTES) {
  test(`ch-convert ./image ${route.join(" ")} keeps the tree`, async (work) => {
    work.image("image", RICH);
    await work.must(ENRICH);
    const stored = route.some((name) => name.startsWith("foo"));
    // Storage refuses FIFOs in a directory, and makes absolute links of an archive relative.
    if (!stored) await work.must("mkfifo image/data/fifo; ln -s /no/such image/data/absolute");
    let from = "./image";
    for (const to of route) {
      expect(await work.run(["ch-convert", from, to]), { code: 0, stderr: /^done$/m });
      from = to;
    }
    // Hard links may be split on the way through storage.
    const look = stored ? LOOK.replace(" %n", "") : LOOK;
    const env = { LC_ALL: "C" };
    const before = await work.must(look, ["image"], { env });
    const after = await work.must(look, ["back"], { env });
    assert.equal(after, before);
    await work.must("cmp image/data/big back/data/big; cmp image/data/hole back/data/hole");
    assert.equal(
      await work.must("stat -c %Y back/data/file back/data/dir"),
      await work.must("stat -c %Y image/data/file image/data/dir"),
    );
    await work.must("test ! -e back/ch/git -a ! -e back/ch/git.pickle");
    // Storage makes this file anew from the metadata, of which there are none here.
    if (!stored) await work.must('test "$(cat back/ch/environment)" = A=1');
    expect(await work.run(["ch-run", "./back", "--", "cat", "/data/file"]), {
      code: 0,
      stdout: "data\n",
    });
  });
}

test(
  "ch-convert makes a SquashFS that unsquashfs, squashfuse and the kernel's rules accept",
  async (work) => {
    work.image("image", RICH);
    await work.must(ENRICH);
    expect(await work.run(["ch-convert", "./image", "out.sqfs"]), {
      code: 0,
      stderr: /^packing \.\.\.$/m,
    });
    const list = await work.must("unsquashfs -lln out.sqfs");
    for (const line of list.split("\n").filter((line) => / squashfs-root/.test(line))) {
      assert.match(line, /^\S+ +0\/0 /, "not owned by root");
    }
    for (const name of ["mnt/0", "mnt/9", "proc", "sys", "tmp", "etc/hosts", "etc/resolv.conf"]) {
      assert.ok(list.includes(` squashfs-root/${name}\n`), name);
    }
    assert.ok(!list.includes("ch/git"));
    assert.match(await work.must("unsquashfs -s out.sqfs"), /Block size 65536/);
    await work.must(
      "unsquashfs -d back out.sqfs >/dev/null; cmp image/data/big back/data/big; cmp image/data/hole back/data/hole",
    );
  },
  "unsquashfs",
);

test(
  "ch-convert's SquashFS mounts with squashfuse",
  async (work) => {
    work.image("image", RICH);
    await work.must(ENRICH);
    await work.must("ch-convert ./image out.sqfs; mkdir m");
    await work.must(
      'cd "$1"; squashfuse out.sqfs m; cmp image/data/big m/data/big; test "$(readlink m/data/link)" = file; umount m',
      [work.path],
      { root: true },
    );
  },
  "squashfuse",
  "root",
);

test("ch-convert's SquashFS mounts with the kernel's driver", async (work) => {
  work.image("image", RICH);
  await work.must(ENRICH);
  await work.must("ch-convert ./image out.sqfs; mkdir m");
  const result = await work.sh('cd "$1"; mount -o loop,ro -t squashfs out.sqfs m', [work.path], {
    root: true,
  });
  // A kernel without SquashFS or loop devices says so; squashfuse has been tried then.
  if (result.code !== 0) return assert.match(result.stderr, /unknown filesystem|loop|failed/);
  await work.must(
    'cd "$1"; cmp image/data/big m/data/big; ls -lR m > list; umount m',
    [work.path],
    { root: true },
  );
}, "root");

test("ch-convert packs the same directory twice to the same bytes", async (work) => {
  work.image("image", RICH);
  await work.must(`${ENRICH}; rmdir sticky; cd ../..; rmdir image/proc`);
  await work.must(
    "ch-convert ./image one.sqfs; sleep 1.1; ch-convert ./image two.sqfs; cmp one.sqfs two.sqfs",
  );
  await work.must("test ! -e image/proc");
});

test("ch-convert leaves its input alone", async (work) => {
  work.tree("image", { "bin/x": "", "usr/": "", "dev/": "" });
  const look = "find image -printf '%p %y %m %s %T@ %C@\\n' | sort";
  const before = await work.must(look);
  await work.must(
    "ch-convert ./image out.sqfs; ch-convert ./image out.tgz; ch-convert ./image foo",
  );
  assert.equal(await work.must(look), before);
});

test("ch-convert makes a tar whose members begin with ./", async (work) => {
  work.image("image", RICH);
  await work.must("ch-convert ./image out.tar.gz");
  const names = (await work.must("tar -tzf out.tar.gz --quoting-style=escape")).trim().split("\n");
  assert.equal(names[0], "./");
  assert.deepEqual(names.filter((name) => !name.startsWith("./")), []);
  assert.ok(!names.some((name) => name.startsWith("./ch/git")));
});

test("ch-convert keeps a dangling resolv.conf", async (work) => {
  const image = work.image();
  await work.must('rm "$1/etc/resolv.conf"; ln -s ../run/nosuch "$1/etc/resolv.conf"', [image]);
  for (
    const [from, to] of [["./image", "a.sqfs"], ["a.sqfs", "./b"], ["./b", "c.tgz"], [
      "c.tgz",
      "./d",
    ]]
  ) {
    expect(await work.run(["ch-convert", from as string, to as string]), { code: 0 });
  }
  await work.must(
    'test "$(readlink b/etc/resolv.conf)" = ../run/nosuch -a "$(readlink d/etc/resolv.conf)" = ../run/nosuch',
  );
});

test("ch-convert makes directories writable and keeps modes under any umask", async (work) => {
  work.image("image", { "closed/x": "x", "open/": "", "file": { content: "x", mode: 0o777 } });
  await work.must(
    "chmod 555 image/closed; chmod 1777 image/open; mksquashfs image in.sqfs -quiet -no-progress; tar -C image -cf in.tar .; chmod 755 image/closed",
  );
  for (const input of ["in.sqfs", "in.tar"]) {
    await work.must(`umask 077; rm -rf out; ch-convert ${input} ./out`);
    assert.equal(
      await work.must("stat -c %a out/closed out/open out/file"),
      "755\n1777\n777\n",
      input,
    );
  }
}, "mksquashfs");

for (
  const [suffix, pack] of [
    ["tar", "cat"],
    ["tar.gz", "gzip"],
    ["tgz", "gzip"],
    ["tar.xz", "xz"],
    ["tar.zst", "zstd -q"],
    ["tar.bz2", "bzip2"],
  ]
) {
  test(`ch-convert -i tar reads .${suffix}`, async (work) => {
    work.image("image", RICH);
    await work.must(
      `tar -C image -cf - . | ${pack} > in.${suffix}; ch-convert -i tar in.${suffix} ./out`,
    );
    assert.equal(
      await work.must(LOOK, ["out"], { env: { LC_ALL: "C" } }),
      await work.must(LOOK, ["image"], { env: { LC_ALL: "C" } }),
    );
  });
}

for (const prefix of ["image", "./image", "/image", "im*g[1]"]) {
  test(`ch-convert unwraps a tar whose single top directory is ${prefix}`, async (work) => {
    const names: readonly Member[] = [
      { name: `${prefix}/`, type: "5" },
      { name: `${prefix}/hello`, data: "hello\n" },
      { name: `${prefix}/dev/`, type: "5" },
      { name: `${prefix}/dev/null`, type: "3" },
      { name: `${prefix}/dev/pts/x`, data: "x" },
      { name: `${prefix}/mnt/dev/keep`, data: "x" },
    ];
    Deno.writeFileSync(`${work.path}/in.tar`, makeTar(names));
    expect(await work.run(["ch-convert", "in.tar", "./out"]), { code: 0 });
    await work.must(
      'test "$(cat out/hello)" = hello -a -z "$(ls -A out/dev)" -a -e out/mnt/dev/keep',
    );
  });
}

test("ch-convert does not unwrap a tarbomb", async (work) => {
  Deno.writeFileSync(
    `${work.path}/in.tar`,
    makeTar([{ name: "img/hello", data: "x" }, { name: "zz", data: "x" }]),
  );
  expect(await work.run(["ch-convert", "in.tar", "./out"]), { code: 0 });
  await work.must("test -e out/img/hello -a -e out/zz");
});

test("ch-convert fails on truncated input and leaves no output that looks whole", async (work) => {
  work.image("image", { "big": "x".repeat(1_000_000) });
  await work.must(
    "tar -C image -cf full.tar .; gzip -k full.tar; mksquashfs image full.sqfs -quiet -no-progress; " +
      "for f in full.tar full.tar.gz full.sqfs; do head -c $(($(stat -c %s $f) * 6 / 10)) $f > cut${f#full}; done",
  );
  for (const input of ["cut.tar", "cut.tar.gz", "cut.sqfs"]) {
    for (
      const output of input === "cut.sqfs"
        ? ["./out", "foo", "out.tgz"]
        : ["./out", "foo", "out.sqfs"]
    ) {
      const result = await work.run(["ch-convert", input, output]);
      expect(result, { code: 1, stderr: /^error: /m });
      assert.ok(!exists(`${work.path}/${output}`) || output === "./out", `${input} ${output} left`);
    }
  }
  expect(await work.run(["ch-image", "list"]), { code: 0, stdout: "" });
}, "mksquashfs");

test("ch-convert fails on an unreadable file and leaves no output", async (work) => {
  const image = work.image("image", { "secret": { content: "x", mode: 0 } });
  for (const output of ["out.sqfs", "out.tgz"]) {
    const result = await work.run(["ch-convert", image, output]);
    expect(result, { code: 1, stderr: /error: .*secret.*Permission denied/ });
    assert.ok(!exists(`${work.path}/${output}`), output);
  }
});

test("ch-convert -q says nothing on success", async (work) => {
  work.image();
  expect(await work.run(["ch-convert", "-q", "./image", "out.sqfs"]), {
    code: 0,
    stdout: "",
    stderr: "",
  });
  expect(await work.run(["ch-convert", "-q", "out.sqfs", "./out"]), {
    code: 0,
    stdout: "",
    stderr: "",
  });
});

test("ch-convert shows on a terminal how far it is, and nowhere else", async (work) => {
  work.image();
  await work.must("head -c 20000000 /dev/urandom > image/random; tar -C image -cf in.tar .");
  const routes: readonly (readonly [string, string, RegExp])[] = [
    ["./image", "out.sqfs", /^packing \.\.\.\r\n(\rpacking: \d+\.\d MiB)+\r\ndone/m],
    ["out.sqfs", "./out", /^(\runpacking: \d+\.\d MiB)+\r\ndone/m],
    [
      "in.tar",
      "out2.sqfs",
      /^packing \.\.\.\r\n(\rpacking: \d+\.\d\/(\d+\.\d) MiB \(\d+%\))*\rpacking: (\d+\.\d)\/\3 MiB \(100%\)\r\ndone/m,
    ],
  ];
  for (const [from, to, wanted] of routes) {
    const { stdout } = await work.run(["script", "-qec", `ch-convert ${from} ${to}`, "/dev/null"]);
    // deno-lint-ignore no-control-regex
    const plain = stdout.replaceAll(/\x1b\[[\d;]*m/g, "");
    assert.match(plain, wanted);
    const second = `./second-${to.replace("./", "")}`;
    const command = `ch-convert -q ${from} ${second}`;
    assert.equal((await work.run(["script", "-qec", command, "/dev/null"])).stdout, "");
    const { stderr } = await work.run(["ch-convert", from, second]);
    assert.doesNotMatch(stderr, /MiB|\r/);
  }
});

test("ch-convert into storage and out of it, by reference", async (work) => {
  work.image();
  await work.must("ch-convert ./image example.com:5000/a/b:c");
  expect(await work.run(["ch-image", "list"]), { code: 0, stdout: "example.com:5000/a/b:c\n" });
  assert.ok(exists(`${work.path}/storage/img/example.com+5000%a%b+c`));
  expect(await work.run(["ch-convert", "-s", `${work.path}/other`, "./image", "foo"]), { code: 0 });
  expect(await work.run(["ch-image", "-s", `${work.path}/other`, "list"]), { stdout: "foo\n" });
  expect(await work.run(["ch-convert", "-s", `${work.path}/other`, "foo", "out.sqfs"]), {
    code: 0,
  });
  expect(await work.run(["ch-convert", "foo", "out2.sqfs"]), {
    code: 1,
    stderr: /source image not found in ch-image storage: foo/,
  });
  // Another name than "foo".
  const tagged = ["ch-convert", "-s", `${work.path}/other`, "foo:latest", "out2.sqfs"];
  expect(await work.run(tagged), {
    code: 1,
    stderr: /source image not found in ch-image storage: foo:latest/,
  });
});

test("ch-convert puts images into the build cache, as ch-image import does", async (work) => {
  work.image();
  await work.must("ch-convert ./image foo; ch-convert ./image t.tgz; ch-convert t.tgz bar");
  const tree = await work.must("ch-image build-cache --tree");
  assert.match(tree, /\(foo\) IMPORT foo/);
  assert.match(tree, /\(bar\) IMPORT bar/);
  await work.must("ch-convert ./image baz", [], { env: { CH_IMAGE_CACHE: "disabled" } });
  assert.doesNotMatch(await work.must("ch-image build-cache --tree"), /baz/);
  const wrong = await work.run(["ch-convert", "./image", "qux"], { env: { CH_IMAGE_CACHE: "x" } });
  expect(wrong, { code: 1, stderr: /^error: \$CH_IMAGE_CACHE: invalid build cache mode: x$/m });
  assert.deepEqual(listTemporary(work), []);
});

test("ch-convert needs no other program", async (work) => {
  work.image();
  await work.must(
    "strace -f -qq -o trace -e trace=execve,execveat ch-convert ./image out.sqfs; " +
      "strace -f -qq -o trace2 -e trace=execve,execveat ch-convert out.sqfs foo",
  );
  for (const trace of ["trace", "trace2"]) {
    const executed = Deno.readTextFileSync(`${work.path}/${trace}`).match(/exec\w+\(.* = 0$/gm) ??
      [];
    assert.equal(executed.length, 1, executed.join("\n"));
  }
}, "strace");

test("ch-convert keeps its temporary directory only if it failed at work", async (work) => {
  work.image();
  await work.must("tar -C image -cf full.tar .; head -c 100000 full.tar > cut.tar");
  for (const words of [["./nosuch", "x.sqfs"], ["x.sqfs", "y.sqfs"], ["./image", "./no/x"]]) {
    expect(await work.run(["ch-convert", ...words]), { code: 1 });
    assert.deepEqual(listTemporary(work), []);
  }
  const { code, stderr } = await work.run(["ch-convert", "-v", "cut.tar", "./out"]);
  assert.equal(code, 1, stderr);
  const [left, ...others] = listTemporary(work);
  assert.deepEqual(others, []);
  assert.match(left ?? "", /^ch-convert\.\w{6}$/);
  assert.ok(stderr.includes(`\ntemp dir: ${work.path}/home/tmp/${left}\n`), stderr);
  assert.equal(await work.must(`stat -c %a home/tmp/${left}`), "700\n");
});

test("ch-convert --tmp is empty afterwards", async (work) => {
  work.image();
  work.tree("scratch", {});
  const tmp = ["--tmp", `${work.path}/scratch`];
  expect(await work.run(["ch-convert", ...tmp, "./image", "out.sqfs"]), { code: 0 });
  expect(await work.run(["ch-convert", ...tmp, "out.sqfs", "out.tgz"]), { code: 0 });
  expect(await work.run(["ch-convert", ...tmp, "--no-clobber", "./image", "out.sqfs"]), {
    code: 1,
  });
  await work.must('test -z "$(ls -A scratch)"');
});

for (const compression of ["gzip", "xz", "zstd", "lz4", "lzo"]) {
  test(`ch-convert reads mksquashfs' ${compression}`, async (work) => {
    work.image("image", RICH);
    await work.must(
      `${ENRICH}; cd ../..; mksquashfs image in.sqfs -comp ${compression} -quiet -no-progress; ch-convert in.sqfs ./out; cmp image/data/big out/data/big`,
    );
    assert.equal(
      await work.must(LOOK, ["out"], { env: { LC_ALL: "C" } }),
      await work.must(LOOK, ["image"], { env: { LC_ALL: "C" } }),
    );
  }, "mksquashfs");
}

for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
  test(`ch-convert stopped by ${signal} leaves a whole output or none`, async (work) => {
    work.image("image", RICH);
    // What SIGKILL leaves lies in its directory for temporary files, and not in the machine's.
    const scratch = work.tree("scratch", {});
    await work.must(
      "head -c 30000000 /dev/urandom > image/data/random; tar -C image -czf in.tgz .",
    );
    for (
      const [from, to] of [["./image", "out.sqfs"], ["in.tgz", "./out"], ["./image", "out.tgz"]]
    ) {
      for (const milliseconds of [60, 120, 200, 300, 450]) {
        const child = work.spawn(["ch-convert", "--tmp", scratch, from as string, to as string]);
        await new Promise((done) => setTimeout(done, milliseconds));
        try {
          Deno.kill(child.pid, signal);
        } catch (error) {
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        }
        const { code, signal: killedBy } = await child.output();
        const isThere = exists(`${work.path}/${to}`);
        // It is killed by the signal itself before it has begun, or when it was through.
        if (killedBy === null) assert.equal(isThere, code === 0, `${to}, status ${code}`);
        if (isThere) await work.must(CHECKS[to as string] as string);
        if (signal !== "SIGKILL") {
          assert.equal(
            await work.must("ls -A -I scratch"),
            isThere ? `home\nimage\nin.tgz\n${to?.replace("./", "")}\n` : "home\nimage\nin.tgz\n",
          );
        }
        await work.must("rm -rf out out.sqfs out.tgz scratch/*");
      }
    }
    await work.must(`ch-convert ./image out.sqfs; ${CHECKS["out.sqfs"]}`);
  }, "unsquashfs");
}

/** Whether an output is whole. */
const CHECKS: Readonly<Record<string, string>> = {
  "out.sqfs":
    "unsquashfs -quiet -no-progress -d back out.sqfs; cmp image/data/random back/data/random; rm -rf back",
  "./out": "cmp image/data/random out/data/random",
  "out.tgz": "gzip -t out.tgz",
};

test("ch-convert and ch-image import take paths that are not UTF-8", async (work) => {
  work.image();
  const script =
    'd="$(printf "d\\377")"; mkdir "$d"; mv image "$d/i"; ch-convert "./$d/i" "$d/o.sqfs"; ' +
    'ch-convert "$d/o.sqfs" "./$d/p"; ch-convert "./$d/p" "$d/q.tgz"; ch-image import "$d/q.tgz" foo; ' +
    'ch-image import "$d/p" bar; ch-run foo -- true; ch-run bar -- echo done';
  assert.match(await work.must(script), /done\n$/);
});

for (
  const [input, output] of [
    ["./image", "out.sqfs"],
    ["./image", "out.tgz"],
    ["./image", "foo"],
    ["in.tgz", "./out"],
  ] as const
) {
  test(`ch-convert ${input} ${output} on a full disk`, async (work) => {
    work.image("image", RICH);
    work.tree("full", {});
    await work.must("head -c 6000000 /dev/urandom > image/data/random; tar -C image -czf in.tgz .");
    await work.must('mount -t tmpfs -o size=3m,mode=1777 none "$1/full"', [work.path], {
      root: true,
    });
    try {
      const from = `${work.path}/${input}`;
      const result = await work.run(
        ["ch-convert", "-i", input === "in.tgz" ? "tar" : "dir", from, output],
        { cwd: `${work.path}/full`, env: { CH_IMAGE_STORAGE: `${work.path}/full/storage` } },
      );
      expect(result, { code: 1, stderr: /^error: [^]*No space left on device/m });
      await work.must('test -z "$(ls -A full | grep -v ^storage)" -a ! -e full/storage/img/foo');
    } finally {
      await work.must('umount "$1/full"', [work.path], { root: true });
    }
  }, "root");
}

// --- extended attributes

const XATTRS = "setfattr -n user.foo -v bar image/data/file; setfacl -m u:1:r image/data/file";
const READ_XATTRS =
  '{ getfattr -n user.foo --only-values out/data/file 2>/dev/null || true; }; getfacl -n out/data/file | grep -c "^user:1:" || true';

for (
  const [how, options, env, kept] of [
    ["--xattrs", ["--xattrs"], {}, "bar1\n"],
    ["CH_XATTRS=1", [], { CH_XATTRS: "1" }, "bar1\n"],
    ["CH_XATTRS=1 --no-xattrs", ["--no-xattrs"], { CH_XATTRS: "1" }, "0\n"],
    ["CH_XATTRS=", [], { CH_XATTRS: "" }, "0\n"],
    ["nothing", [], {}, "0\n"],
  ] as const
) {
  test(
    `ch-convert with ${how} through tar`,
    async (work) => {
      work.image("image", RICH);
      await work.must(XATTRS);
      for (const words of [["./image", "out.tgz"], ["out.tgz", "./out"]]) {
        expect(await work.run(["ch-convert", ...options, ...words], { env }), { code: 0 });
      }
      assert.equal(await work.must(READ_XATTRS), kept);
    },
    "setfattr",
    "setfacl",
  );
}

for (const [options, kept] of [[["--xattrs"], "bar"], [[], ""]] as const) {
  test(`ch-convert ${options.join("") || "without --xattrs"} through SquashFS`, async (work) => {
    work.image("image", RICH);
    await work.must("setfattr -n user.foo -v bar image/data/file");
    for (const words of [["./image", "out.sqfs"], ["out.sqfs", "./out"]]) {
      expect(await work.run(["ch-convert", ...options, ...words]), { code: 0 });
    }
    assert.equal(
      await work.must("getfattr -n user.foo --only-values out/data/file 2>/dev/null || true"),
      kept,
    );
  }, "setfattr");
}

test(
  "ch-convert --xattrs restores no attributes of the system's, even for root",
  async (work) => {
    work.image();
    await work.must(
      `cd "$1"; setfattr -n user.foo -v u image/bin/busybox; setfattr -n trusted.foo -v t image/bin/busybox
       setfattr -n security.foo -v s image/bin/busybox
       tar -C image --xattrs --xattrs-include='*' -czf in.tgz .
       ch-convert --xattrs in.tgz ./out; ch-convert --xattrs in.tgz out.sqfs; ch-convert --xattrs out.sqfs ./out2`,
      [work.path],
      { root: true },
    );
    for (const out of ["out", "out2"]) {
      const names = await work.must(
        `getfattr -d -m - "$1/${out}/bin/busybox" 2>/dev/null`,
        [work.path],
        { root: true },
      );
      assert.match(names, /^user\.foo="u"$/m);
      assert.doesNotMatch(names, /trusted|security\.foo/);
    }
  },
  "root",
  "setfattr",
);

test("ch-convert --xattrs warns for storage", async (work) => {
  work.image();
  expect(await work.run(["ch-convert", "--xattrs", "./image", "foo"]), {
    code: 0,
    stderr: /warning: --xattrs unsupported for out format "ch-image"/,
  });
});
