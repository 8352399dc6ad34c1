// ch-image import, list, delete, gestalt and reset, and the storage directory's promises.

import assert from "node:assert/strict";
import { makeTar, type Member } from "../tar_archive.ts";
import { exists, expect, test, type Workplace } from "../rig.ts";

/** A quoted ’ or ', whichever the locale allows. */
const Q = "[’']";

test("ch-image without arguments prints help on stderr", async (work) => {
  expect(await work.run(["ch-image"]), { code: 1, stdout: "", stderr: /usage: ch-image/i });
});

test("ch-image --help", async (work) => {
  expect(await work.run(["ch-image", "--help"]), { code: 0, stdout: /usage: ch-image[^]*import/i });
  expect(await work.run(["ch-image", "import", "--help"]), {
    code: 0,
    stdout: /usage: ch-image import/i,
  });
});

const WRONG: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["an unknown sub-command", ["nosuch"], /usage:[^]*ch-image: error: /],
  ["an unknown option", ["list", "--nosuch"], /usage:[^]*error: .*--nosuch/],
  ["options but no sub-command", ["-v"], /usage:[^]*ch-image: error: CMD not specified/],
  ["a missing argument", ["import", "x"], /usage:[^]*ch-image import: error: /],
  ["an argument too many", ["import", "x", "y", "z"], /usage:[^]*error: /],
  ["storage-path as sub-command's selector misspelt", ["gestalt", "nosuch"], /usage:[^]*error: /],
];
for (const [name, args, stderr] of WRONG) {
  test(`ch-image refuses ${name} by 2`, async (work) => {
    expect(await work.run(["ch-image", ...args]), { code: 2, stdout: "", stderr });
  });
}

test("ch-image -q -v", async (work) => {
  expect(await work.run(["ch-image", "-q", "-v", "list"]), {
    code: 1,
    stderr: /error: .--quiet. incompatible with .--verbose.[^]*error: 1 incompatible option pair/,
  });
});

test("ch-image: options after the sub-command win", async (work) => {
  expect(await work.run(["ch-image", "-vv", "list", "-v"]), {
    code: 0,
    stderr: /verbose level: 1 /,
  });
});

test("ch-image without USER", async (work) => {
  const result = await work.run(["ch-image", "list"], { env: { USER: undefined } });
  // Falling back to the passwd database is allowed.
  if (result.code !== 0) {
    expect(result, {
      code: 1,
      stderr: new RegExp(`error: can${Q}t get username: \\$USER not set`),
    });
  }
});

test("ch-image gestalt storage-path", async (work) => {
  const ask = ["ch-image", "gestalt", "storage-path"];
  expect(await work.run(ask), { code: 0, stdout: `${work.path}/storage\n` });
  expect(await work.run(["ch-image", "-s", `${work.path}/other`, "gestalt", "storage-path"]), {
    code: 0,
    stdout: `${work.path}/other\n`,
  });
  expect(await work.run(ask, { env: { CH_IMAGE_STORAGE: undefined, USER: "someone" } }), {
    code: 0,
    stdout: "/var/tmp/someone.ch\n",
  });
  assert.ok(!exists(`${work.path}/storage`) && !exists(`${work.path}/other`), "storage was made");
});

test("ch-image gestalt logging", async (work) => {
  expect(await work.run(["ch-image", "gestalt", "logging", "-qqq"]), {
    code: 0,
    stdout: "",
    stderr: "error: error\n",
  });
  expect(await work.run(["ch-image", "gestalt", "logging", "--fail"]), {
    code: 1,
    stderr:
      /warning: reprinting 1 warning\(s\)\nwarning: warning\nerror: the program failed inexplicably/,
  });
  const { stderr } = await work.run(["ch-image", "gestalt", "logging"], {
    env: { CH_LOG_FESTOON: "" },
  });
  assert.match(stderr, /^ *\d+ \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3} {2}info$/m);
});

test("ch-image logs without escape sequences where there is no terminal", async (work) => {
  const { stderr } = await work.run(["ch-image", "gestalt", "logging", "-vvv"]);
  assert.ok(!stderr.includes("\x1b"));
});

