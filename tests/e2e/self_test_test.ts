// ch-test, the check that sites make of an installation (spec other-tools §3), tried on this machine.

import assert from "node:assert/strict";
import { exists, expect, rig, test, type Workplace } from "../rig.ts";

/** Its data directories, as options. */
function places(work: Workplace): string[] {
  return [`--pack-dir=${work.path}/pack`, `--img-dir=${work.path}/img`];
}

test(
  "ch-test passes on this machine, and clean removes what it made",
  async (work) => {
    const all = await work.run(["ch-test", "all", "--scope=full", ...places(work)]);
    expect(all, {
      code: 0,
      stdout: /^0?[^]*\n\d+ passed, 0 failed, \d+ skipped\nAll tests passed\.\n$/,
    });
    assert.match(
      all.stdout,
      /^scope: {5}full \(command line\)\npack-fmt: {2}squash-mount \(default\)\n/,
    );
    for (const phase of ["build", "rootemu", "run"]) {
      assert.match(all.stdout, new RegExp(`^ok {7}${phase}: `, "m"));
    }
    assert.equal(all.stderr, "");
    assert(exists(`${work.path}/pack/WEIRD_AL_YANKOVIC`));
    assert(!exists(`${work.path}/storage`), "the user's storage directory is none of its business");
    assert(!exists(`/tmp/ch-test.tmp.${rig.user}`));

    // Part of it again, on an unpacked image.
    const part = ["ch-test", "--file=run:bound", "--pack-fmt=squash-unpack", ...places(work)];
    expect(await work.run(part), { code: 1, stdout: /FAILED/ });
    const run = ["ch-test", "run", "--scope=quick", "--pack-fmt=squash-unpack", ...places(work)];
    expect(await work.run(run), { code: 0, stdout: /All tests passed\.\n$/ });
    expect(await work.run(part), { code: 0, stdout: /\n1 passed, 0 failed, 0 skipped\nAll/ });

    expect(await work.run(["ch-test", "clean", "--dry-run", ...places(work)]), {
      code: 0,
      stdout: new RegExp(`^to remove  ${work.path}/pack$`, "m"),
    });
    assert(exists(`${work.path}/pack`));
    expect(await work.run(["ch-test", "clean", ...places(work)]), { code: 0, stdout: "" });
    assert(!exists(`${work.path}/pack`) && !exists(`${work.path}/img`));
  },
  "fuse",
);

test("ch-test tells what fails, and programs of another version", async (work) => {
  await work.must('mkdir bin; cp "$1/ch" bin; ln -s ch bin/ch-test', [rig.bin]);
  const fake = "#!/bin/sh\necho 0.39\n";
  work.tree("bin", { "ch-convert": { content: fake, mode: 0o755 } });
  const result = await work.run(["bin/ch-test", "build", "--scope=quick", ...places(work)]);
  expect(result, {
    code: 1,
    stdout:
      /^FAILED {3}build: ch-convert packs the image \(status 1\)\n {9}0\.39\n2 passed, 1 failed/m,
    stderr: /^warning: inconsistent ch-convert version: 0\.39, not 0\.4/,
  });
  assert.doesNotMatch(result.stdout, /All tests passed/);
});

test("ch-test removes nothing that is not its own", async (work) => {
  work.tree("pack", { "thesis.tex": "text" });
  expect(await work.run(["ch-test", "build", ...places(work)]), {
    code: 1,
    stderr: /^error: directory is not empty, and not ch-test’s: \/.*\/pack\nhint: /,
  });
  expect(await work.run(["ch-test", "clean", ...places(work)]), { code: 1, stderr: /^error: / });
  assert(exists(`${work.path}/pack/thesis.tex`));
});

const all = (...options: string[]) => ["ch-test", "all", ...options];

for (
  const [what, command, env, stderr] of [
    ["no arguments", ["ch-test"], {}, /^usage: ch-test /],
    ["no phase", ["ch-test", "--dry-run"], {}, /^error: phase: no phase specified\n/],
    ["an unknown phase", ["ch-test", "examples"], {}, /^error: phase: invalid: examples\n/],
    ["an unknown scope", all(), { CH_TEST_SCOPE: "huge" }, /^error: invalid scope: huge\nhint: /],
    ["a relative directory", all("--img-dir=x"), {}, /^error: not an absolute path: x\n/],
    ["a check that is not there", ["ch-test", "-f", "run:nosuch"], {}, /^error: --file: no check/],
    ["FI_PROVIDER", all(), { FI_PROVIDER: "x" }, /^error: \$FI_PROVIDER is set/],
    ["no user", all(), { USER: undefined }, /^error: can’t get username: \$USER not set\n/],
    ["running before building", ["ch-test", "run"], {}, /^error: no packed image: .*\nhint: /],
  ] as const
) {
  test(`ch-test refuses: ${what}`, async (work) => {
    const data = { CH_TEST_TARDIR: `${work.path}/pack`, CH_TEST_IMGDIR: `${work.path}/img` };
    expect(await work.run(command, { env: { ...data, ...env } }), { code: 1, stderr });
    assert(!exists(`${work.path}/pack`) && !exists(`${work.path}/img`));
  });
}

test("ch-test --dry-run names the checks, and makes nothing", async (work) => {
  const env = { CH_TEST_SCOPE: "quick" };
  const result = await work.run(["ch", "test", "all", "--dry-run", ...places(work)], { env });
  expect(result, { code: 0, stdout: /^scope: {5}quick \(environment\)\n/, stderr: "" });
  assert.match(result.stdout, /^to check {2}build: ch-convert packs the image$/m);
  assert.doesNotMatch(result.stdout, /rootemu/);
  assert(!exists(`${work.path}/pack`));
});
