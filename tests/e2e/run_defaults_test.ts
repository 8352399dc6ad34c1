// What the image says of itself, on request: --image-env, --image-cmd; and --dry-run.

import assert from "node:assert/strict";
import { expect, test, type Tree } from "../rig.ts";
import { testRuns } from "./run_cases.ts";

const CONFIG = {
  config: {
    Env: ["FROM=registry", "LIST=$HOME:x"],
    Entrypoint: ["printf", "[%s]"],
    Cmd: ["a b", "c"],
    WorkingDir: "/usr",
    User: "nobody",
  },
};
const pulled: Tree = { "ch/config.pulled.json": JSON.stringify(CONFIG) };

testRuns("ch-run --image-cmd", [
  {
    name: "runs ENTRYPOINT with CMD",
    image: pulled,
    args: ["--image-cmd", "{D}"],
    expected: { code: 0, stdout: "[a b][c]", stderr: "" },
  },
  {
    name: "runs ENTRYPOINT with the user's words",
    image: pulled,
    args: ["--image-cmd", "{D}", "--", "mine", "-v"],
    expected: { code: 0, stdout: "[mine][-v]" },
  },
  {
    name: "starts in WORKDIR",
    image: { "ch/config.pulled.json": '{"config": {"Cmd": ["pwd"], "WorkingDir": "/usr"}}' },
    args: ["--image-cmd", "{D}"],
    expected: { code: 0, stdout: "/usr\n" },
  },
  {
    name: "leaves --cd the last word",
    image: { "ch/config.pulled.json": '{"config": {"Cmd": ["pwd"], "WorkingDir": "/usr"}}' },
    args: ["--image-cmd", "--cd=/mnt", "{D}"],
    expected: { code: 0, stdout: "/mnt\n" },
  },
  {
    name: "shows what it runs at -v",
    image: pulled,
    args: ["-v", "--image-cmd", "{D}"],
    expected: { code: 0, stderr: /executing: printf "\[%s\]" "a b" c \(/ },
  },
  {
    name: "of an image without a command",
    args: ["--image-cmd", "{D}"],
    expected: {
      code: 31,
      stderr:
        /error: --image-cmd: the image has neither ENTRYPOINT nor CMD \(.*\n.*hint: say which/,
    },
  },
  {
    name: "of an image with damaged metadata",
    image: { "ch/config.pulled.json": "{" },
    args: ["--image-cmd", "{D}"],
    expected: { code: 31, stderr: /error: can't parse JSON: \/ch\/config\.pulled\.json: / },
  },
  {
    name: "not given: upstream's error",
    image: pulled,
    args: ["{D}"],
    expected: { code: 31, stderr: /error: IMAGE and\/or COMMAND not specified/ },
  },
]);

testRuns("ch-run --image-env", [
  {
    name: "sets the registry's variables, as they are",
    image: pulled,
    args: ["--image-env", "{D}", "--", "sh", "-c", 'echo "$FROM $LIST"; pwd'],
    expected: { code: 0, stdout: "registry $HOME:x\n/\n" },
  },
  {
    name: "not given: none of them",
    image: pulled,
    args: ["{D}", "--", "sh", "-c", "echo ${FROM-unset}"],
    expected: { code: 0, stdout: "unset\n" },
  },
  {
    name: "prefers /ch/environment",
    image: { ...pulled, "ch/environment": "FROM=file\n" },
    args: ["--image-env", "{D}", "--", "sh", "-c", "echo $FROM"],
    expected: { code: 0, stdout: "file\n" },
  },
  {
    name: "acts in turn with --set-env and --unset-env",
    image: pulled,
    args: [
      "--set-env=FROM=early",
      "--image-env",
      "--set-env=TWO=$FROM",
      "--unset-env=LIST",
      "{D}",
      "--",
      "sh",
      "-c",
      "echo $FROM $TWO ${LIST-unset}",
    ],
    expected: { code: 0, stdout: "registry registry unset\n" },
  },
  {
    name: "finds a command by the image's PATH",
    image: {
      "ch/config.pulled.json": '{"config": {"Env": ["PATH=/only"], "Cmd": ["tool"]}}',
      "only/tool": { content: "#!/bin/sh\necho ran\n", mode: 0o755 },
    },
    args: ["--image-env", "--image-cmd", "{D}"],
    expected: { code: 0, stdout: "ran\n" },
  },
  {
    name: "of an image that says nothing",
    args: ["--image-env", "{D}", "--", "echo", "fine"],
    expected: { code: 0, stdout: "fine\n", stderr: "" },
  },
]);

test(
  "ch-run --image-cmd --image-env of a SquashFS image",
  async (work) => {
    const image = work.image("image", pulled);
    await work.must('mksquashfs "$1" "$1.sqfs" -quiet -no-progress', [image]);
    expect(await work.run(["ch-run", "--image-cmd", "--image-env", `${image}.sqfs`]), {
      code: 0,
      stdout: "[a b][c]",
    });
  },
  "fuse",
  "mksquashfs",
);

test("ch-run --image-env of an image that ch-image built", async (work) => {
  const image = work.image();
  work.tree("context", { "Dockerfile": "FROM base\nENV FROM=dockerfile\nWORKDIR /opt/new\n" });
  await work.must('ch-image import "$1" base && ch-image build -t made context', [image]);
  const words = [
    "ch-run",
    "--image-env",
    "--image-cmd",
    "made",
    "--",
    "sh",
    "-c",
    "echo $FROM; pwd",
  ];
  expect(await work.run(words), { code: 0, stdout: "dockerfile\n/opt/new\n" });
});

test("ch-run --dry-run prints one step a line and does nothing", async (work) => {
  const image = work.image();
  const before = await work.must("find . | sort");
  const result = await work.run([
    "ch-run",
    "--dry-run",
    "--overlay=layer",
    `-b${work.path}/home:/mnt/new`,
    "-c/usr",
    image,
    "--",
    "touch",
    "/tmp/ch-test-dry-run",
  ]);
  expect(result, { code: 0, stderr: "" });
  assert.deepEqual(
    result.stdout.replaceAll(work.path, "W").split("\n").filter((line) =>
      /^(directory|hold|user_namespace|root|overlay|bind W|pivot|chdir|exec)/.test(line)
    ).map((line) => line.replace(/(uid|gid) .*|\(.*/, "…")),
    [
      "directory W/layer mode 755",
      "hold W/layer/image for layer",
      "user_namespace …",
      "user_namespace …",
      "root W/image read-only",
      "overlay kept=W/layer",
      "bind W/home at /mnt/new make ranch",
      "pivot",
      "chdir /usr",
      "exec touch /tmp/ch-test-dry-run …",
    ],
  );
  assert.equal(
    await work.must("find . | sort; ls /tmp/ch-test-dry-run 2>/dev/null || true"),
    before,
  );
});

test("ch-run --dry-run of a SquashFS image does not make the mount point", async (work) => {
  const image = work.image();
  await work.must('mksquashfs "$1" "$1.sqfs" -quiet -no-progress', [image]);
  const user = `ch-test-${crypto.randomUUID().slice(0, 8)}`;
  const words = ["ch-run", "--dry-run", `${image}.sqfs`, "--", "true"];
  expect(await work.run(words, { env: { USER: user } }), {
    code: 0,
    stdout: new RegExp(
      `^directory /var/tmp/${user}\\.ch mode 755\n(.*\n)*squashfs .* at /var/tmp/${user}`,
    ),
  });
  await work.must(`test ! -e /var/tmp/${user}.ch`);
}, "mksquashfs");

test("ch-run --dry-run tells an error as ever", async (work) => {
  expect(await work.run(["ch-run", "--dry-run", "nosuch", "--", "true"]), {
    code: 31,
    stdout: "",
    stderr: /can't stat: nosuch/,
  });
});

test("ch-run -vv prints the steps as --dry-run does, and takes them", async (work) => {
  const image = work.image();
  const plan = (await work.run(["ch-run", "--dry-run", image, "--", "echo", "ran"])).stdout;
  const { stdout, stderr } = await work.run(["ch-run", "-vv", image, "--", "echo", "ran"]);
  assert.equal(stdout, "ran\n");
  const shown = [...stderr.matchAll(/^ch-run\[\d+\]: plan: (.*) \(\S+\)$/gm)].map(([, line]) =>
    `${line}\n`
  );
  assert.equal(shown.join(""), plan);
});