// --- storage

test("ch-image refuses a relative CH_IMAGE_STORAGE", async (work) => {
  for (const [value, shown] of [["rel", "rel"], ["", "\\."]]) {
    expect(await work.run(["ch-image", "list"], { env: { CH_IMAGE_STORAGE: value as string } }), {
      code: 1,
      stderr: new RegExp(`error: \\$CH_IMAGE_STORAGE: not absolute path: ${shown}`),
    });
  }
});

test("ch-image list makes a missing storage directory", async (work) => {
  expect(await work.run(["ch-image", "list"]), {
    code: 0,
    stdout: "",
    stderr: /initializing storage directory: v\d+ .*\/storage/,
  });
  expect(await work.run(["ch-image", "list"]), { code: 0, stdout: "", stderr: "" });
  for (const name of ["version", "img", "dlcache", "ulcache"]) {
    assert.ok(exists(`${work.path}/storage/${name}`), name);
  }
});

const BROKEN: readonly (readonly [string, string, RegExp])[] = [
  [
    "an empty directory",
    "mkdir storage",
    /error: storage directory seems invalid: .*storage\nhint: let Charliecloud create storage/,
  ],
  [
    "a file",
    "touch storage",
    new RegExp(`error: can${Q}t mkdir: exists and not a directory: .*storage`),
  ],
  [
    "a parent that is missing",
    "ln -s nosuch/deep storage",
    /error: /,
  ],
  [
    "an unknown version",
    "ch-image list 2>&1; echo 99 > storage/version",
    /error: incompatible storage directory v99: .*storage\nhint: you can delete and re-initialize with .ch-image reset./,
  ],
  [
    "a version that is no number",
    "ch-image list 2>&1; echo seven > storage/version",
    /error: malformed storage version: "seven"/,
  ],
  [
    "an unknown file",
    "ch-image list 2>&1; touch storage/zzz storage/aaa",
    /error: invalid storage directory: extraneous file\(s\): aaa zzz/,
  ],
  [
    "a missing directory",
    "ch-image list 2>&1; rmdir storage/ulcache",
    /error: invalid storage directory: missing file or directory: ulcache/,
  ],
];
for (const [name, before, stderr] of BROKEN) {
  test(`ch-image refuses as storage: ${name}`, async (work) => {
    await work.must(before);
    expect(await work.run(["ch-image", "list"]), { code: 1, stdout: "", stderr });
  });
}

test("ch-image removes partial downloads with a warning", async (work) => {
  await work.must("ch-image list 2>&1; touch storage/dlcache/part_x");
  expect(await work.run(["ch-image", "list"]), {
    code: 0,
    stderr: /warning: deleted 1 partially downloaded files/,
  });
  assert.ok(!exists(`${work.path}/storage/dlcache/part_x`));
});

test("ch-image: a storage that a build uses can be used, but not reset", async (work) => {
  const image = work.image();
  await work.must('ch-image import "$1" base', [image]);
  work.tree("context", { "Dockerfile": "FROM base\nRUN touch /tmp/ch-test-started; sleep 3\n" });
  await work.must("rm -f /tmp/ch-test-started");
  const build = work.run(["ch-image", "build", "-t", "x", "context"]);
  await work.must(
    "for n in $(seq 100); do test -e /tmp/ch-test-started && break; sleep 0.1; done; rm /tmp/ch-test-started",
  );
  expect(await work.run(["ch-image", "reset"]), {
    code: 1,
    stderr: /error: storage directory is already in use\nhint: wait until the other/,
  });
  expect(await work.run(["ch-image", "import", image, "y"]), { code: 0 });
  expect(await work.run(["ch-image", "list"]), { code: 0, stdout: "base\ny\n" });
  expect(await work.run(["ch-image", "--no-lock", "list"]), { code: 0, stdout: /^base$/m });
  expect(await work.run(["ch-image", "gestalt", "storage-path"]), { code: 0 });
  expect(await build, { code: 0 });
});

