// ch-image build: the Dockerfile language as the user sees it, on a busybox base image.

import assert from "node:assert/strict";
import { exists, expect, test } from "../rig.ts";
import { build, type BuildCase, prepare, testBuilds } from "./build_case.ts";

const OK: readonly BuildCase[] = [
  {
    name: "lower-case instructions",
    dockerfile: "from base\nrun echo hi\n",
    expected: {
      code: 0,
      stdout: "hi\n",
      stderr: /^ {2}1\* FROM base\n[^]*^ {2}2\. RUN\.S echo hi\n[^]*^grown in 2 instructions: t$/m,
    },
  },
  {
    name: "CRLF",
    dockerfile: "FROM base\r\nRUN echo hi | od -c\r\n",
    expected: { code: 0, stdout: /h {3}i {2}\\n/ },
  },
  {
    name: "a continued line",
    dockerfile: "FROM base\nRUN echo a\\\nb; echo a  \\\nb; echo a\\  \nb\n",
    expected: { code: 0, stdout: "ab\na b\nab\n" },
  },
  {
    name: "a backslash within a line",
    dockerfile: "FROM base\nRUN printf 'a\\tb\\n'\n",
    expected: { code: 0, stdout: "a\tb\n" },
  },
  {
    name: "ENV with several pairs",
    dockerfile: 'FROM base\nENV A=1 B=$A C="x\\ty" D=q\nRUN echo "$A|$B|$C|$D"\n',
    expected: {
      code: 0,
      stdout: "1|1|x\ty|q\n",
      stderr: / {2}2\. ENV A='1'\n[^]* {2}2\. ENV B='1'\n/,
    },
    after: "cat $I/ch/environment | grep -E '^[ABCD]='",
    prints: "A=1\nB=1\nC=x\ty\nD=q\n",
  },
  {
    name: "ENV in the space form keeps trailing blanks",
    dockerfile: 'FROM base\nENV A b c \nRUN echo "<$A>"\n',
    expected: { code: 0, stdout: "<b c >\n" },
  },
  {
    name: "ENV with an escaped $",
    dockerfile: 'FROM base\nENV A=\\$B\nRUN echo "$A"\n',
    expected: { code: 0, stdout: "\\$B\n" },
  },
  {
    name: "undefined variables stay",
    dockerfile: 'FROM base\nENV A=$undef B=${undef}q\nRUN echo "$A $B"\n',
    expected: { code: 0, stdout: "$undef ${undef}q\n" },
  },
  {
    name: "a value with \\1 is inserted as it is",
    dockerfile: 'FROM base\nARG A=a\\1b\nENV B=$A\nRUN echo "$A $B"\n',
    expected: { code: 0 },
  },
  {
    name: "ENV wins over ARG",
    dockerfile: "FROM base\nENV A=env\nARG A=arg\nRUN echo $A\n",
    expected: { code: 0, stdout: "env\n" },
  },
  {
    name: "ARG and --build-arg",
    dockerfile: 'FROM base\nARG A\nARG B=dflt\nARG C=dflt\nRUN echo "$A|$B|$C"\n',
    args: ["-t", "t", "--build-arg", "A=x=y", "--build-arg", "B"],
    env: { B: "from host" },
    expected: { code: 0, stdout: "x=y|from host|dflt\n" },
  },
  {
    name: "ARG before FROM",
    dockerfile: "ARG i=base\nFROM ${i}\nRUN echo $i\n",
    expected: {
      code: 0,
      stdout: "base\n",
      stderr: /ARG i='base'[^]*FROM base[^]*grown in 3 instructions/,
    },
  },
  {
    name: "FROM --arg",
    dockerfile: "FROM --arg=os=base $os\nRUN echo $os\n",
    expected: { code: 0, stdout: "base\n" },
  },
  {
    name: "host proxies are seen and not saved",
    dockerfile: "FROM base\nRUN echo $http_proxy\n",
    env: { http_proxy: "http://p:1" },
    expected: { code: 0, stdout: "http://p:1\n" },
    after: "! grep -r http://p:1 $I/ch",
  },
  {
    name: "RUN sees the build's environment and nothing else of the host's",
    dockerfile: "FROM base\nENV A=1\nRUN env | cut -d= -f1 | sort\n",
    env: { SECRET: "x" },
    expected: {
      code: 0,
      stdout:
        /^(?![^]*SECRET)[^]*\bA\nCH_RUNNING\nFAKEROOTDONTTRYCHOWN\nHOME\nPATH\n(PWD\nSHLVL\n)?TAR_OPTIONS\nUSER\n$/,
    },
  },
  {
    name: "RUN has no input",
    dockerfile: "FROM base\nRUN cat; echo end\n",
    expected: { code: 0, stdout: "end\n" },
  },
  {
    name: "RUN is root",
    dockerfile: "FROM base\nRUN id -u; id -g; pwd; echo $HOME\n",
    expected: { code: 0, stdout: "0\n0\n/\n/root\n" },
  },
  {
    name: "RUN in list form",
    dockerfile: 'FROM base\nENV A=1\nRUN ["echo", "a b", "$A", "x\\ty"]\n',
    expected: { code: 0, stdout: "a b 1 x\ty\n" },
  },
  {
    name: "SHELL",
    dockerfile: 'FROM base\nSHELL ["/bin/sh", "-e", "-c"]\nRUN echo $-\n',
    expected: { code: 0, stdout: /e/, stderr: /SHELL \['\/bin\/sh', '-e', '-c'\]/ },
  },
  {
    name: "WORKDIR",
    dockerfile: "FROM base\nWORKDIR /a/b\nRUN pwd\nWORKDIR c\nRUN pwd && touch here\n",
    expected: { code: 0, stdout: "/a/b\n/a/b/c\n" },
    after: "test -e $I/a/b/c/here",
  },
  {
    name: "WORKDIR through an absolute symlink stays in the image",
    dockerfile: "FROM base\nRUN ln -s /etc /lnk\nWORKDIR /lnk/ch-test-q\n",
    expected: { code: 0 },
    after: "test -d $I/etc/ch-test-q -a ! -e /etc/ch-test-q",
  },
  {
    name: "LABEL is saved",
    dockerfile: 'FROM base\nLABEL a=1 b="x y"\n',
    expected: { code: 0 },
    after: "tr -d ' \\n' < $I/ch/metadata.json | grep -o '\"labels\":{[^}]*}'",
    prints: '"labels":{"a":"1","b":"xy"}\n',
  },
  {
    name: "COPY of a file, a directory and into missing parents",
    dockerfile: "FROM base\nCOPY f /x/y/z\nCOPY dir /new\nCOPY f dir/g /many/\nCOPY f /\n",
    context: { "f": "file\n", "dir/g": "g\n", "dir/link": { link: "g" }, "dir/sub/h": "h\n" },
    expected: { code: 0, stderr: /COPY \['f'\] -> '\/x\/y\/z'/ },
    after: "cd $I && cat x/y/z new/g new/sub/h many/f many/g f && readlink new/link",
    prints: "file\ng\nh\nfile\ng\nfile\ng\n",
  },
  {
    name: "COPY keeps modes",
    dockerfile: "FROM base\nCOPY x y /\n",
    context: { "x": { content: "x", mode: 0o755 }, "y": { content: "y", mode: 0o600 } },
    expected: { code: 0 },
    after: "stat -c %a $I/x $I/y",
    prints: "755\n600\n",
  },
  {
    name: "COPY with a glob",
    dockerfile: "FROM base\nCOPY *.txt sub?/[ab] /d/\n",
    context: { "1.txt": "1", "2.txt": "2", ".3.txt": "3", "sub1/a": "a", "sub1/c": "c" },
    expected: { code: 0 },
    after: "ls -A $I/d",
    prints: "1.txt\n2.txt\na\n",
  },
  {
    name: "COPY in list form",
    dockerfile: 'FROM base\nCOPY ["a b", "/c d"]\n',
    context: { "a b": "x\n" },
    expected: { code: 0 },
    after: 'cat "$I/c d"',
    prints: "x\n",
  },
  {
    name: "COPY follows a symlink in the destination inside the image",
    dockerfile: "FROM base\nRUN ln -s /usr/t /lnk && mkdir /usr/t\nCOPY f /lnk/\n",
    context: { "f": "x" },
    expected: { code: 0 },
    after: "test -f $I/usr/t/f -a ! -e /usr/t",
  },
  {
    name: "COPY --from a stage, by index and name",
    dockerfile:
      "FROM base AS one\nRUN echo 1 > /one\nFROM base\nRUN echo 2 > /two\nFROM base\nCOPY --from=one /one /\nCOPY --from=1 /two /\n",
    expected: { code: 0 },
    after: "cat $I/one $I/two && ch-image list",
    prints: "1\n2\nbase\nt\nt_stage0\nt_stage1\n",
  },
  {
    name: "FROM an earlier stage",
    dockerfile: "FROM base AS a\nRUN touch /x\nFROM a\nRUN ls /x\n",
    expected: { code: 0, stdout: "/x\n", stderr: /FROM base AS a[^]*FROM a\n/ },
  },
  {
    name: "FROM scratch",
    dockerfile: "FROM scratch\nCOPY f /\n",
    context: { "f": "x" },
    expected: { code: 0 },
    after: "test -f $I/f -a -d $I/dev -a -d $I/mnt/9",
  },
  {
    name: "a parser directive warns",
    dockerfile: "# syntax=x\nFROM base\n",
    expected: {
      code: 0,
      stderr: /warning: not supported, ignored: parser directives[^]*reprinting 1 warning/,
    },
  },
  {
    name: ".dockerignore warns and is ignored",
    dockerfile: "FROM base\nCOPY f /\n",
    context: { ".dockerignore": "*\n", "f": "x" },
    expected: {
      code: 0,
      stderr: /warning: not yet supported, ignored: issue #777: .dockerignore file/,
    },
  },
  {
    name: "COPY --chown leaves the file the user’s",
    dockerfile: "FROM base\nCOPY --chown=1:1 f /\n",
    context: { "f": "x" },
    expected: { code: 0, stderr: /^ {2}2\. COPY --chown=1:1 \['f'\] -> '\/'\n/m },
    after: 'test "$(stat -c %u "$I/f")" = "$(id -u)"',
  },
  {
    name: "an inferred name",
    dockerfile: "FROM base\n",
    args: [],
    expected: { code: 0, stderr: /inferred image name: context/ },
  },
  {
    name: "--bind",
    dockerfile: "FROM base\nRUN cat /mnt/0/Dockerfile\n",
    args: ["-t", "t", "-b", "context:/mnt/0"],
    expected: { code: 0, stdout: "FROM base\nRUN cat /mnt/0/Dockerfile\n" },
    after: "test ! -e $I/mnt/0/Dockerfile",
  },
  {
    name: "chown is faked",
    dockerfile: "FROM base\nRUN touch /f && chown 5:6 /f && stat -c %u /f\n",
    expected: { code: 0, stdout: "0\n" },
  },
  {
    name: "apt-get gets its sandbox option",
    dockerfile: "FROM base\nCOPY apt-get /bin/\nRUN apt-get install x\n",
    context: { "apt-get": { content: '#!/bin/sh\necho "$@"\n', mode: 0o755 } },
    expected: {
      code: 0,
      stdout: "-o APT::Sandbox::User=root install x\n",
      stderr:
        /RUN\.S apt-get install x\n[^]*--force: RUN: new command: \[.*APT::Sandbox::User=root.*\][^]*--force=seccomp: modified 1 RUN instructions/,
    },
  },
  {
    name: "--force-cmd replaces the default",
    dockerfile: "FROM base\nRUN echo apt-get x; echo a b\n",
    args: ["-t", "t", "--force-cmd=echo,-n"],
    expected: { code: 0, stdout: "apt-get xa b" },
  },
  {
    name: "-qq keeps RUN's output down but not its stderr",
    dockerfile: "FROM base\nRUN echo out; echo err >&2\n",
    args: ["-qq", "-t", "t"],
    expected: { code: 0, stdout: "", stderr: "err\n" },
  },
  {
    name: "--parse-only",
    dockerfile: "FROM nosuch\nRUN true\n",
    args: ["--parse-only", "-t", "t"],
    expected: { code: 0, stdout: "", stderr: "" },
    after: "ch-image list",
    prints: "base\n",
  },
  {
    name: "a RUN may remove what was there",
    dockerfile: "FROM base\nRUN rm -r /mnt /etc/group && mkdir /mnt && touch /mnt/only\n",
    expected: { code: 0 },
    after: "ls -A $I/mnt; test ! -e $I/etc/group",
    prints: "only\n",
  },
];

