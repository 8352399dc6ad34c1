// ch-image build where the kernel lays no overlay: on a file system that cannot carry one, as an overlay
// is itself.

import assert from "node:assert/strict";
import { expect, test, type Workplace } from "../rig.ts";
import { prepare } from "./build_case.ts";

/** The storage directory on a file system that no overlay lies on. */
async function withoutOverlay(work: Workplace, body: () => Promise<void>): Promise<void> {
  await work.must("ch-image list");
  const script = 'cd "$1"; mkdir up wrk; chown --reference=storage up; mount -t overlay none ' +
    "-o lowerdir=storage,upperdir=up,workdir=wrk storage";
  await work.must(script, [work.path], { root: true });
  try {
    await body();
  } finally {
    await work.must("umount storage", [], { root: true });
  }
}

test(
  "ch-image build without overlay: RUN works on a copy, and a failed one leaves no trace",
  (work) =>
    withoutOverlay(work, async () => {
      await prepare(
        work,
        "FROM base\nRUN echo one >/f; rm /etc/group; chmod 700 /root\nRUN mkdir /d; chown 5:6 /d\n",
      );
      const before = await work.must("cd storage/img/base; find . | sort | md5sum; cat etc/passwd");
      const build = ["ch-image", "build", "-t", "t", "context"];
      expect(await work.run([...build.slice(0, 2), "-v", ...build.slice(2)]), {
        code: 0,
        stderr: /no overlay to be had, RUN works on a copy\n[^]*grown in 3 instructions: t\n/,
      });
      const look = "cd storage/img/t; cat f; test ! -e etc/group; stat -c %a root; test -d d";
      assert.equal(await work.must(look), "one\n700\n");

      await work.must("echo 'RUN echo two >/f; echo x >>/etc/passwd; exit 3' >>context/Dockerfile");
      expect(await work.run(build), {
        code: 1,
        stderr: / {2}3\* RUN[^]* {2}4\. RUN[^]*RUN command exited with 3\n/,
      });
      assert.equal(await work.must(look), "one\n700\n");
      await work.must(
        "sed -i '$d' context/Dockerfile; echo 'RUN cat /f; grep -c x: /etc/passwd' >>context/Dockerfile",
      );
      expect(await work.run(build), { code: 0, stdout: "one\n2\n" });
      const after = await work.must("cd storage/img/base; find . | sort | md5sum; cat etc/passwd");
      assert.equal(after, before);
      assert.equal(await work.must("ls -A storage/imgtmp 2>/dev/null || true"), "");
    }),
  "root",
);