test("ch-image reset", async (work) => {
  await importImage(work, "foo");
  await work.must("echo 99 > storage/version");
  expect(await work.run(["ch-image", "reset"]), {
    code: 0,
    stderr: /initializing storage directory/,
  });
  expect(await work.run(["ch-image", "list"]), { code: 0, stdout: "" });
});

test("ch-image reset refuses what is no storage", async (work) => {
  work.tree("storage", { "precious": "x" });
  expect(await work.run(["ch-image", "reset"]), {
    code: 1,
    stderr: /error: .*storage not a builder storage/,
  });
  assert.ok(exists(`${work.path}/storage/precious`));
  expect(await work.run(["ch-image", "-s", "nosuch", "reset"]), {
    code: 1,
    stderr: /not a builder storage/,
  });
});

test("ch-image storage can be moved", async (work) => {
  await importImage(work, "foo");
  await work.must("mv storage moved");
  expect(await work.run(["ch-image", "-s", "moved", "list"]), { code: 0, stdout: "foo\n" });
  expect(await work.run(["ch-run", "-s", "moved", "foo", "--", "echo", "hi"]), {
    code: 0,
    stdout: "hi\n",
  });
});

// --- references

const REFERENCES: readonly (readonly [string, RegExp])[] = [
  ["a/b:T@g", /error: image ref syntax, char 6: a\/b:T@g/],
  ["name*", /image ref syntax, char 5: /],
  ["/a", /image ref syntax, char 1: /],
  ["a//b", /image ref syntax, char 3: /],
  ["host.com:/p/n", /image ref syntax, char 10: /],
  ["x:1:2", /image ref syntax, char 4: /],
  ["a:", /image ref syntax, at end: /],
  ["a/", /image ref syntax, at end: /],
  ["Name", /image ref syntax, at end: /],
  ["", /image ref syntax, at end: /],
  [".", /error: /],
  ["..", /error: /],
];
for (const [reference, stderr] of REFERENCES) {
  test(`ch-image import refuses the reference "${reference}"`, async (work) => {
    const image = work.image();
    const result = await work.run(["ch-image", "import", image, reference]);
    expect(result, { code: 1, stderr });
    await work.must('test -z "$(ls storage/img 2>/dev/null)"');
  });
}

// --- import, list, delete

/** Imports a small image under a name. */
async function importImage(work: Workplace, name: string): Promise<void> {
  const image = exists(`${work.path}/image`) ? `${work.path}/image` : work.image();
  await work.must('ch-image import "$1" "$2"', [image, name]);
}

test("ch-image import and list name images as given", async (work) => {
  const names = ["example.com:5000/a/b:c", "foo", "foo:latest", "root", "-x", "a.lock", "a..b"];
  for (const name of names.filter((name) => !name.startsWith("-"))) await importImage(work, name);
  await work.must("ch-image import -- image -x");
  const { stdout } = await work.run(["ch-image", "list"]);
  assert.deepEqual(stdout.trim().split("\n").sort(), names.sort());
  assert.ok(exists(`${work.path}/storage/img/example.com+5000%a%b+c`));
});

test("ch-image list sorts by stored name", async (work) => {
  for (const name of ["b", "a/z", "a", "a:1", "c.d/e"]) await importImage(work, name);
  const stored = [...Deno.readDirSync(`${work.path}/storage/img`)].map((entry) => entry.name)
    .sort();
  const { stdout } = await work.run(["ch-image", "list"]);
  assert.deepEqual(
    stdout.trim().split("\n"),
    stored.map((name) => name.replaceAll("%", "/").replaceAll("+", ":")),
  );
});

test("ch-image list -l tells when an image changed", async (work) => {
  await importImage(work, "foo");
  await importImage(work, "longer");
  expect(await work.run(["ch-image", "list", "-l"]), {
    code: 0,
    stdout: /^foo {4}\| \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\nlonger \| /,
  });
});

