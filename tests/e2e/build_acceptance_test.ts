// Those lines of the acceptance checklists (spec dockerfile §14, spec ch-image §19) that no test of a single
// part of ch-image build covers; the numbers are the checklists'.

import assert from "node:assert/strict";
import { expect, test, type Workplace } from "../rig.ts";
import { type BuildCase, prepare, testBuilds } from "./build_case.ts";

const CASES: readonly BuildCase[] = [
  {
    name: "5: comment lines in a continuation are text",
    dockerfile: "FROM base\nRUN echo a \\\n# c \\\n b\n",
    expected: { code: 0, stdout: "a\n", stderr: /^ {2}2\. RUN\.S echo a # c {2}b$/m },
  },
  {
    name: "12: ENV has escapes, ARG has none",
    dockerfile: 'FROM base\nENV A="x\\ty"\nARG B=\\t\nRUN echo "$A$B" | od -c | head -n 1\n',
    expected: { code: 0, stdout: /x {2}\\t {3}y {3}\\ {3}t {2}\\n/ },
  },
  {
    name: "15: modifiers of variables in shell-form RUN are the shell's",
    dockerfile: "FROM base\nENV A=${no:-x}\nRUN v=; echo $A ${v:-y}\n",
    expected: { code: 0, stdout: "x y\n", stderr: /RUN\.S v=; echo \$A \$\{v:-y\}$/m },
  },
  {
    name: "21: --build-arg with a second equals sign",
    dockerfile: "FROM base\nARG A\nRUN echo $A\n",
    args: ["-t", "t", "--build-arg", "A=x=y"],
    expected: { code: 0, stdout: "x=y\n" },
  },
  {
    name: "27: earlier stages are listed",
    dockerfile: "FROM base\nFROM base\nFROM base\n",
    expected: { code: 0 },
    after: "ch-image list",
    prints: "base\nt\nt_stage0\nt_stage1\n",
  },
  ...([
    ["0", "stage 0 is the current stage"],
    ["1", "stage 1 does not exist yet"],
    ["-1", "invalid negative stage index -1"],
    ["nobody", "stage nobody does not exist"],
  ] as const).map(([name, message]): BuildCase => ({
    name: `29: COPY --from=${name} in the first of two stages`,
    dockerfile: `FROM base\nCOPY --from=${name} /f /\nFROM base\n`,
    expected: { code: 1, stderr: new RegExp(`^error: --from: ${message}$`, "m") },
    after: "test ! -e storage/img/t",
  })),
  {
    name: "31: links below a copied directory are kept, the named one is followed",
    dockerfile: "FROM base\nCOPY to-dir /new/\nCOPY d/link /file\n",
    context: {
      "d/f": "F",
      "d/link": { link: "f" },
      "d/out": { link: "/etc/passwd" },
      "to-dir": { link: "d" },
    },
    expected: { code: 0 },
    after: "cd $I; readlink new/link new/out; test ! -L file; cat file",
    prints: "f\n/etc/passwd\nF",
  },
  {
    name: "40: a SHELL without -c",
    dockerfile: 'FROM base\nSHELL ["/bin/sh"]\nRUN true\n',
    expected: { code: 1, stderr: /^error: build failed: RUN command exited with 2$/m },
  },
  {
    name: "49: only the command of --force-cmd is altered",
    dockerfile: "FROM base\nCOPY apt-get foo /bin/\nRUN apt-get x; foo y\n",
    context: {
      "apt-get": { content: '#!/bin/sh\necho apt "$@"\n', mode: 0o755 },
      "foo": { content: '#!/bin/sh\necho foo "$@"\n', mode: 0o755 },
    },
    args: ["-t", "t", "--force-cmd=foo,-a"],
    expected: { code: 0, stdout: "apt x\nfoo -a y\n" },
  },
  {
    name: "52: CMD and others of its kind take part, and are kept",
    dockerfile: "FROM base\nCMD x\nUSER u\nEXPOSE 1\n",
    expected: { code: 0, stderr: /^ {2}3\. USER u\n[^]*^grown in 4 instructions: t$/m },
    after: 'grep -c "\\"User\\": *\\"u\\"" $I/ch/metadata.json',
    prints: "1\n",
  },
  {
    name: "# check= is a comment",
    dockerfile: "# check=skip=all;error=true\nFROM base\nRUN echo hi\n",
    expected: { code: 0, stdout: "hi\n", stderr: /^ {2}2\* FROM base$/m },
  },
  {
    name: "--platform= of FROM is the base's, which must be for it",
    dockerfile: "FROM --platform=linux/riscv64 base\n",
    expected: { code: 1, stderr: /error: image in storage is for another platform: base: / },
  },
];

testBuilds(CASES);

test("ch-image build: 9: a directive's warning is shown when it is met, and in the end", async (work) => {
  await prepare(work, "# syntax=x\nFROM base\n");
  const { stderr } = await work.run(["ch-image", "build", "-t", "t", "context"]);
  assert.equal(stderr.match(/^warning: not supported, ignored: parser directives$/gm)?.length, 2);
});

test("ch-image build: 18: the value of a proxy is no reason to build anew", async (work) => {
  await prepare(work, "FROM base\nARG HTTP_PROXY\nRUN echo $HTTP_PROXY\n");
  const command = ["ch-image", "build", "-t", "t", "context"];
  expect(await work.run(command, { env: { HTTP_PROXY: "http://one" } }), {
    code: 0,
    stdout: "http://one\n",
  });
  expect(await work.run(command, { env: { HTTP_PROXY: "http://two" } }), {
    code: 0,
    stdout: "",
    stderr: /^ {2}2\* ARG HTTP_PROXY= \[special\]\n {2}3\* RUN/m,
  });
});

for (
  const [file, name] of [
    ["Dockerfile.@FOO.bar", "foo.bar"],
    ["baz.@QUX.dockerfile", "baz.qux"],
  ] as const
) {
  test(`ch-image build: 56: the name inferred from ${file}`, async (work) => {
    await prepare(work, "");
    work.tree("context", { [file]: "FROM base\n" });
    expect(await work.run(["ch-image", "build", "-f", `context/${file}`, "context"]), {
      code: 0,
      stderr: new RegExp(`^inferred image name: ${name}\n`),
    });
  });
}

const HISTORY = ["ENV A='1'", "RUN.S true", "RUN.S echo new"];

test("ch-image build: 57: the history has what was cached and what was not", async (work) => {
  await prepare(work, "FROM base\nENV A=1\nRUN true\nRUN echo old\n");
  await work.must("ch-image build -t t context");
  work.tree("context", { Dockerfile: "FROM base\nENV A=1\nRUN true\nRUN echo new\n" });
  expect(await work.run(["ch-image", "build", "-t", "t", "context"]), {
    code: 0,
    stderr: /^ {2}3\* RUN[^\n]*\n {2}4\. RUN/m,
  });
  const text = Deno.readTextFileSync(`${work.path}/storage/img/t/ch/metadata.json`);
  const { history } = JSON.parse(text) as { history: { created_by?: string }[] };
  assert.deepEqual(history.flatMap(({ created_by }) => created_by ?? []), HISTORY);
});

test("ch-image build: ch-image 53: a bad tag leaves base and output alone", async (work) => {
  await prepare(work, "FROM base\nRUN echo old >/f\n");
  await work.must("ch-image build -t t context");
  work.tree("context", { Dockerfile: "FROM base\nRUN echo new >/f\n" });
  expect(await work.run(["ch-image", "build", "-t", "t:T@x", "context"]), {
    code: 1,
    stderr: /image ref syntax/,
  });
  // The same where the output is the base, and where the base is not to be had.
  expect(await work.run(["ch-image", "build", "-t", "base", "context"]), { code: 1 });
  assert.equal(await work.must("ch-image list; cat storage/img/t/f"), "base\nt\nold\n");
});

/** Instructions of the second run of ch-image modify with ARGS, by their status. */
async function modifyTwice(work: Workplace, args: readonly string[], stdin?: string) {
  await prepare(work, "");
  const command = ["ch-image", "modify", ...args];
  const options = stdin === undefined ? {} : { stdin };
  expect(await work.run(command, options), { code: 0 });
  const { stderr } = await work.run(command, options);
  return [...stderr.matchAll(/^ -1(.) /gm)].map(([, status]) => status).join("");
}

test("ch-image modify: 50: commands are cached", async (work) => {
  assert.equal(await modifyTwice(work, ["-c", "echo A", "-c", "echo B", "base", "out"]), "****");
});

test("ch-image modify: 51: a script on standard input is cached by its text", async (work) => {
  assert.equal(await modifyTwice(work, ["base", "out"], "echo hi\n"), "***");
});

test("ch-image push has the configuration that the Dockerfile gave", async (work) => {
  await prepare(
    work,
    'FROM base\nENV A=1\nWORKDIR /w\nCMD ["c"]\nENTRYPOINT ["/e"]\nUSER u:g\nEXPOSE 80\nVOLUME /v\n' +
      'STOPSIGNAL INT\nHEALTHCHECK --retries=2 CMD ["h"]\nONBUILD RUN x\nLABEL l=m\n',
  );
  await work.must("ch-image build --label n=o -t t context; ch-image push t oci:./out");
  const blobs = `${work.path}/out/blobs/sha256`;
  const texts = [...Deno.readDirSync(blobs)].map(({ name }) => `${blobs}/${name}`)
    .filter((path) => Deno.statSync(path).size < 100_000)
    .map((path) => new TextDecoder().decode(Deno.readFileSync(path)))
    .filter((text) => text.startsWith("{"));
  const { config } = texts.map((text) => JSON.parse(text)).find((each) => "rootfs" in each);
  const { Env, ...rest } = config;
  assert.ok(Env.includes("A=1"), Env);
  assert.deepEqual(rest, {
    Cmd: ["c"],
    Entrypoint: ["/e"],
    ExposedPorts: { "80/tcp": {} },
    Healthcheck: { Test: ["CMD", "h"], Retries: 2 },
    Labels: { l: "m", n: "o" },
    OnBuild: ["RUN x"],
    StopSignal: "INT",
    User: "u:g",
    Volumes: { "/v": {} },
    WorkingDir: "/w",
  });
});
