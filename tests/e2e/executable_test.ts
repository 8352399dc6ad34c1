// Properties of the one file: where it runs from, what it starts, what it leaves.

import assert from "node:assert/strict";
import { expect, rig, test, type Workplace } from "../rig.ts";

/** A plain run that must work whatever the surroundings. */
async function checkRun(
  work: Workplace,
  image: string,
  program: string,
  env: Readonly<Record<string, string | undefined>> = {},
): Promise<void> {
  expect(await work.run([program, image, "--", "echo", "hi"], { env }), {
    code: 0,
    stdout: "hi\n",
    stderr: "",
  });
}

test("ch is one ELF file", () => {
  const file = Deno.openSync(`${rig.bin}/ch`);
  const head = new Uint8Array(20);
  file.readSync(head);
  file.close();
  assert.deepEqual([...head.subarray(0, 5)], [0x7f, 0x45, 0x4c, 0x46, 2]);
  assert.equal(head[18], 62, "not for x86-64");
});

test("ch runs from a read-only directory that its user cannot write", async (work) => {
  const image = work.image();
  await work.must(`mkdir ro; cp ${rig.bin}/ch ro/ch-run; chmod 555 ro/ch-run ro`);
  await checkRun(work, image, `${work.path}/ro/ch-run`);
});