const FAILING: readonly BuildCase[] = [
  {
    name: "an unknown instruction",
    dockerfile: "FROM base\nNOSUCH x\n",
    expected: { code: 1, stdout: "", stderr: /error: can.t parse: \S*Dockerfile:2,1\n/ },
  },
  {
    name: "a bad column",
    dockerfile: "FROM base\nENV A=1 B\n",
    expected: { code: 1, stderr: /error: can.t parse: \S*Dockerfile:2,\d+\n\nENV A=1 B\n +\^\n/ },
  },
  {
    name: "only comments",
    dockerfile: "# nothing\n",
    expected: { code: 1, stderr: /error: no instructions found: \S*Dockerfile/ },
  },
  {
    name: "RUN first",
    dockerfile: "RUN true\n",
    expected: { code: 1, stderr: /error: first instruction must be ARG or FROM/ },
  },
  {
    name: "an unbalanced quote",
    dockerfile: 'FROM base\nENV A=b"c\n',
    expected: { code: 1, stderr: /error: can.t parse: / },
  },
  {
    name: "an unset --build-arg",
    dockerfile: "FROM base\nARG X\n",
    args: ["-t", "t", "--build-arg", "X"],
    expected: { code: 1, stderr: /error: --build-arg: X: no value and not in environment/ },
  },
  {
    name: "an unused --build-arg",
    dockerfile: "FROM base\n",
    args: ["-t", "t", "--build-arg", "X=1"],
    expected: { code: 1, stderr: /error: --build-arg: not consumed: X/ },
  },
  {
    name: "FROM $undef",
    dockerfile: "FROM $undef\n",
    expected: { code: 1, stderr: /error: image reference contains an undefined variable: \$undef/ },
  },
  {
    name: "output as base",
    dockerfile: "FROM base\n",
    args: ["-t", "base"],
    expected: { code: 1, stderr: /error: output image ref same as FROM: base/ },
  },
  {
    name: "a bad tag",
    dockerfile: "FROM base\n",
    args: ["-t", "Bad"],
    expected: { code: 1, stderr: /error: image ref syntax/ },
  },
  {
    name: "COPY of a missing file",
    dockerfile: "FROM base\nCOPY nosuch /\n",
    expected: { code: 1, stderr: /error: source not found: nosuch/ },
  },
  {
    name: "COPY from outside by ..",
    dockerfile: "FROM base\nCOPY ../image/etc/passwd /\n",
    expected: {
      code: 1,
      stderr: /error: can.t copy from outside context: \.\.\/image\/etc\/passwd/,
    },
  },
  {
    name: "COPY from outside by symlink",
    dockerfile: "FROM base\nCOPY link /\n",
    context: { "link": { link: "/etc/hostname" } },
    expected: { code: 1, stderr: /error: can.t copy from outside context: link/ },
  },
  {
    name: "COPY to outside",
    dockerfile: "FROM base\nCOPY f ../../../../../../../../tmp/ch-test-escaped\n",
    context: { "f": "x" },
    expected: {},
    after: "test ! -e /tmp/ch-test-escaped",
  },
  {
    name: "COPY of two on a file",
    dockerfile: "FROM base\nCOPY a b /etc/passwd\n",
    context: { "a": "", "b": "" },
    expected: { code: 1, stderr: /error: can.t COPY: not a directory: / },
  },
  ...[
    ["0", /--from: stage 0 is the current stage/],
    ["1", /--from: stage 1 does not exist yet/],
    ["-1", /--from: invalid negative stage index -1/],
    ["x", /--from: stage x does not exist/],
  ].map(([stage, stderr]): BuildCase => ({
    name: `COPY --from=${stage}`,
    dockerfile: `FROM base\nCOPY --from=${stage} /a /b\nFROM base\n`,
    expected: { code: 1, stderr: stderr as RegExp },
  })),
  {
    name: "RUN that fails",
    dockerfile: "FROM base\nRUN exit 3\n",
    expected: {
      code: 1,
      stderr:
        /something went wrong, rolling back \.\.\.\n[^]*error: build failed: RUN command exited with 3/,
    },
  },
  {
    name: "RUN killed by a signal",
    dockerfile: "FROM base\nRUN kill -9 $$\n",
    expected: { code: 1, stderr: /error: build failed: RUN command exited with -9/ },
  },
  {
    name: "RUN of a missing program",
    dockerfile: 'FROM base\nRUN ["nosuch"]\n',
    expected: { code: 1, stderr: /error: build failed: RUN command exited with 49/ },
  },
  {
    name: "--force=none lets chown fail",
    dockerfile: "FROM base\nRUN touch /f && chown 5:6 /f\n",
    args: ["--force=none", "-t", "t"],
    expected: { code: 1, stderr: /RUN\.N touch[^]*error: build failed: RUN command exited with 1/ },
  },
];

