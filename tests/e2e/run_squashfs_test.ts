// SquashFS images: served by ch-run itself, whoever made them, and nothing is left afterwards.

import assert from "node:assert/strict";
import { expect, rig, test, type Workplace } from "../rig.ts";

/** Our own image as a SquashFS file made by mksquashfs with OPTIONS. */
async function squash(work: Workplace, ...options: string[]): Promise<string> {
  const image = work.image("image", {
    "data/text": "text\n",
    "data/link": { link: "text" },
    "data/secret": { content: "secret\n", mode: 0o000 },
    "ch/environment": "FROM_IMAGE=yes\n",
  });
  await work.must('mksquashfs "$@" -quiet -no-progress -noappend', [
    image,
    `${image}.sqfs`,
    ...options,
  ]);
  return `${image}.sqfs`;
}

for (const codec of ["gzip", "xz", "zstd", "lz4", "lzo"]) {
  test(
    `ch-run runs mksquashfs' ${codec}`,
    async (work) => {
      const file = await squash(work, "-comp", codec);
      const sum =
        "cd /; find . -xdev -type f ! -path './etc/*' ! -name secret | sort | xargs md5sum";
      const inside = await work.run(["ch-run", file, "--", "sh", "-c", sum]);
      const outside = await work.must(sum.replace("cd /", 'cd "$1"'), [`${work.path}/image`]);
      expect(inside, { code: 0, stdout: outside, stderr: "" });
    },
    "fuse",
    "mksquashfs",
  );
}

for (
  const options of [
    ["-b", "4096"],
    ["-b", "1048576"],
    ["-no-fragments"],
    ["-no-duplicates", "-always-use-fragments"],
    ["-noI", "-noD", "-noF", "-noX"],
    ["-no-exports"],
    ["-no-xattrs"],
  ]
) {
  test(
    `ch-run runs mksquashfs ${options.join(" ")}`,
    async (work) => {
      // Large, holed and tail-ended files.
      work.tree("image/big", {});
      await work.must(
        "seq 1 300000 > image/big/seq; head -c 3000000 /dev/urandom > image/big/random; truncate -s 5000000 image/big/hole; cp image/big/seq image/big/same",
      );
      const file = await squash(work, ...options);
      const inside = await work.run(["ch-run", file, "--", "sh", "-c", "md5sum /big/*"]);
      const outside = await work.must(
        'md5sum /big/* 2>/dev/null || (cd "$1"; md5sum big/* | sed "s, big, /big,")',
        [
          `${work.path}/image`,
        ],
      );
      expect(inside, { code: 0, stdout: outside });
    },
    "fuse",
    "mksquashfs",
  );
}

test(
  "ch-run shows a SquashFS as a read-only nosuid,nodev file system",
  async (work) => {
    const file = await squash(work, "-all-root");
    const look = "grep ' / ' /proc/mounts; touch /x; stat -c %u:%g /data/text; cat /data/secret";
    const result = await work.run(["ch-run", file, "--", "sh", "-c", look]);
    assert.match(result.stdout, /^\S+ \/ fuse\S* ro,nosuid,nodev/);
    assert.match(result.stderr, /\/x: Read-only file system/);
    assert.match(result.stdout, new RegExp(`^${rig.uid}:${rig.gid}$`, "m"));
  },
  "fuse",
  "mksquashfs",
);

test(
  "ch-run shows files of other owners as nobody's",
  async (work) => {
    const file = await squash(work, "-force-uid", "77", "-force-gid", "88");
    const result = await work.run(["ch-run", file, "--", "stat", "-c", "%u:%g", "/data/text"]);
    expect(result, { code: 0, stdout: "65534:65534\n" });
  },
  "fuse",
  "mksquashfs",
);

test(
  "ch-run reads /ch/environment from a SquashFS",
  async (work) => {
    const file = await squash(work);
    const result = await work.run([
      "ch-run",
      "--set-env",
      file,
      "--",
      "sh",
      "-c",
      "echo $FROM_IMAGE",
    ]);
    expect(result, { code: 0, stdout: "yes\n" });
  },
  "fuse",
  "mksquashfs",
);

test(
  "ch-run -W makes a SquashFS writable",
  async (work) => {
    const file = await squash(work, "-all-root");
    const script = "echo x > /x && rm /data/link && rmdir /mnt/0 && mkdir /mnt/0 && cat /x";
    expect(await work.run(["ch-run", "-W", file, "--", "sh", "-c", script]), {
      code: 0,
      stdout: "x\n",
    });
  },
  "fuse",
  "mksquashfs",
);

test(
  "ch-run -b mounts into a SquashFS",
  async (work) => {
    const file = await squash(work);
    work.tree("one", { "mark": "one\n" });
    expect(await work.run(["ch-run", "-b", "one:/mnt/0", file, "--", "cat", "/mnt/0/mark"]), {
      code: 0,
      stdout: "one\n",
    });
  },
  "fuse",
  "mksquashfs",
);

test(
  "ch-run uses and keeps the default mount point",
  async (work) => {
    const file = await squash(work);
    const user = `ch-test-${crypto.randomUUID().slice(0, 8)}`;
    try {
      expect(await work.run(["ch-run", file, "--", "echo", "hi"], { env: { USER: user } }), {
        code: 0,
        stdout: "hi\n",
      });
      await work.must(`test -d /var/tmp/${user}.ch/mnt && ! mountpoint -q /var/tmp/${user}.ch/mnt`);
    } finally {
      await work.must(`rm -rf /var/tmp/${user}.ch`);
    }
  },
  "fuse",
  "mksquashfs",
);