test("ch runs when it cannot be read, only executed", async (work) => {
  const image = work.image();
  await work.must(
    `mkdir "$1/x"; cp ${rig.bin}/ch "$1/x/ch-run"; chown root "$1/x/ch-run"; chmod 711 "$1/x/ch-run"`,
    [work.path],
    { root: true },
  );
  const result = await work.run([`${work.path}/x/ch-run`, image, "--", "echo", "hi"]);
  // Payloads lie in the file itself: without read permission a clear message is all that can be had.
  if (result.code === 0) expect(result, { stdout: "hi\n" });
  else expect(result, { stdout: "", stderr: /ch-run.*(Permission denied|cannot read|can't open)/ });
}, "root");

for (
  const [name, env] of [
    ["HOME unset", { HOME: undefined }],
    ["HOME empty", { HOME: "" }],
    ["HOME missing", { HOME: "/nonexistent" }],
    ["HOME unwritable", { HOME: "/proc" }],
    ["no PATH but ours", { PATH: rig.bin }],
    ["DENO_DIR and friends of the user's", {
      DENO_DIR: "/nonexistent/deno",
      DENO_V8_FLAGS: "--nosuch",
      DENO_NO_PROMPT: "0",
      NODE_OPTIONS: "--require=/nosuch",
      NODE_DEBUG: "*",
      DENO_LOG: "debug",
      RUST_LOG: "trace",
    }],
    ["DENO_AUTH_TOKENS, proxies and LD_BIND_NOW", {
      DENO_AUTH_TOKENS: "x@y",
      http_proxy: "http://127.0.0.1:1",
      LD_BIND_NOW: "1",
    }],
  ] as const
) {
  test(`ch runs with ${name}`, async (work) => {
    await checkRun(work, work.image(), `${rig.bin}/ch-run`, env);
  });

  test(`ch-image and ch-convert run with ${name}`, async (work) => {
    for (const tool of ["ch-image", "ch-convert"]) {
      const result = await work.run([`${rig.bin}/${tool}`, "--version"], { env });
      expect(result, { code: 0 });
      assert.match(result.stdout + result.stderr, /^0\.\d+\S*\n$/);
    }
  });
}

test("on a terminal the engine adds nothing to what a tool says", async (work) => {
  for (const command of ["ch-image --version", "ch-convert -q -n ./x y.sqfs"]) {
    const { stdout } = await work.run(["script", "-qec", command, "/dev/null"]);
    assert.match(stdout, /^([\d.]+\S*\r\n)?$/);
  }
});

test("sub-commands with a script of their own are the same as in their tool's", async (work) => {
  for (const word of ["build", "delete", "import", "list", "pull"]) {
    const { stdout } = await work.run(["ch-image", word, "--help"]);
    assert.match(stdout, new RegExp(`^usage: ch-image ${word}`, "i"));
    // An option before the word, and the entry code leaves all to the tool's script.
    expect(await work.run(["ch-image", "-v", word, "--help"]), { code: 0, stdout });
    expect(await work.run(["ch", "image", word, "--help"]), { code: 0, stdout });
    expect(await work.run(["ch", "ch-image", word, "--help"]), { code: 0, stdout });
    await work.must('ln -sf "$(command -v ch)" "$1"', [`ch-image.${word}`]);
    const strange = await work.run([`./ch-image.${word}`, "image", "gestalt", "storage-path"]);
    expect(strange, { code: 0, stdout: `${work.path}/storage\n` });
  }
});

test("the command gets DENO_* and NODE_* as the caller had them", async (work) => {
  const image = work.image();
  const env = { DENO_DIR: "/mine", NODE_OPTIONS: "--mine", DENO_X: "1" };
  const result = await work.run(
    [
      "ch-run",
      image,
      "--",
      "sh",
      "-c",
      'echo "$DENO_DIR $NODE_OPTIONS $DENO_X"; env | grep -c "^CH_"',
    ],
    { env, cwd: work.path },
  );
  // CH_IMAGE_STORAGE of the rig and CH_RUNNING; nothing of ours besides.
  expect(result, { code: 0, stdout: "/mine --mine 1\n2\n" });
});

test("the command's environment is the caller's but for what ch-run documents", async (work) => {
  const image = work.image();
  const inside = await work.run(["ch-run", image, "--", "env"]);
  const outside = await work.run(["env"]);
  const changed = /^(HOME|CH_RUNNING)=/;
  assert.deepEqual(
    inside.stdout.split("\n").filter((line) => !changed.test(line)).sort(),
    outside.stdout.split("\n").filter((line) => !changed.test(line)).sort(),
  );
});

test("ch obeys no deno.json, package.json or .npmrc beside the user", async (work) => {
  const image = work.image();
  work.tree(".", {
    "deno.json": "{ not json",
    "package.json": "{ not json",
    "home/.npmrc": "rubbish = = =",
    "tsconfig.json": "{",
  });
  await checkRun(work, image, "ch-run");
});

for (const limit of ["500000", "1000000", "8000000", "40000000"]) {
  test(`ch runs under a soft "ulimit -v ${limit}"`, async (work) => {
    const image = work.image();
    const script = `ulimit -Sv ${limit}; ch-run "$1" -- sh -c "ulimit -Sv"`;
    expect(await work.sh(script, [image]), { code: 0, stdout: `${limit}\n`, stderr: "" });
  });
}

test("ch-run needs little address space, and the others say in one line that they need much", async (work) => {
  const script = 'ulimit -v 250000; ch-run "$1" -- true && ch-image list; echo "status $?"';
  const result = await work.run(["bash", "-c", script, "bash", work.image()]);
  assert.match(result.stdout, /^status [1-9]\d*\n$/);
  assert.match(result.stderr, /^ch-image\S*: .*ulimit -H?v.*\n$/);
});

test("ch-run runs where there is no C library", async (work) => {
  // A root file system of nothing but busybox, which is static, and our executable.
  const image = work.image();
  await work.must('cp "$1" "$2/ch-run"', [`${rig.bin}/ch`, image]);
  const fill = 'cd "$1/inner" && mkdir dev proc sys tmp && cp -a ../bin .';
  await work.must(`mkdir "$1/inner" && ${fill}`, [image]);
  const inner = ["/ch-run", "--write", "--no-passwd", "--unsafe", "/inner", "--", "/bin/true"];
  const result = await work.run(["ch-run", "--write", image, "--", ...inner]);
  expect(result, { code: 0, stdout: "", stderr: "" });
  const tool = await work.run([
    "ch-run",
    image,
    "--",
    "sh",
    "-c",
    "exec -a ch-image /ch-run --help",
  ]);
  expect(tool, { code: 31, stderr: /ch-image.*error: this tool needs the GNU C library/ });
});

test("ch leaves no file behind", async (work) => {
  const image = work.image();
  work.tree("scratch", {});
  const look = 'find "$1" /dev/shm -user "$(id -un)" | sort';
  const before = await work.must(look, [work.path]);
  const commands = [["ch-run", image, "--", "true"], ["ch-run", image, "--", "nosuch"], ["ch-run"]];
  for (const command of [...commands, ["ch-image", "--help"], ["ch-convert", "--help"]]) {
    await work.run(command, { env: { TMPDIR: `${work.path}/scratch` } });
  }
  assert.equal(await work.must(look, [work.path]), before);
});

test("ch creates no file on the host while it runs", async (work) => {
  const image = work.image();
  await work.must(
    'strace -f -qq -o trace -e trace=openat,open,creat,mkdir,mkdirat,mknod,mknodat,mount ch-run "$1" -- true',
    [image],
  );
  const lines = Deno.readTextFileSync(`${work.path}/trace`).split("\n");
  // After its first mount it works in file systems that only the container sees.
  const first = lines.findIndex((line) => line.includes(" mount("));
  assert.notEqual(first, -1);
  const created = lines.slice(0, first)
    .filter((line) => /O_CREAT|creat\(|mkdir|mknod/.test(line) && !/= -1|"\/dev\/null/.test(line));
  assert.deepEqual(created, []);
}, "strace");

test("ch runs where /tmp is mounted noexec", async (work) => {
  const image = work.image();
  const script = "mount -t tmpfs -o noexec none /tmp; mount -t tmpfs -o noexec none /dev/shm; " +
    'mount -t tmpfs -o noexec,mode=1777 none /run; exec "$@"';
  const result = await work.run(
    [
      "unshare",
      "--mount",
      "sh",
      "-c",
      script,
      "sh",
      "setpriv",
      `--reuid=${rig.uid}`,
      `--regid=${rig.gid}`,
      "--clear-groups",
      "ch-run",
      image,
      "--",
      "echo",
      "hi",
    ],
    { root: true },
  );
  expect(result, { code: 0, stdout: "hi\n", stderr: "" });
}, "root");

for (const kind of ["directory", "SquashFS"] as const) {
  test(
    `no program runs on the host but ours and the user's (${kind})`,
    async (work) => {
      const image = work.image();
      if (kind === "SquashFS") await work.must("mksquashfs image image.sqfs -quiet -no-progress");
      const what = kind === "SquashFS" ? `${image}.sqfs` : image;
      await work.must('strace -f -qq -o trace -e trace=execve,execveat ch-run "$1" -- /bin/true', [
        what,
      ]);
      const executed = [
        ...Deno.readTextFileSync(`${work.path}/trace`).matchAll(/exec\w+\((.*) = 0$/gm),
      ]
        .map((match) => /"([^"]*)"/.exec(match[1] as string)?.[1] as string);
      const own = executed.slice(0, -1);
      assert.equal(executed.at(-1), "/bin/true");
      for (const path of own) {
        assert.match(
          path,
          /\/ch-run$|^\/proc\/self\/fd\/\d+$|^$|memfd/,
          `executed ${executed.join(", ")}`,
        );
      }
    },
    "strace",
    ...(kind === "SquashFS" ? ["fuse", "mksquashfs"] as const : []),
  );
}

test("ch starts in bounded time", async (work) => {
  // Not a measurement (that is tools/bench.ts): this would find a start that looks up the network
  // or scans a home directory.
  const image = work.image();
  const begin = performance.now();
  for (let n = 0; n < 10; n++) await checkRun(work, image, "ch-run");
  assert.ok(performance.now() - begin < 5000);
});

test("two at once do not disturb one another", async (work) => {
  const image = work.image();
  const runs = Array.from(
    { length: 8 },
    (_, n) => work.run(["ch-run", image, "--", "echo", `${n}`]),
  );
  for (const [n, result] of (await Promise.all(runs)).entries()) {
    expect(result, { code: 0, stdout: `${n}\n`, stderr: "" });
  }
});