test("ch-image import tells what it does and completes the image", async (work) => {
  const image = work.tree("image", { "bin/x": "x", "hello": "hello\n" });
  expect(await work.run(["ch-image", "import", image, "foo"]), {
    code: 0,
    stdout: "",
    stderr: /importing: {4}\/.*image\ndestination: {2}foo\n[^]*done\n/,
  });
  const stored = `${work.path}/storage/img/foo`;
  for (
    const name of [
      "dev",
      "etc",
      "mnt/9",
      "proc",
      "sys",
      "tmp",
      "usr",
      "ch/environment",
      "ch/metadata.json",
      "etc/hosts",
      "etc/resolv.conf",
    ]
  ) {
    assert.ok(exists(`${stored}/${name}`), name);
  }
  assert.ok(!exists(`${image}/dev`), "the source was changed");
  const metadata = JSON.parse(Deno.readTextFileSync(`${stored}/ch/metadata.json`));
  assert.equal(metadata.arch, "amd64");
  assert.deepEqual(metadata.history, [{ command: "ch-image import", empty_layer: false }]);
});

test("ch-image import keeps the metadata of an image that has it", async (work) => {
  work.image("image", {
    "ch/metadata.json":
      '{"arch":"amd64","cwd":"/w","env":{"A":"b c"},"history":[{"created_by":"x"}],' +
      '"labels":{"l":"1"},"shell":["/bin/sh","-c"],"volumes":[],"mine":1}',
  });
  await importImage(work, "foo");
  const text = Deno.readTextFileSync(`${work.path}/storage/img/foo/ch/metadata.json`);
  const metadata = JSON.parse(text);
  assert.equal(metadata.mine, 1);
  assert.equal(metadata.cwd, "/w");
  assert.equal(metadata.history.length, 1);
  assert.ok("arg" in metadata);
});

test(
  "ch-image import copies modes, times, links, odd names and leaves out device nodes",
  async (work) => {
    work.image("image", {
      "data/file": "x",
      "data/sub/": "",
      "data/link": { link: "/etc/passwd" },
    });
    await work.must(
      'cd image/data; chmod 640 file; chmod 1777 sub; touch -d "2001-02-03 04:05:06" file; ' +
        'ln file hard; touch "$(printf "n\\377\\n x")"',
    );
    await work.must('mknod "$1/image/data/device" c 1 3', [work.path], { root: true });
    const result = await work.run(["ch-image", "import", "image", "foo"]);
    expect(result, { code: 0, stderr: /warning: / });
    const [from, to] = await Promise.all(
      ["image", "storage/img/foo"].map((path) =>
        work.must('cd "$1/data"; stat -c "%a %Y %N" file sub link n*', [path])
      ),
    );
    assert.equal(to, from);
    assert.ok(!exists(`${work.path}/storage/img/foo/data/device`));
  },
  "root",
);

test("ch-image import refuses a directory with a FIFO", async (work) => {
  work.image();
  await work.must("mkfifo image/fifo");
  expect(await work.run(["ch-image", "import", "image", "foo"], { limit: 10_000 }), {
    code: 1,
    stderr: /^error: can.t copy data.*fifo/m,
  });
  expect(await work.run(["ch-image", "list"]), { code: 0, stdout: "" });
});

test("ch-image import of a directory never opens a device node", async (work) => {
  work.image();
  await work.must('mknod "$1/image/dev/zero" c 1 5; mknod "$1/image/dev/full" c 1 7', [work.path], {
    root: true,
  });
  const words = ["ch-image", "import", "image", "foo"];
  expect(await work.run(words, { limit: 20_000 }), { code: 0, stderr: /warning: / });
  const env = { CH_IMAGE_STORAGE: `${work.path}/root-storage` };
  expect(await work.run(words, { root: true, limit: 20_000, env }), { code: 0 });
}, "root");

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
  test(`ch-image import reads .${suffix}`, async (work) => {
    const image = work.image("image", { "data": "data\n" });
    await work.must(`tar -C image -cf - . | ${pack} > image.${suffix}`);
    expect(await work.run(["ch-image", "import", `image.${suffix}`, "foo"]), { code: 0 });
    expect(await work.run(["ch-run", "foo", "--", "cat", "/data"]), { code: 0, stdout: "data\n" });
    const list =
      'cd "$1"; find . ! -path "./ch*" ! -path "./mnt/*" -printf "%P %y %m %l\\n" | sort';
    const stored = await work.must(list, ["storage/img/foo"]);
    for (
      const line of (await work.must(list, [image])).split("\n").filter((line) =>
        line !== " d 755 "
      )
    ) {
      assert.ok(stored.split("\n").includes(line), line);
    }
  });
}

