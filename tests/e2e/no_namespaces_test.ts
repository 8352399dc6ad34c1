// What ch says on a machine where user namespaces are not to be had. The limit is set in a user
// namespace of the test's own, so that nobody else on the machine is held up.

import assert from "node:assert/strict";
import { expect, type Result, test, type Workplace } from "../rig.ts";

/** Runs COMMAND where user.max_user_namespaces is 0. */
function runWithout(work: Workplace, ...command: string[]): Promise<Result> {
  const script = 'echo 0 >/proc/sys/user/max_user_namespaces; exec "$@"';
  const words = [
    "unshare",
    "--user",
    "--map-current-user",
    "--keep-caps",
    "sh",
    "-ec",
    script,
    "sh",
  ];
  return work.run([...words, ...command]);
}

test("ch-run, ch-image and ch-checkns without user namespaces", async (work) => {
  const image = work.image();
  work.tree("context", { "Dockerfile": "FROM base\nRUN true\n" });
  await work.must('ch-image import "$1" base', [image]);

  expect(await runWithout(work, "ch-run", image, "--", "true"), {
    code: 31,
    stdout: "",
    stderr: /error: can't init user\+mount namespaces: No space left on device/,
  });
  expect(await runWithout(work, "ch-image", "build", "-t", "x", "context"), {
    code: 1,
    stderr: /error: build failed: RUN command exited with 31/,
  });
  expect(await runWithout(work, "ch-checkns"), { code: 31, stderr: /error: [^]*errno: 28/ });

  expect(await work.run(["ch-image", "list"]), { code: 0, stdout: /^base$/m });
  assert.deepEqual(work.findMounts(), []);
});

test("ch-checkns says ok where they work", async (work) => {
  expect(await work.run(["ch-checkns"]), { code: 0, stdout: "ok\n", stderr: "" });
  expect(await work.run(["env", "-i", (await work.must("command -v ch-checkns")).trim()]), {
    code: 0,
    stdout: "ok\n",
  });
});
