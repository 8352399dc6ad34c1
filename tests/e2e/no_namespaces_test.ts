// What ch says on a machine where user namespaces are not to be had.

import { expect, test } from "../rig.ts";

const LIMIT = "/proc/sys/user/max_user_namespaces";

test("ch-run, ch-image and ch-checkns without user namespaces", async (work) => {
  const image = work.image();
  work.tree("context", { "Dockerfile": "FROM base\nRUN true\n" });
  await work.must('ch-image import "$1" base', [image]);
  const before = Deno.readTextFileSync(LIMIT);
  const mounts = await work.must("cat /proc/mounts");
  Deno.writeTextFileSync(LIMIT, "0");
  try {
    expect(await work.run(["ch-run", image, "--", "true"]), {
      code: 31,
      stdout: "",
      stderr: /error: can't init user\+mount namespaces: No space left on device/,
    });
    expect(await work.run(["ch-image", "build", "-t", "x", "context"]), {
      code: 1,
      stderr: /error: build failed: RUN command exited with 31/,
    });
    expect(await work.run(["ch-checkns"]), { code: 31, stdout: /error: [^]*errno: 28/ });
  } finally {
    Deno.writeTextFileSync(LIMIT, before);
  }
  expect(await work.run(["ch-run", image, "--", "echo", "hi"]), { code: 0, stdout: "hi\n" });
  expect(await work.run(["ch-image", "list"]), { code: 0, stdout: /^base$/m });
  expect(await work.sh('test "$(cat /proc/mounts)" = "$1"', [mounts.trimEnd()]), { code: 0 });
}, "root");

test("ch-checkns says ok where they work", async (work) => {
  expect(await work.run(["ch-checkns"]), { code: 0, stdout: "ok\n", stderr: "" });
  expect(await work.run(["env", "-i", (await work.must("command -v ch-checkns")).trim()]), {
    code: 0,
    stdout: "ok\n",
  });
});