test(
  "ch-run runs ten of one SquashFS at a time",
  async (work) => {
    const file = await squash(work);
    const runs = Array.from(
      { length: 10 },
      (_, n) =>
        work.run(["ch-run", file, "--", "sh", "-c", `sleep 0.3; cat /data/text; exit ${n}`]),
    );
    for (const [n, result] of (await Promise.all(runs)).entries()) {
      expect(result, { code: n, stdout: "text\n", stderr: "" });
    }
    assert.deepEqual(work.findMounts(), []);
  },
  "fuse",
  "mksquashfs",
);

test(
  "ch-run: SIGINT and SIGHUP at the server alone do no harm",
  async (work) => {
    const file = await squash(work);
    const script = `${startAndWait("sleep 1; cat /data/text; exit 7")}
      for pid in $(pgrep -u $(id -u) ch-squashfs); do kill -INT $pid; kill -HUP $pid; done
      code=0; wait $! || code=$?; cat out; exit $code`;
    expect(await work.sh(script, [file]), { code: 7, stdout: "ready\ntext\n" });
  },
  "fuse",
  "mksquashfs",
);

test(
  "a daemon goes on working in a SquashFS container, and nothing remains after it",
  async (work) => {
    const file = await squash(work);

    // The daemon reads files it has not read before, long after the command has ended.
    const daemon =
      "sleep 1; cat /data/text > /mnt/0/late; md5sum /bin/busybox >> /mnt/0/late; sleep 1";
    work.tree("out", {});
    const start = `(trap '' HUP; ${daemon}) </dev/null >/dev/null 2>&1 & echo started`;
    expect(await work.run(["ch-run", "-b", "out:/mnt/0", file, "--", "sh", "-c", start]), {
      code: 0,
      stdout: "started\n",
    });
    assert.notEqual(await findProcesses(work), "", "the daemon does not run");
    const sum = (await work.must("md5sum < image/bin/busybox")).split(" ")[0];
    await work.must("for n in $(seq 300); do sleep 0.1; grep -q busybox out/late && break; done");
    assert.equal(Deno.readTextFileSync(`${work.path}/out/late`), `text\n${sum}  /bin/busybox\n`);

    assert.equal(await waitForProcesses(work), "", "a process remains");
    assert.deepEqual(work.findMounts(), [], "a mount remains");
  },
  "fuse",
  "mksquashfs",
);

test(
  "nothing remains after the command of a SquashFS is killed",
  async (work) => {
    const file = await squash(work);
    const script = `${startAndWait("sleep 100")}; kill -KILL $!; wait $! || true`;
    await work.must(script, [file]);
    assert.equal(await waitForProcesses(work), "");
  },
  "fuse",
  "mksquashfs",
);

test(
  "a program executed from a SquashFS outlives the removal of the file",
  async (work) => {
    const file = await squash(work);
    const script = `${startAndWait("sleep 0.5; cat /data/text")}; rm "$1"; wait $!; cat out`;
    expect(await work.sh(script, [file]), { code: 0, stdout: "ready\ntext\n" });
  },
  "fuse",
  "mksquashfs",
);

test(
  "ch-run: setuid bits in a SquashFS have no effect",
  async (work) => {
    const file = await squash(work);
    await work.must(
      "chmod u+s image/bin/busybox; mksquashfs image image.sqfs -all-root -noappend -quiet -no-progress",
    );
    expect(await work.run(["ch-run", file, "--", "id", "-u"]), { code: 0, stdout: `${rig.uid}\n` });
  },
  "fuse",
  "mksquashfs",
);

test(
  "ch-run names /dev/fuse where it may not open it",
  async (work) => {
    const file = await squash(work);
    const script = 'mknod -m 600 "$0" c 10 229; mount --bind "$0" /dev/fuse; exec "$@"';
    const drop = ["setpriv", `--reuid=${rig.uid}`, `--regid=${rig.gid}`, "--clear-groups"];
    const node = `${work.path}/fuse`;
    const result = await work.run(
      ["unshare", "--mount", "sh", "-ec", script, node, ...drop, "ch-run", file, "--", "true"],
      { root: true },
    );
    expect(result, {
      code: 31,
      stdout: "",
      stderr: /error: can't open \/dev\/fuse; giving up: Permission denied/,
    });
    assert.equal(await findProcesses(work), "");
  },
  "root",
  "mksquashfs",
);

/** Shell text: runs COMMAND in the background, output to "out", and waits until it has begun. */
function startAndWait(command: string): string {
  return `: >out; ch-run "$1" -- sh -c 'echo ready; ${command}' >>out &
    until grep -q ready out; do sleep 0.05; done`;
}

/** Those that are left half a minute later. */
async function waitForProcesses(work: Workplace): Promise<string> {
  for (let tries = 0; tries < 100; tries++) {
    if (await findProcesses(work) === "") return "";
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  return await findProcesses(work);
}

/** The living processes that hold a file of a test open or name its directory. */
function findProcesses(work: Workplace): Promise<string> {
  const script = `read -r path; for p in /proc/[0-9]*; do
    { readlink $p/fd/*; cat $p/environ $p/cmdline; } 2>/dev/null | grep -qaF "$path" &&
      echo "$p $(tr '\\0' ' ' <$p/cmdline)"; done; true`;
  // The path comes by a pipe, so that neither this shell nor its children have it.
  return work.must(script, [], {
    stdin: `${work.path}\n`,
    root: rig.isRoot,
    cwd: "/",
    env: { HOME: "/", CH_IMAGE_STORAGE: "/" },
  });
}