testBuilds(OK);

for (const entry of FAILING) {
  test(`ch-image build fails: ${entry.name}`, async (work) => {
    await build(work, entry);
    const { stdout } = await work.run(["ch-image", "list"]);
    assert.match(stdout, /^base$/m, "the base image is gone");
    expect(await work.run(["ch-run", "base", "--", "echo", "intact"]), {
      code: 0,
      stdout: "intact\n",
    });
  });
}

test("ch-image build refuses a missing context and an unknown option", async (work) => {
  expect(await work.run(["ch-image", "build", "-t", "t", "nosuch"]), {
    code: 1,
    stderr: /error: context must be a directory: nosuch/,
  });
  expect(await work.run(["ch-image", "build", "--platform=x", "."]), { code: 2, stderr: /usage:/ });
  expect(await work.run(["ch-image", "build", "--force=nosuch", "."]), {
    code: 2,
    stderr: /usage:/,
  });
  expect(await work.run(["ch-image", "build", "-t", "t", "https://x/y"]), {
    code: 1,
    stderr: /issue #773: URL context/,
  });
});

test("ch-image build reads the Dockerfile from stdin", async (work) => {
  await prepare(work, "");
  const stdin = "FROM base\nRUN echo from stdin\n";
  expect(await work.run(["ch-image", "build", "-t", "t", "-"], { stdin }), {
    code: 0,
    stdout: "from stdin\n",
  });
  expect(
    await work.run(["ch-image", "build", "-t", "t", "-"], { stdin: "FROM base\nCOPY a /\n" }),
    {
      code: 1,
      stderr: /error: no context because .-. given/,
    },
  );
  expect(
    await work.run(["ch-image", "build", "-t", "u", "-f", "-", "context"], {
      stdin: "FROM base\nCOPY Dockerfile /\n",
    }),
    {
      code: 0,
    },
  );
});

