// ch doctor on this machine, as an ordinary user.

import assert from "node:assert/strict";
import { expect, rig, test } from "../rig.ts";

interface Diagnosis {
  readonly ok: boolean;
  readonly abilities: readonly {
    readonly name: string;
    readonly state: string;
    readonly detail?: string;
  }[];
}

test("ch doctor examines host and image, and leaves nothing behind", async (work) => {
  const image = work.image();
  const stateOf = async (args: readonly string[], name: string) => {
    const { code, stdout, stderr } = await work.run(["ch", "doctor", "--json", ...args]);
    assert.equal(`${code}${stderr}`, "0");
    const { ok, abilities } = JSON.parse(stdout) as Diagnosis;
    assert(ok);
    return abilities.find((ability) => ability.name === name);
  };
  assert.equal((await stateOf([], "build-overlay"))?.state, "ok");
  assert.match(
    (await stateOf([], "file-system"))?.detail ?? "",
    new RegExp(`^${work.path} is on `),
  );
  assert.equal(await stateOf([], "image-mounts"), undefined);
  assert.equal((await stateOf([image], "image-mounts"))?.state, "ok");
  await work.must('rmdir "$1/sys"', [image]);
  assert.equal((await stateOf([image], "image-mounts"))?.state, "missing");

  // With a storage directory, which stays one.
  await work.must('mkdir "$1/sys"; ch-image import "$1" x', [image]);
  assert.equal((await stateOf(["x"], "image-cpu"))?.state, "ok");
  await work.must("ch-image list; test -z \"$(find . -name '.ch-doctor*')\"");

  expect(await work.run(["ch", "doctor"]), { code: 0, stdout: /^ok {7}namespaces/, stderr: "" });
  expect(await work.run(["ch", "doctor", "nosuch"]), {
    code: 31,
    stderr: /ch-doctor\[\d+\]: error: /,
  });
  expect(await work.run(["ch", "doctor", "--bogus"]), {
    code: 2,
    stderr: /not understood: --bogus/,
  });
  expect(await work.run(["ch", "doctor", "--help"]), { code: 0, stdout: /^Usage: ch doctor/ });
});

test(
  "ch doctor looks into SquashFS images",
  async (work) => {
    await work.must('mkdir d; tar -C d -xf "$1"; ch-convert -q ./d d.sqfs', [rig.debianTar]);
    const { stdout } = await work.run(["ch", "doctor", "d.sqfs"]);
    assert.match(stdout, /^ok {7}image-cpu .*\n {9}x86-64$/m);
    assert.match(stdout, / {9}image 2\.36, host /);
    assert.match(stdout, /^ok {7}image-ldconfig /m);
  },
  "debian",
);
