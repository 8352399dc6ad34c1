// ch-image build where a step fails: what is said, and the shell in what it left.

import assert from "node:assert/strict";
import { expect, test } from "../rig.ts";
import { prepare, testBuilds } from "./build_case.ts";

testBuilds([
  {
    name: "a failed RUN is shown with place, status and last lines",
    dockerfile: "FROM base\n\nRUN echo one; echo two >&2; \\\n  exit 3\n",
    expected: {
      code: 1,
      stdout: "one\n",
      stderr:
        /error: build failed: RUN command exited with 3\nhint: at \S*context\/Dockerfile:3: RUN\.S echo one; echo two >&2; {3}exit 3\nhint: it printed last:\n(?: {2}one\n {2}two\n| {2}two\n {2}one\n)$/,
    },
  },
  {
    name: "a failed COPY is shown with its place",
    dockerfile: "FROM base\nRUN mkdir /d /d/f\nCOPY f /d/\n",
    context: { f: "" },
    expected: {
      code: 1,
      stderr: /error: [^\n]*\nhint: at \S*Dockerfile:3: COPY \['f'\] -> '\/d\/'\n$/,
    },
  },
  {
    name: "--force=none says that --force would help",
    dockerfile: "FROM base\nRUN touch /f && chown 5:6 /f\n",
    args: ["--force=none", "-t", "t"],
    expected: { code: 1, stderr: /\nhint: it lacked privilege; --force=seccomp would help\n$/ },
  },
  {
    name: "a process left in the background does not hold the build up",
    dockerfile: "FROM base\nRUN sleep 300 & echo done\n",
    expected: { code: 0, stdout: "done\n" },
  },
]);

test("ch-image build: output in one file keeps its order", async (work) => {
  await prepare(work, "FROM base\nRUN for i in 1 2 3; do echo o$i; echo e$i >&2; done\n");
  const log = await work.must("ch-image build -t t context >log 2>&1; grep '^[oe]' log");
  assert.equal(log, "o1\ne1\no2\ne2\no3\ne3\n");
});

test("ch-image build --shell-on-fail sees what the step left, and keeps nothing", async (work) => {
  await prepare(work, "FROM base\nENV A=a\nWORKDIR /w\nRUN echo bye >left; exit 3\n");
  const command = ["ch-image", "build", "--shell-on-fail", "-t", "t", "context"];
  const stdin = "cat left; echo $A $PWD; touch /from-shell\n";
  expect(await work.run(command, { stdin }), {
    code: 1,
    stdout: "bye\na /w\n",
    stderr: /--shell-on-fail: \/bin\/sh in the failed step[^]*RUN command exited with 3\n/,
  });
  // The next build begins where this one failed.
  await work.must("sed -i 's/; exit 3//' context/Dockerfile");
  expect(await work.run(["ch-image", "build", "-t", "t", "context"]), {
    code: 0,
    stderr: /3\* WORKDIR[^]*4\. RUN/,
  });
  await work.must("test -e storage/img/t/w/left && ! test -e storage/img/t/from-shell");
});

test("ch-image build --no-cache-filter builds the named stages anew", async (work) => {
  await prepare(work, "FROM base AS one\nRUN echo 1\nFROM base\nRUN echo 2\n");
  await work.must("ch-image build -t t context");
  const again = ["ch-image", "build", "-t", "t", "--no-cache-filter=one"];
  expect(await work.run([...again, "context"]), { code: 0, stdout: "1\n" });
  expect(await work.run([...again, "--no-cache-filter=1", "context"]), {
    code: 0,
    stdout: "1\n2\n",
  });
  expect(await work.run(["ch-image", "build", "--no-cache-filter=x", "-t", "t", "context"]), {
    code: 1,
    stderr: /error: --no-cache-filter: no such stage: x\n/,
  });
});