test("ch-image build: a failing RUN leaves nothing for the next build", async (work) => {
  await prepare(work, "FROM base\nRUN touch /before\nRUN touch /left && false\n");
  expect(await work.run(["ch-image", "build", "-t", "t", "context"]), { code: 1 });
  work.tree("second", {
    "Dockerfile": "FROM base\nRUN touch /before\nRUN ls /left /before || true\n",
  });
  expect(await work.run(["ch-image", "build", "-t", "t", "second"]), {
    code: 0,
    stdout: "/before\n",
  });
});

test("ch-image build: history lists the instructions", async (work) => {
  await prepare(work, "FROM base\nENV A=1\nRUN true\nWORKDIR /w\n");
  expect(await work.run(["ch-image", "build", "-t", "t", "context"]), { code: 0 });
  const { history } = JSON.parse(
    Deno.readTextFileSync(`${work.path}/storage/img/t/ch/metadata.json`),
  ) as { history: { created_by?: string; created?: string }[] };
  assert.deepEqual(
    history.flatMap((entry) => entry.created_by ?? []),
    ["ENV A='1'", "RUN.S true", "WORKDIR /w"],
  );
  assert.match(history.at(-1)?.created ?? "", /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
});

test("ch-image build on a built image starts from its metadata", async (work) => {
  await prepare(work, "FROM base\nENV A=1\nARG B=2\nWORKDIR /w\n");
  expect(await work.run(["ch-image", "build", "-t", "one", "context"]), { code: 0 });
  work.tree("second", { "Dockerfile": "FROM one\nRUN echo $A $B; pwd\n" });
  expect(await work.run(["ch-image", "build", "-t", "two", "second"]), {
    code: 0,
    stdout: "1 2\n/w\n",
  });
});

test("ch-image build: FROM scratch is what ch-image pull makes, to the build cache", async (work) => {
  await prepare(work, "FROM scratch\nLABEL a=b\n");
  const build = ["ch-image", "build", "-t", "t", "context"];
  expect(await work.run(build), { code: 0 });
  await work.must("ch-image delete t scratch; ch-image pull scratch");
  expect(await work.run(build), { code: 0, stderr: /^ {2}1\* FROM scratch\n {2}2\* LABEL/ });
});

test("ch-image build never changes the base image", async (work) => {
  await prepare(
    work,
    "FROM base\nRUN echo more >> /etc/passwd; chmod 700 /etc/group; rm /bin/cut; " +
      "ln -f /etc/group /etc/other; mv /bin/wc /bin/wd\nCOPY Dockerfile /etc/passwd\nWORKDIR /new\n",
  );
  const look =
    'cd storage/img/base; find . -printf "%p %y %m %s %T@ %l\\n" | sort; cat etc/passwd ch/*';
  const before = await work.must(look);
  expect(await work.run(["ch-image", "build", "-t", "t", "context"]), { code: 0 });
  assert.equal(await work.must(look), before);

  // What the images share in storage is no hard link in what leaves it.
  await work.must("ch-convert t ./tree");
  assert.equal(
    await work.must("find tree -type f -links +1 | sort"),
    "tree/etc/group\ntree/etc/other\n",
  );
});

for (
  const [signal, whom] of [
    ["SIGINT", "ch-image"],
    ["SIGTERM", "ch-image"],
    // As a terminal does it.
    ["SIGINT", "all"],
  ] as const
) {
  test(`ch-image build: ${signal} to ${whom} during RUN rolls back`, async (work) => {
    await prepare(work, "FROM base\nRUN touch /half; echo started; sleep 20\n");
    const child = work.spawn(["ch-image", "build", "-t", "t", "context"]);
    const timer = setTimeout(() => Deno.kill(-child.pid, "SIGKILL"), 15_000);
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    assert.equal((await reader.read()).value, "started\n");
    Deno.kill(whom === "all" ? -child.pid : child.pid, signal);
    await reader.read();
    await reader.cancel();
    const stderr = (await Array.fromAsync(child.stderr.pipeThrough(new TextDecoderStream()))).join(
      "",
    );
    assert.equal((await child.status).code, 1, stderr);
    clearTimeout(timer);
    assert.match(stderr, new RegExp(`error: received ${signal}`));
    assert.match(stderr, /rolling back/);
    assert.doesNotMatch(stderr, /Uncaught/);
    expect(await work.run(["ch-image", "list"]), { code: 0, stdout: /^base\n/ });
    assert.ok(!exists(`${work.path}/storage/img/t/half`));
  });
}

test("ch-image build on a full disk leaves storage in order", async (work) => {
  work.tree("full", {});
  await work.must('mount -t tmpfs -o size=8m,mode=1777 none "$1/full"', [work.path], {
    root: true,
  });
  const env = { CH_IMAGE_STORAGE: `${work.path}/full/storage` };
  try {
    const image = work.image();
    expect(await work.run(["ch-image", "import", image, "base"], { env }), { code: 0 });
    work.tree("run", {
      "Dockerfile": "FROM base\nRUN dd if=/dev/zero of=/big bs=1048576 count=20\n",
    });
    work.tree("copy", { "Dockerfile": "FROM base\nCOPY big /\n", "big": "x".repeat(20_000_000) });
    for (const context of ["run", "copy"]) {
      const result = await work.run(["ch-image", "build", "-t", "t", context], { env });
      expect(result, {
        code: 1,
        stderr: /No space left on device[^]*^error: |^error: [^]*No space left/m,
      });
      expect(await work.run(["ch-image", "list"], { env }), {
        code: 0,
        stdout: "base\n",
        stderr: "",
      });
      await work.must('test "$(ls full/storage/img)" = base');
    }
    work.tree("small", { "Dockerfile": "FROM base\nRUN echo fits\n" });
    expect(await work.run(["ch-image", "build", "-t", "t", "small"], { env }), {
      code: 0,
      stdout: "fits\n",
    });
  } finally {
    await work.must('umount "$1/full"', [work.path], { root: true });
  }
}, "root");

test("ch-image says so where it may not write to storage", async (work) => {
  await prepare(work, "FROM base\nRUN true\n");
  await work.must('chown -R root:root "$1/storage"', [work.path], { root: true });
  for (
    const command of [["import", "image", "x"], ["build", "-t", "t", "context"], ["delete", "base"]]
  ) {
    expect(await work.run(["ch-image", ...command]), {
      code: 1,
      stderr: /^error: .*Permission denied/m,
    });
  }
}, "root");

test("ch-image build killed at any moment: the next command works, nothing half-made is listed", async (work) => {
  await prepare(
    work,
    "FROM base\nRUN cp -R /bin /copy && touch /copy/last\nCOPY big /big\nRUN cp -R /bin /copy2 && touch /copy2/last\n",
    { "big/1": "x".repeat(1_000_000), "big/2": "y".repeat(1_000_000) },
  );
  const begin = performance.now();
  expect(await work.run(["ch-image", "build", "-t", "whole", "context"]), { code: 0 });
  const whole = performance.now() - begin;

  for (let n = 0; n < 12; n++) {
    const child = work.spawn(["ch-image", "build", "-t", "t", "context"]);
    await new Promise((done) => setTimeout(done, Math.random() * whole));
    try {
      Deno.kill(child.pid, "SIGKILL");
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    await child.output();
    const list = await work.run(["ch-image", "list"]);
    expect(list, { code: 0 });
    for (const name of list.stdout.trim().split("\n")) {
      assert.match(name, /^(base|whole|t)$/);
      expect(await work.run(["ch-run", name, "--", "test", "-e", "/ch/metadata.json"]), {
        code: 0,
      });
    }
  }
  expect(await work.run(["ch-image", "build", "-t", "t", "context"]), { code: 0 });
  expect(await work.run(["ch-run", "t", "--", "ls", "/copy/last", "/copy2/last", "/big/2"]), {
    code: 0,
  });
  assert.deepEqual(work.findMounts(), []);
});