test("ch-image import takes the compression from the content, not the name", async (work) => {
  work.image("image", { "data": "data\n" });
  await work.must("tar -C image -czf odd.tar .");
  expect(await work.run(["ch-image", "import", "odd.tar", "foo"]), { code: 0 });
});

test("ch-image import strips a single enclosing directory, but not bin", async (work) => {
  work.image("outer/image", { "data": "data\n" });
  await work.must("tar -C outer -cf one.tar image; tar -C outer/image -cf bin.tar bin");
  await work.must("ch-image import one.tar one; ch-image import bin.tar bin");
  expect(await work.run(["ch-run", "one", "--", "cat", "/data"]), { code: 0, stdout: "data\n" });
  assert.ok(exists(`${work.path}/storage/img/bin/bin/busybox`));
});

test("ch-image import of a wrong file keeps the image of that name", async (work) => {
  await importImage(work, "foo");
  await work.must(
    "touch empty.tar; head -c 100000 /dev/urandom > random.tar; tar -C image -cf full.tar .; head -c 1000000 full.tar > cut.tar; gzip < full.tar | head -c 300000 > cut.tar.gz; echo text > text.tar.gz",
  );
  for (
    const file of ["empty.tar", "random.tar", "cut.tar", "cut.tar.gz", "text.tar.gz", "nosuch.tar"]
  ) {
    const result = await work.run(["ch-image", "import", file, "foo"]);
    expect(result, { code: 1, stderr: /^error: /m });
    assert.ok(result.stderr.includes(file), `${file} is not named: ${result.stderr}`);
    expect(await work.run(["ch-run", "foo", "--", "echo", "still"]), {
      code: 0,
      stdout: "still\n",
    });
  }
  expect(await work.run(["ch-image", "list"]), { code: 0, stdout: "foo\n", stderr: "" });
  await work.must('test "$(ls storage/img)" = foo');
});

test("ch-image import of a truncated tar under a new name lists nothing", async (work) => {
  work.image();
  await work.must("tar -C image -czf full.tar.gz .; head -c 400000 full.tar.gz > cut.tar.gz");
  expect(await work.run(["ch-image", "import", "cut.tar.gz", "foo"]), {
    code: 1,
    stderr: /^error: /m,
  });
  expect(await work.run(["ch-image", "list"]), { code: 0, stdout: "" });
});

/** Members that climb, or write through links that lead out; V is the directory to be hit. */
const HOSTILE: Readonly<Record<string, readonly Member[]>> = {
  "names with ..": [{ name: "a/../../../../victim/new", data: "evil" }],
  "names that begin with ..": [{ name: "../../../victim/new", data: "evil" }],
  "absolute names": [{ name: "/tmp/ch-test-escaped", data: "evil" }],
  "a file through an absolute symlink": [
    { name: "out", type: "2", link: "{V}" },
    { name: "out/new", data: "evil" },
  ],
  "a file over one behind a symlink": [
    { name: "out", type: "2", link: "{V}" },
    { name: "out/precious", data: "evil" },
  ],
  "a file through a climbing symlink": [
    { name: "up", type: "2", link: "../../../victim" },
    { name: "up/new", data: "evil" },
  ],
  "a file over a symlink": [
    { name: "leaf", type: "2", link: "{V}/precious" },
    { name: "leaf", data: "evil" },
  ],
  "a hard link to outside": [
    { name: "hard", type: "1", link: "{V}/precious" },
    { name: "hard", data: "evil" },
  ],
  "a hard link with ..": [
    { name: "hard", type: "1", link: "../../../victim/precious" },
    { name: "hard", data: "evil" },
  ],
  "a directory through a symlink": [
    { name: "out", type: "2", link: "{V}" },
    { name: "out/sub/", type: "5" },
  ],
};
for (const [what, members] of Object.entries(HOSTILE)) {
  test(`ch-image import never writes outside the image: ${what}`, async (work) => {
    const victim = work.tree("victim", { "precious": "precious\n" });
    const filled = members.map((member) => ({
      ...member,
      ...(member.link !== undefined && { link: member.link.replace("{V}", victim) }),
    }));
    Deno.writeFileSync(
      `${work.path}/hostile.tar`,
      makeTar([
        ...["bin/", "dev/", "usr/"].map((name) => ({ name, type: "5" as const })),
        ...filled,
      ]),
    );
    const result = await work.run(["ch-image", "import", "hostile.tar", "foo"]);
    if (result.code !== 0) expect(result, { code: 1, stderr: /^error: /m });
    assert.deepEqual([...Deno.readDirSync(victim)].map((entry) => entry.name), ["precious"]);
    assert.equal(Deno.readTextFileSync(`${victim}/precious`), "precious\n");
    assert.ok(!exists("/tmp/ch-test-escaped"));
  });
}

