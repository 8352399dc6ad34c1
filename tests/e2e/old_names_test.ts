// The names of older Charliecloud, as links to the executable (spec other-tools §4).

import assert from "node:assert/strict";
import { exists, expect, rig, test } from "../rig.ts";

test("old names say what they are called today, and do it", async (work) => {
  await work.must(
    'mkdir old out; for name; do ln -s "$0" old/$name; done'.replace("$0", `${rig.bin}/ch`),
    [
      "ch-builder2tar",
      "ch-builder2squash",
      "ch-tar2dir",
      "ch-dir2squash",
      "ch-build",
      "ch-grow",
      "ch-ssh",
    ],
  );
  work.image("image");
  work.tree("context", { "Dockerfile": "FROM base\nRUN echo hi >/hi\n" });
  const old = (line: string) =>
    work.run([`${work.path}/old/${line.split(" ")[0]}`, ...line.split(" ").slice(1)]);
  const note = (name: string, today: string) =>
    new RegExp(`^${name}: note: today this is: ${today.replaceAll(/[.+]/g, "\\$&")}$`, "m");

  expect(await old("ch-grow import image base"), {
    code: 0,
    stderr: note("ch-grow", "ch-image import image base"),
  });
  expect(await old("ch-build -t a/x:1 context"), {
    code: 0,
    stderr: note("ch-build", "ch-image build -t a/x:1 context"),
  });
  expect(await old("ch-builder2tar a/x:1 out"), {
    code: 0,
    stderr: note("ch-builder2tar", "ch-convert -i ch-image a/x:1 ./out/a%x+1.tar.gz"),
  });
  expect(await old("ch-tar2dir out/a%x+1.tar.gz out"), { code: 0 });
  expect(await work.run(["ch-run", "out/a%x+1", "--", "cat", "/hi"]), { code: 0, stdout: "hi\n" });
  expect(await old("ch-dir2squash out/a%x+1 out"), { code: 0 });
  assert(exists(`${work.path}/out/a%x+1.sqfs`));
  expect(await old("ch-builder2squash a/x:1 out"), { code: 0 });

  // By word as well, and with the status of what it runs.
  expect(await work.run(["ch", "builder2tar", "gone", "out"]), {
    code: 1,
    stderr: /^ch-builder2tar: note: /,
  });
  expect(await old("ch-ssh host ls"), {
    code: 1,
    stdout: "",
    stderr:
      "ch-ssh: error: this command is no more\nch-ssh: hint: give ssh the whole command: ssh HOST ch-run IMAGE -- COMMAND\n",
  });
});
