// A full disk: commands say so, leave the storage directory as it was, and what frees room works.

import assert from "node:assert/strict";
import { expect, rig, test, type Workplace } from "../rig.ts";

/** A storage directory on a file system of SIZE, with the image "base" and room for little else. */
async function withSmallDisk(
  work: Workplace,
  size: string,
  body: (path: string) => Promise<void>,
): Promise<void> {
  const path = `${work.path}/disk`;
  Deno.mkdirSync(path);
  await work.must(
    'mount -t tmpfs -o "size=$1,uid=$2,gid=$3" none "$4"',
    [size, String(rig.uid), String(rig.gid), path],
    { root: true },
  );
  try {
    await body(path);
  } finally {
    await work.must('umount -l "$1"', [path], { root: true });
  }
}

const SMALL = "FROM base\nRUN echo small >/small\n";

const TOO_LARGE: Readonly<Record<string, string>> = {
  RUN: "FROM base\nRUN echo >/a && dd if=/dev/zero of=/large bs=65536 count=1000\n",
  COPY: "FROM base\nRUN echo >/b\nCOPY large /large\n",
};

test(
  "a full disk is an error that changes nothing, and deleting helps",
  async (work) => {
    const image = work.image();
    work.tree("context", { small: SMALL, ...TOO_LARGE });
    await work.must("head -c 20000000 /dev/urandom >context/large");
    await withSmallDisk(work, "12m", async (disk) => {
      const options = { env: { CH_IMAGE_STORAGE: `${disk}/storage` } };
      const run = (...words: string[]) => work.run(["ch-image", ...words], options);
      const build = (name: string, tag: string) =>
        run("build", "-t", tag, "-f", `context/${name}`, "context");
      const expectGood = async (images: string) => {
        expect(await run("list"), { code: 0, stdout: images, stderr: "" });
        assert.equal(await work.must("ls storage", [], { cwd: disk }), STORAGE);
      };

      expect(await run("import", image, "base"), { code: 0 });
      expect(await build("small", "s"), { code: 0 });
      for (const name of Object.keys(TOO_LARGE)) {
        for (const tag of ["s", "other"]) {
          const result = await build(name, tag);
          expect(result, { code: 1, stderr: /No space left on device/ });
          assert.doesNotMatch(result.stderr, /report this bug/);
          await expectGood("base\ns\n");
        }
      }
      const result = await run("import", "context", "other");
      expect(result, { code: 1, stderr: /^error: .*No space left on device$/m });
      await expectGood("base\ns\n");
      assert.equal(await work.must("cat storage/img/s/small", [], { cwd: disk }), "small\n");

      // Not one byte is left.
      await work.must("dd if=/dev/zero of=fill bs=4096 2>/dev/null || true", [], { cwd: disk });
      await expectGood("base\ns\n");
      expect(await build("small", "s"), { code: 0, stderr: /^ {2}2\* /m });
      expect(await build("small", "s2"), {
        code: 1,
        stderr: /^error: .*No space left on device$/m,
      });
      await expectGood("base\ns\n");
      expect(await run("delete", "s"), { code: 0 });
      expect(await run("build-cache", "--gc"), { code: 0 });
      await expectGood("base\n");

      await work.must("rm fill", [], { cwd: disk });
      expect(await build("small", "s"), { code: 0, stderr: /^ {2}2\* /m });
      assert.equal(await work.must("cat storage/img/s/small", [], { cwd: disk }), "small\n");
    });
  },
  "root",
);

const STORAGE = "bucache\nbularge\ndlcache\nimg\nlock\nulcache\nversion\n";
