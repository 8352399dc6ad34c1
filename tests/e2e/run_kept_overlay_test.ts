// `ch-run --overlay`: what is written stays in a directory of the user's.

import assert from "node:assert/strict";
import { exists, expect, test, type Workplace } from "../rig.ts";
import { testRuns } from "./run_cases.ts";

testRuns("ch-run --overlay", [
  {
    name: "is made, and keeps what is written for the next run",
    before: "ch-run --overlay=layer {D} -- sh -c 'echo kept > /x; rmdir /mnt/2; mkdir /new'",
    args: ["--overlay", "layer", "{D}", "--", "sh", "-c", "cat /x; ls -d /new; ls /mnt/2"],
    expected: { code: 1, stdout: "kept\n/new\n", stderr: /\/mnt\/2: No such file/ },
    after: "test ! -e {D}/x && test -e {D}/mnt/2 && test -e layer/upper/x",
  },
  {
    name: "says nothing and leaves only its own in the directory",
    before: "mkdir layer; ch-run --overlay=layer {D} -- true",
    args: ["--overlay=layer", "{D}", "--", "true"],
    expected: { code: 0, stdout: "", stderr: "" },
    after: 'test "$(ls layer | tr "\\n" " ")" = "image upper work " && rm -rf layer',
  },
  {
    name: "a directory removed and made again is empty",
    before: "ch-run --overlay=layer {D} -- sh -c 'rm -r /mnt && mkdir /mnt && touch /mnt/only'",
    args: ["--overlay=layer", "{D}", "--", "ls", "/mnt"],
    expected: { code: 0, stdout: "only\n" },
  },
  {
    name: "/ has the image's mode",
    before: "chmod 751 {D}",
    args: ["--overlay=layer", "{D}", "--", "stat", "-c", "%a", "/"],
    expected: { code: 0, stdout: "751\n" },
    after: 'test "$(stat -c %a layer/upper)" = 751',
  },
  {
    name: "missing targets of --bind are made in it, by symlink ranch too",
    before: "mkdir source && touch source/mark",
    args: ["--overlay=layer", "-b{W}/source:/mnt/a/b", "{D}", "--", "ls", "/mnt/a/b"],
    expected: { code: 0, stdout: "mark\n" },
    after: "test -d layer/upper/mnt/a/b && test ! -e {D}/mnt/a",
  },
  {
    name: "with --home instead of --write-fake",
    files: { "home/mark": "" },
    args: ["--home", "--overlay=layer", "{D}", "--", "sh", "-c", "ls $HOME && touch /x"],
    expected: { code: 0, stdout: "mark\n" },
    after: "test -e layer/upper/x",
  },
  {
    name: "with --write the image stays as it is",
    args: ["-w", "--overlay=layer", "{D}", "--", "touch", "/x"],
    expected: { code: 0 },
    after: "test ! -e {D}/x && test -e layer/upper/x",
  },
  {
    name: "with --write-fake",
    args: ["-W", "--overlay=layer", "{D}", "--", "true"],
    expected: {
      code: 31,
      stderr: /error: --overlay incompatible with --write-fake \(.*\n.*hint: .*choose one\n$/,
    },
    after: "test ! -e layer",
  },
  {
    name: "a file",
    files: { "layer": "" },
    args: ["--overlay=layer", "{D}", "--", "true"],
    expected: { code: 31, stderr: /error: --overlay: not a directory: layer \(/ },
  },
  {
    name: "in a directory that does not exist",
    args: ["--overlay=no/layer", "{D}", "--", "true"],
    expected: { code: 31, stderr: /error: --overlay: no such directory: no\/ \(.*\n.*hint: only/ },
  },
  {
    name: "inside the image",
    args: ["--overlay={D}/layer", "{D}", "--", "true"],
    expected: { code: 31, stderr: /error: --overlay: inside the image: .*\n.*hint: / },
    after: "test ! -e {D}/layer",
  },
  {
    name: "of somebody else",
    args: ["--overlay=/usr", "{D}", "--", "true"],
    expected: {
      code: 31,
      stderr: /error: can't open: \/usr\/image: Permission denied \(.*\n.*hint: .*must be yours/,
    },
  },
  {
    name: "names with colons, commas and blanks",
    before: "mv {D} 'an: image,x'",
    args: ["--overlay=a: layer,y", "an: image,x", "--", "touch", "/x"],
    expected: { code: 0, stderr: "" },
    after: "test -e 'a: layer,y/upper/x'",
  },
  {
    name: "HOME and /ch/environment are looked for in the layer, too",
    image: { "ch/environment": "FROM=image\n" },
    before: "ch-run --overlay=layer {D} -- sh -c 'echo FROM=layer > /ch/environment; rmdir /root'",
    args: ["--overlay=layer", "--set-env", "{D}", "--", "sh", "-c", "echo $FROM $HOME"],
    expected: { code: 0, stdout: "layer /\n" },
  },
  {
    name: "the note at -v",
    args: ["-v", "--overlay=layer", "{D}", "--", "true"],
    expected: { code: 0, stderr: /\]: overlaying .*\/layer for --overlay \([^]*newroot updated: / },
  },
  {
    name: "with another image warns, and goes on",
    before: "ch-run --overlay=layer {D} -- touch /x; cp -r {D} other",
    args: ["--overlay=layer", "other", "--", "ls", "/x"],
    expected: {
      code: 0,
      stdout: "/x\n",
      stderr: /^ch-run\[\d+\]: warning: overlay was made with another image: layer: \S+\/image \(/,
    },
  },
  {
    name: "with the image under another name does not warn",
    before: "ch-run --overlay=layer {D} -- touch /x; mv {D} other",
    args: ["--overlay=layer", "other", "--", "ls", "/x"],
    expected: { code: 0, stdout: "/x\n", stderr: "" },
  },
]);

/** Starts COMMAND in a container on the overlay "layer" and waits until it runs. */
async function startHolding(work: Workplace, image: string): Promise<Deno.ChildProcess> {
  const script = "touch /started; exec sleep 20";
  const child = work.spawn(["ch-run", "--overlay=layer", image, "--", "sh", "-c", script]);
  for (let tries = 0; !exists(`${work.path}/layer/upper/started`); tries++) {
    assert.ok(tries < 200, "container does not start");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return child;
}

async function end(child: Deno.ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await child.output();
}

test("ch-run --overlay refuses a directory in use, until its container ends", async (work) => {
  const image = work.image();
  const child = await startHolding(work, image);
  expect(await work.run(["ch-run", "--overlay=layer", image, "--", "true"]), {
    code: 31,
    stderr: /error: overlay is in use by another container: layer \(.*\n.*hint: .*--join-pid/,
  });
  await end(child);
  expect(await work.run(["ch-run", "--overlay=layer", image, "--", "true"]), {
    code: 0,
    stderr: "",
  });
});

test("ch-run --overlay belongs to what the command left running, too", async (work) => {
  const image = work.image();
  const script = "sleep 3 >/dev/null 2>&1 </dev/null &";
  expect(await work.run(["ch-run", "--overlay=layer", image, "--", "sh", "-c", script]), {
    code: 0,
  });
  expect(await work.run(["ch-run", "--overlay=layer", image, "--", "true"]), {
    code: 31,
    stderr: /overlay is in use/,
  });
  await new Promise((resolve) => setTimeout(resolve, 3500));
  expect(await work.run(["ch-run", "--overlay=layer", image, "--", "true"]), { code: 0 });
});

test("ch-run --overlay again and again at once", async (work) => {
  const image = work.image();
  const script =
    'for i in 1 2 3 4 5 6 7 8; do ch-run --overlay=layer "$1" -- sh -c "echo $i >> /log" || exit; done';
  await work.must(script, [image]);
  const lines = await work.must('ch-run --overlay=layer "$1" -- cat /log', [image]);
  assert.equal(lines, "1\n2\n3\n4\n5\n6\n7\n8\n");
});

test("ch-run --overlay leaves no process, and none that the command knows", async (work) => {
  const image = work.image();
  const script = 'read list </proc/$$/task/$$/children; echo "[$list]"; ls /proc/self/fd | wc -w';
  const look = async (...options: string[]) =>
    (await work.run(["ch-run", ...options, image, "--", "sh", "-c", script])).stdout;
  const plain = await look();
  assert.match(plain, /^\[\]\n/);
  assert.equal(await look("--overlay=layer"), plain);
  // What has ended and only waits for init to notice does not count.
  const alive = "ps -e -o user=,stat=,comm= | grep ch-overlay | grep -v ' Z' | grep \"$(id -un)\"";
  await new Promise((resolve) => setTimeout(resolve, 300));
  const left = await work.must(`${alive} || true`);
  assert.equal(left, "");
});

test("ch-run --overlay that fails to start leaves the directory free", async (work) => {
  const image = work.image();
  const failing = ["ch-run", "--overlay=layer", "-b/nosuch:/mnt/0", image, "--", "true"];
  expect(await work.run(failing), { code: 31, stderr: /source not found: \/nosuch/ });
  expect(await work.run(["ch-run", "--overlay=layer", image, "--", "nosuch"]), { code: 49 });
  expect(await work.run(["ch-run", "--overlay=layer", image, "--", "true"]), { code: 0 });
});

test(
  "ch-run --overlay with a SquashFS image",
  async (work) => {
    const image = work.image("image", { "data/old": "old" });
    await work.must('mksquashfs "$1" "$1.sqfs" -quiet -no-progress -all-root', [image]);
    const sqfs = `${image}.sqfs`;
    const script = "echo new > /data/old; rm -r /mnt; mkdir /mnt; touch /mnt/x";
    expect(await work.run(["ch-run", "--overlay=layer", sqfs, "--", "sh", "-c", script]), {
      code: 0,
      stderr: "",
    });
    await work.must("mv image.sqfs moved.sqfs");
    expect(
      await work.run([
        "ch-run",
        "--overlay=layer",
        "moved.sqfs",
        "--",
        "sh",
        "-c",
        "cat /data/old; ls /mnt",
      ]),
      { code: 0, stdout: "new\nx\n", stderr: "" },
    );
    await work.must('touch "$1/more"; mksquashfs "$1" other.sqfs -quiet -no-progress -all-root', [
      image,
    ]);
    expect(await work.run(["ch-run", "--overlay=layer", "other.sqfs", "--", "ls", "/mnt"]), {
      code: 0,
      stdout: "x\n",
      stderr: /warning: overlay was made with another image: layer: \S+\/image\.sqfs/,
    });
  },
  "fuse",
  "mksquashfs",
);

test("ch-run --overlay on a file system without extended attributes", async (work) => {
  const image = work.image();
  work.tree("plain", {});
  await work.must('mount -t ramfs none "$1/plain" && chmod 777 "$1/plain"', [work.path], {
    root: true,
  });
  try {
    expect(await work.run(["ch-run", "--overlay=plain/layer", image, "--", "true"]), {
      code: 31,
      stderr:
        /error: can't use for an overlay, no extended attributes: \S+\/plain\/layer: .*\n.*hint: .*ext4, xfs/,
    });
  } finally {
    await work.must('umount "$1/plain"', [work.path], { root: true });
  }
}, "root");

test("ch-run --overlay on a file system mounted read-only", async (work) => {
  const image = work.image();
  work.tree("fixed", {});
  await work.must('mount -t tmpfs -o ro none "$1/fixed"', [work.path], { root: true });
  try {
    expect(await work.run(["ch-run", "--overlay=fixed/layer", image, "--", "true"]), {
      code: 31,
      stderr: /error: can't mkdir: \S+\/fixed\/layer: Read-only file system/,
    });
  } finally {
    await work.must('umount "$1/fixed"', [work.path], { root: true });
  }
}, "root");

test(
  "ch-run --overlay on FUSE",
  async (work) => {
    const image = work.image();
    work.tree("network", {});
    await work.must(
      'mksquashfs "$1/bin" n.sqfs -quiet -no-progress -all-root && squashfuse -o allow_other n.sqfs "$2/network"',
      [image, work.path],
      {
        root: true,
      },
    );
    try {
      expect(await work.run(["ch-run", "--overlay=network/layer", image, "--", "true"]), {
        code: 31,
        stderr:
          /error: can't use for an overlay, file system is fuse\.squashfuse: .*\n.*hint: use a/,
      });
    } finally {
      await work.must('umount "$1/network"', [work.path], { root: true });
    }
  },
  "root",
  "squashfuse",
  "mksquashfs",
);
