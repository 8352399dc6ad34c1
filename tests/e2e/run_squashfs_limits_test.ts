// SquashFS images that are large in one way or another, beside what the kernel's own SquashFS makes of
// the same image; and how many servers there are.

import assert from "node:assert/strict";
import { expect, rig, test, type Workplace } from "../rig.ts";

const GIB = 2 ** 30;
const LONG = 600_000; // milliseconds

/** The ways to make image.sqfs of the directory image. */
const MAKERS = {
  mksquashfs: "mksquashfs image image.sqfs -all-root -quiet -no-progress -noappend",
  "ch-convert": "ch-convert -q -i dir -o squash image image.sqfs",
} as const;

for (const [maker, make] of Object.entries(MAKERS)) {
  test(
    `ch-run reads a directory of 100,000 names in a SquashFS of ${maker}`,
    async (work) => {
      work.image();
      await work.must(`mkdir image/big; cd image/big; seq -f name-%.0f 100000 | xargs touch
        echo last >name-100000; cd ../..; ${make}`);
      const list = "cd /big; ls | LC_ALL=C sort | md5sum; ls | wc -l";
      const names = "seq -f name-%.0f 100000 | LC_ALL=C sort | md5sum; echo 100000";
      // Again after a look at one of them, when listings tell everything.
      const script = `${list}; stat -c %s name-1 name-50000; cat name-100000
        test ! -e name-0; test ! -e name-100001; test -e name-99999 || echo lacking
        find . -type f -name '*9' -exec stat -c %h {} + | sort | uniq -c | tr -d ' '; ${list}`;
      const expected = await work.must(`${names}; printf '0\\n0\\nlast\\n100001\\n'; ${names}`);
      expect(
        await work.run(["ch-run", "image.sqfs", "--", "sh", "-c", script], { limit: LONG }),
        { code: 0, stdout: expected, stderr: "" },
      );
    },
    "fuse",
    "mksquashfs",
  );

  test(
    `ch-run reads a file of 5 GiB in a SquashFS of ${maker}`,
    async (work) => {
      work.image();
      const path = `${work.path}/image/huge`;
      await work.must("truncate -s 5G image/huge; chmod 644 image/huge");
      using file = Deno.openSync(path, { write: true });
      const marks = { head: 0, near: 4 * GIB - 5, past: 4 * GIB + 70000, tail: 5 * GIB - 4 };
      for (const [mark, offset] of Object.entries(marks)) {
        file.seekSync(offset, Deno.SeekMode.Start);
        file.writeSync(new TextEncoder().encode(mark));
      }
      await work.must(make, [], { limit: LONG });
      const look = Object.values(marks)
        .map((offset) => `dd if=/huge bs=1 skip=${offset} count=4 2>/dev/null; echo`).join("; ");
      const script = `stat -c %s /huge; ${look}
        dd if=/huge bs=1024 skip=3000000 count=100 2>/dev/null | tr -d '\\0' | wc -c
        [ $(du -k /huge | cut -f 1) -lt 2000 ] || echo takes space`;
      expect(await work.run(["ch-run", "image.sqfs", "--", "sh", "-c", script], { limit: LONG }), {
        code: 0,
        stdout: `${5 * GIB}\nhead\nnear\npast\ntail\n0\n`,
        stderr: "",
      });
    },
    "fuse",
    "mksquashfs",
  );
}

test(
  "ch-run shows of a SquashFS what the kernel shows, file by file",
  async (work) => {
    await work.must('ch-convert -q -i tar -o squash "$1" image.sqfs', [rig.debianTar], {
      limit: LONG,
    });
    // What is mounted over in a container is left out, and times of day are in no format twice.
    const script = `cd /; LC_ALL=C
      find . -mindepth 1 \\( -path ./dev -o -path ./proc -o -path ./sys -o -path ./tmp -o -path ./home \\
        -o -path ./etc/passwd -o -path ./etc/group -o -path ./etc/hosts -o -path ./etc/resolv.conf \\) \\
        -prune -o -printf '%P|%y|%m|%n|%i|%b|%T@|%l|' \\( -type d -printf '-' -o -printf '%s' \\) \\
        -printf '\\n' | sort
      find bin/ sbin/ etc lib/ opt root srv usr var -xdev -type f ! -path etc/passwd ! -path etc/group \\
        ! -path etc/hosts ! -path etc/resolv.conf -print0 | sort -z | xargs -0 md5sum`;
    const ours = await work.run(["ch-run", "image.sqfs", "--", "sh", "-c", script], {
      limit: LONG,
    });
    expect(ours, { code: 0, stderr: "" });
    const kernels = await work.run(
      [
        ...["unshare", "--mount", "sh", "-ec"],
        'mkdir mnt; mount -o loop,ro image.sqfs mnt; mount --bind /dev mnt/dev; exec chroot mnt sh -c "$1"',
        ...["sh", script],
      ],
      { root: true, limit: LONG },
    );
    expect(kernels, { code: 0, stderr: "" });
    const [mine, its] = [ours, kernels].map(({ stdout }) => stdout.split("\n"));
    assert.ok(mine!.length > 10_000, `only ${mine!.length} lines`);
    assert.deepEqual(mine!.filter((line, at) => line !== its![at]), []);
    assert.equal(mine!.length, its!.length);
  },
  "fuse",
  "root",
  "debian",
);

test(
  "containers that join have one server, and others one each",
  async (work) => {
    work.image("image", { "text": "text\n" });
    work.tree("meet", {});
    await work.must(MAKERS.mksquashfs);
    const wait =
      "cat /text; touch /mnt/0/$$; until [ -e /mnt/0/go ]; do sleep 0.05; done; cat /text";
    const start = (...options: string[]) =>
      work.run(["ch-run", ...options, "-b", "meet:/mnt/0", "image.sqfs", "--", "sh", "-c", wait]);
    const tag = `--join-tag=${crypto.randomUUID()}`;
    const runs = [
      ...[1, 2, 3].map(() => start("--join", "--join-ct=3", tag)),
      ...[1, 2].map(() => start()),
    ];
    const met = () => [...Deno.readDirSync(`${work.path}/meet`)].length;
    for (let tries = 0; tries < 600 && met() < runs.length; tries++) await pause(100);
    const servers = await countServers(work);
    Deno.writeTextFileSync(`${work.path}/meet/go`, "");
    for (const result of await Promise.all(runs)) {
      expect(result, { code: 0, stdout: "text\ntext\n", stderr: "" });
    }
    assert.equal(servers, 3);
    for (let tries = 0; tries < 100 && await countServers(work) > 0; tries++) await pause(300);
    assert.equal(await countServers(work), 0);
  },
  "root",
  "fuse",
  "mksquashfs",
);

/** Processes by the servers' name that hold the image open. */
async function countServers(work: Workplace): Promise<number> {
  const script = `for p in /proc/[0-9]*; do
    if [ "$(cat $p/comm 2>/dev/null)" = ch-squashfs ] &&
      readlink $p/fd/* 2>/dev/null | grep -qxF "$1"; then echo $p; fi; done | wc -l`;
  return Number(await work.must(script, [`${work.path}/image.sqfs`], { root: true }));
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
