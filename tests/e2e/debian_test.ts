// The main job on a real distribution: a Debian image made from a Dockerfile with apt-get in it,
// converted to SquashFS, and a command run in that.

import assert from "node:assert/strict";
import { expect, rig, test, type Workplace } from "../rig.ts";

const MINUTE = 60_000;

/** Imports Debian and builds examples/hello. */
async function buildHello(work: Workplace): Promise<void> {
  const files = ["Dockerfile", "hello.py"].map((name) =>
    [`hello/${name}`, Deno.readTextFileSync(`${rig.projectRoot}/examples/hello/${name}`)] as const
  );
  work.tree(".", Object.fromEntries(files));
  expect(await work.run(["ch-image", "import", rig.debianTar, "debian"], { limit: 2 * MINUTE }), {
    code: 0,
    stderr: /^done$/m,
  });
  const build = await work.run(["ch-image", "build", "-t", "hello", "hello"], {
    limit: 5 * MINUTE,
  });
  expect(build, {
    code: 0,
    stdout: /Setting up python3-minimal/,
    stderr:
      /1\* FROM debian\n[^]*^ {2}2\. RUN\.S apt-get update && apt-get install -y[^]*new command: [^]*3\. COPY \['hello\.py'\] -> '\/'\n[^]*4\. RUN\.S chmod 755 \/hello\.py\n[^]*--force=seccomp: modified 1 RUN instructions\n[^]*grown in 4 instructions: hello\n/m,
  });
}

test(
  "Debian: import, build with apt-get, convert, run",
  async (work) => {
    await buildHello(work);
    expect(await work.run(["ch-image", "list"]), { code: 0, stdout: "debian\nhello\n" });

    expect(await work.run(["ch-convert", "hello", "hello.sqfs"], { limit: 2 * MINUTE }), {
      code: 0,
      stderr:
        /^input: {3}ch-image {2}hello\noutput: {2}squash {4}hello\.sqfs\npacking \.\.\.\ndone\n/m,
    });
    const hello = {
      code: 0,
      stdout: /^Hello from a container!\nPython 3\.[^]*\nDebian 12/,
      stderr: "",
    };
    expect(await work.run(["ch-run", "hello.sqfs", "--", "python3", "/hello.py"]), hello);
    expect(await work.run(["ch-run", "hello", "--", "/hello.py"]), hello);

    // What other programs think of the SquashFS.
    const list = await work.must("unsquashfs -ll hello.sqfs");
    assert.match(list, /squashfs-root\/hello\.py\n/);
    await work.must(
      'cd "$1"; mkdir m; squashfuse hello.sqfs m; cmp m/hello.py hello/hello.py; diff -r --no-dereference m/usr storage/img/hello/usr; umount m',
      [work.path],
      { root: rig.isRoot },
    );

    // To a directory and back.
    await work.must("ch-convert hello.sqfs ./tree; ch-run ./tree -- python3 /hello.py", [], {
      limit: 2 * MINUTE,
    });
    assert.equal(
      await work.must('cd tree; find usr -printf "%P %y %m %s %l\\n" | sort'),
      await work.must('cd storage/img/hello; find usr -printf "%P %y %m %s %l\\n" | sort'),
    );

    // Only our programs and the user's run on the host.
    await work.must(
      "strace -f -qq -o trace -e trace=execve,execveat ch-run hello.sqfs -- python3 /hello.py >/dev/null",
    );
    const executed = [
      ...Deno.readTextFileSync(`${work.path}/trace`).matchAll(/exec\w+\(([^ ]*), .* = 0$/gm),
    ];
    assert.equal(executed.at(-1)?.[1], '"/usr/bin/python3"');
    assert.equal(executed.length, 2, executed.map((match) => match[0]).join("\n"));

    // ch-run in a container: this image has a C library.
    await work.must(
      "mkdir inner; cp -R storage/img/hello/. inner 2>/dev/null; mkdir -p inner/mnt/0",
    );
    const nested = await work.run([
      "ch-run",
      "-b",
      `${rig.bin}:/mnt/0`,
      "-b",
      "inner:/mnt/1",
      "--set-env=PATH=/mnt/0:/usr/bin:/bin",
      "./inner",
      "--",
      "ch-run",
      "/mnt/1",
      "--",
      "python3",
      "/hello.py",
    ]);
    expect(nested, hello);
  },
  "debian",
  "fuse",
  "unsquashfs",
  "squashfuse",
  "strace",
);
