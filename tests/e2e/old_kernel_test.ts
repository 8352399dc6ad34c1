// What the kernel of RHEL 8 (4.18) gets: old_kernel.c takes away what is younger. Each result is compared with
// that of the kernel that is here.

import assert from "node:assert/strict";
import { FakeRegistry } from "../fake_registry.ts";
import { expect, type Result, rig, test, type Workplace } from "../rig.ts";

/** A work place with an image, and a function that runs commands on the older kernel. */
async function prepare(work: Workplace) {
  const program = `${work.path}/old_kernel`;
  await work.must('cc -O1 -o "$1" "$2/tests/e2e/old_kernel.c"', [program, rig.projectRoot]);
  const image = work.image("image", { "etc/a": "a\n" });
  const old = (...command: string[]): Promise<Result> => work.run([program, ...command]);
  return { image, old };
}

/** Fails unless COMMAND does the same on both kernels, and that is to print OUTPUT. */
async function same(work: Workplace, old: Run, output: string, command: string[]): Promise<void> {
  const expected = { code: 0, stdout: output, stderr: "" };
  expect(await work.run(command), expected);
  expect(await old(...command), expected);
}
type Run = (...command: string[]) => Promise<Result>;

test("the older kernel of these tests lacks what it should", async (work) => {
  const { old } = await prepare(work);
  const calls = "#include <errno.h>\n#include <stdio.h>\n#include <unistd.h>\nint main(void){" +
    'for (long n = 424; n < 440; n++) printf("%d", syscall(n, -1, -1, -1, -1) < 0 && errno == 38);}';
  await work.must('printf %s "$1" >calls.c && cc -w calls.c -o calls', [calls]);
  expect(await old("./calls"), { stdout: "1".repeat(16) });
  const overlay = "mount -t overlay -o lowerdir=/usr:/etc none /mnt";
  const namespace = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"];
  expect(await work.run([...namespace, overlay]), { code: 0 });
  expect(await old(...namespace, overlay), { code: 32, stderr: /permission denied/ });
  expect(await old("sh", "-c", "exit 7"), { code: 7 });
}, "cc");

/** Two peers have to be there at once: who comes when all have gone makes a container of his own. */
const MEET = `cd /mnt/0/mnt/1; touch $$; while [ "$(ls | wc -l)" -lt 2 ]; do sleep 0.05; done
  readlink /proc/self/ns/mnt`;

test(
  "ch-run on Linux 4.18: directories, SquashFS images, binds, joining",
  async (work) => {
    const { image, old } = await prepare(work);
    expect(await old("ch-convert", image, "image.sqfs"), { code: 0 });
    const list = ["sh", "-c", "cat /etc/a; cat /mnt/0/etc/a; ls / /etc | md5sum"];
    const wanted = await work.must(`cat image/etc/a image/etc/a; ls image/ image/etc`);
    assert.match(wanted, /^a\na\n/);
    for (const source of [image, "./image.sqfs"]) {
      const command = ["ch-run", "-b", `${image}:/mnt/0`, source, "--", ...list];
      const { stdout } = await work.run(command);
      assert.match(stdout, /^a\na\n[0-9a-f]{32}/);
      await same(work, old, stdout, command);
      await same(work, old, "0\n", ["ch-run", "--seccomp", "--uid=0", source, "--", "id", "-u"]);
      const join = [
        "--join-ct=2",
        `--join-tag=old-${crypto.randomUUID()}`,
        `--bind=${image}:/mnt/0`,
      ];
      const peers = await Promise.all(
        [1, 2].map(() => old("ch-run", ...join, source, "--", "sh", "-c", MEET)),
      );
      await work.must("rm -r image/mnt/1/*");
      assert.equal(peers[0]!.stdout, peers[1]!.stdout);
      for (const peer of peers) expect(peer, { code: 0, stdout: /^mnt:/, stderr: "" });
    }
    await same(work, old, "x\n", ["ch-run", "-w", image, "--", "sh", "-c", "echo x >/f; cat /f"]);
  },
  "cc",
  "fuse",
);

test("ch-run -W on Linux 4.18 says what it needs", async (work) => {
  const { image, old } = await prepare(work);
  for (const options of [["-W"], ["--overlay=layer"]]) {
    expect(await old("ch-run", ...options, image, "--", "true"), {
      code: 31,
      stdout: "",
      stderr: /error: can't overlay: .*\n.*hint: overlays without privilege need Linux 5\.11/,
    });
  }
  const { stdout } = await old("ch-checkns", "-v");
  assert.match(stdout, /^missing +overlay +.*\n.*\n +hint: .*Linux 5\.11/m);
  assert.match(stdout, /^none +build-overlay +.*\n +.*Linux 5\.11/m);
}, "cc");

test("ch-image on Linux 4.18 builds, pushes and pulls the same as ever", async (work) => {
  await using registry = new FakeRegistry();
  const { image, old } = await prepare(work);
  await work.must(
    'mkdir context && echo c >context/c && printf %s "$1" >context/Dockerfile',
    [
      "FROM base\nCOPY c /c\nRUN rm /etc/a && mkdir /d && echo x >/d/x && ln /d/x /d/y\n" +
      "RUN chown 5:5 /c && mv /d/x /bin\n",
    ],
  );
  const look = 'cd "$1" && find . -type f -o -type d | grep -v ^./ch/ | sort && cat bin/x c';
  const build = ["build", "-t", "made", "context"];
  const seen: string[] = [];
  for (const kernel of ["old", "new"]) {
    work.environment.CH_IMAGE_STORAGE = `${work.path}/storage-${kernel}`;
    const must = async (...words: string[]) => {
      const command = ["ch-image", "--plain-http", "--arch=yolo", ...words];
      const result = kernel === "old" ? await old(...command) : await work.run(command);
      expect(result, { code: 0 });
      return result.stderr;
    };
    await must("import", image, "base");
    await must(...build);
    assert.match(await must(...build), /^ *4\* RUN/m);
    await must("push", "made", `${registry.address}/${kernel}:1`);
    await must("pull", `${registry.address}/${kernel}:1`, "pulled");
    await must("delete", "made");
    await must("undelete", "made");
    for (const name of ["made", "pulled"]) {
      seen.push(await work.must(look, [`${work.environment.CH_IMAGE_STORAGE}/img/${name}`]));
    }
  }
  for (const text of seen) assert.equal(text, seen[0]);
  assert.match(seen[0]!, /x\nc\n$/);
}, "cc");

test("ch-convert on Linux 4.18 makes the same files", async (work) => {
  const { image, old } = await prepare(work);
  for (
    const [kind, run] of [["old", old], ["new", (...words: string[]) => work.run(words)]] as const
  ) {
    for (
      const words of [[image, `${kind}.sqfs`], [`${kind}.sqfs`, `./${kind}`], [
        `./${kind}`,
        `${kind}.tar.gz`,
      ]]
    ) {
      expect(await run("ch-convert", ...words), { code: 0 });
    }
    // Across file systems as well.
    const options = [
      `--tmp=/dev/shm`,
      `${kind}.tar.gz`,
      `/dev/shm/${work.path.split("/").pop()}.${kind}`,
    ];
    expect(await run("ch-convert", ...options), { code: 0 });
    await work.must('diff -r "$1" "$2" && rm -r "$2"', [`./${kind}`, options[2]!]);
  }
  await work.must("cmp old.sqfs new.sqfs && cmp old.tar.gz new.tar.gz");
}, "cc");