test("ch-image delete", async (work) => {
  for (const name of ["foo", "foo:1", "foo_stage0", "bar"]) await importImage(work, name);
  expect(await work.run(["ch-image", "delete", "foo:1"]), {
    code: 0,
    stderr: /deleting image: foo:1/,
  });
  expect(await work.run(["ch-image", "list"]), { stdout: "bar\nfoo\nfoo_stage0\n" });
  expect(await work.run(["ch-image", "delete", "nosuch", "foo*", "nor[t]his"]), {
    code: 1,
    stderr: new RegExp(
      `error: no matching image, can${Q}t delete: nosuch[^]*error: unable to delete 2 invalid image\\(s\\)`,
    ),
  });
  expect(await work.run(["ch-image", "list"]), { stdout: "bar\n" });
});

test("ch-image delete takes stages along", async (work) => {
  for (const name of ["foo", "foo_stage0", "foo_stage12", "food"]) await importImage(work, name);
  expect(await work.run(["ch-image", "delete", "foo"]), { code: 0 });
  expect(await work.run(["ch-image", "list"]), { stdout: "food\n" });
});

test("ch-image delete of an image with closed directories", async (work) => {
  work.image("image", { "closed/deep/x": "x" });
  await importImage(work, "foo");
  await work.must(
    "chmod 0 storage/img/foo/closed/deep storage/img/foo/closed; rm -rf storage/img/foo/dev",
  );
  expect(await work.run(["ch-image", "delete", "foo"]), { code: 0 });
  expect(await work.run(["ch-image", "list"]), { stdout: "" });
});

test("ch-image import killed at any moment leaves no half image", async (work) => {
  work.image("image");
  await work.must("cp -R image/bin image/more; ch-image list 2>&1");
  for (const milliseconds of [20, 40, 60, 90, 130, 200, 300]) {
    const child = work.spawn(["ch-image", "import", "image", "foo"]);
    await new Promise((done) => setTimeout(done, milliseconds));
    try {
      Deno.kill(-child.pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    await child.output();
    const listed = (await work.must("ch-image list")).trim();
    if (listed === "foo") {
      await work.must("ch-run foo -- test -e /more/busybox -a -e /ch/metadata.json");
    } else assert.equal(listed, "");
    await work.must("ch-image delete foo 2>&1 || true");
  }
  await work.must('ch-image import image foo; ch-run foo -- true; test "$(ls storage/img)" = foo');
});

test("ch-image: commands that need a new storage directory at the same time make one", async (work) => {
  for (let round = 0; round < 3; round++) {
    const storage = `${work.path}/made-${round}`;
    const lists = Array.from({ length: 8 }, () => work.run(["ch-image", "-s", storage, "list"]));
    for (const result of await Promise.all(lists)) expect(result, { code: 0, stdout: "" });
    assert.deepEqual([...Deno.readDirSync(work.path)].filter(({ name }) => /new$/.test(name)), []);
  }
});
