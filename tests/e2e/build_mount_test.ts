// ch-image build: RUN with mounts, without network; RSYNC.

import assert from "node:assert/strict";
import { expect, test } from "../rig.ts";
import { type BuildCase, prepare, testBuilds } from "./build_case.ts";

const CASES: readonly BuildCase[] = [
  {
    name: "a bind mount of the context, which stays as it is",
    dockerfile:
      "FROM base\nRUN --mount=type=bind,target=/ctx,source=d cat /ctx/f && ! touch /ctx/g 2> /dev/null\n",
    context: { "d/f": "F\n" },
    expected: { code: 0, stdout: "F\n", stderr: / {2}2\. RUN\.S --mount=type=bind,target=\/ctx,/ },
    after: "test ! -e $I/ctx && ls context/d",
    prints: "f\n",
  },
  {
    name: "a writable bind mount, whose changes are lost",
    dockerfile: "FROM base\nRUN --mount=target=/ctx,rw echo x >> /ctx/f && cat /ctx/f\n",
    context: { f: "F\n" },
    expected: { code: 0, stdout: "F\nx\n" },
    after: "cat context/f",
    prints: "F\n",
  },
  {
    name: "a bind mount of a file of a stage",
    dockerfile: "FROM base AS a\nRUN echo made > /made\n" +
      "FROM base\nRUN --mount=from=a,source=/made,target=/in/file cat /in/file; touch /in/new\n",
    expected: { code: 0, stdout: "made\n" },
    after: 'find $I/in | sed "s#$I##" | sort',
    prints: "/in\n/in/new\n",
  },
  {
    name: "a cache mount, kept for the next RUN and the next build",
    dockerfile: "FROM base\nRUN --mount=type=cache,target=/c echo x >> /c/f\n" +
      "RUN --mount=type=cache,target=/d,id=/c,sharing=locked cat /d/f\n",
    expected: { code: 0, stdout: "x\n" },
    after: "ch-image build -q --rebuild -t u context; ls -d $I/c $I/d 2>&1 | wc -l",
    prints: "x\nx\n2\n",
  },
  {
    name: "a tmpfs",
    dockerfile: "FROM base\nRUN --mount=type=tmpfs,target=/t,size=1m touch /t/x && " +
      "grep -c ' /t tmpfs .*size=1024k' /proc/self/mounts\n",
    expected: { code: 0, stdout: "1\n" },
    after: "test ! -e $I/t",
  },
  {
    name: "secrets from files and variables, and none of it in the image",
    dockerfile: "FROM base\nRUN --mount=type=secret,id=a cat /run/secrets/a\n" +
      "RUN --mount=type=secret,id=b,env=TOKEN echo $TOKEN\n" +
      "RUN --mount=type=secret,id=a,target=/root/key,mode=0444 stat -c %a /root/key\n" +
      "RUN --mount=type=secret,id=none test ! -e /run/secrets/none\n",
    args: ["-t", "t", "--secret", "id=a,src=key", "--secret", "id=b,env=VAR"],
    env: { VAR: "from variable" },
    before: "echo from file > key",
    expected: { code: 0, stdout: "from file\nfrom variable\n444\n" },
    after: "test ! -e $I/run/secrets; ! grep -r 'from [fv]' $I/ch $I/root",
  },
  {
    name: "a secret that is missing",
    dockerfile: "FROM base\nRUN --mount=type=secret,id=a,required true\n",
    expected: { code: 1, stderr: /^error: RUN: secret is missing: a$/m },
  },
  {
    name: "an SSH agent that is missing",
    dockerfile: "FROM base\nRUN --mount=type=ssh,required true\n",
    expected: { code: 1, stderr: /^error: RUN: SSH agent is missing: default$/m },
  },
  {
    name: "--network=none",
    dockerfile: "FROM base\nRUN --network=none ls /proc/self/net/dev | wc -l; " +
      "cut -d: -f1 -s /proc/self/net/dev | tr -d ' \\n'; echo\n",
    expected: { code: 0, stdout: "1\nlo\n" },
  },
  {
    name: "--security",
    dockerfile: "FROM base\nRUN --security=sandbox true\nRUN --security=insecure true\n",
    expected: { code: 1, stderr: /^error: RUN: --security=insecure needs privilege/m },
  },
  {
    name: "a mount of no known type",
    dockerfile: "FROM base\nRUN --mount=type=magic,target=/x true\n",
    expected: {
      code: 1,
      stderr: /^error: RUN: --mount=type=magic,target=\/x: unknown type: magic$/m,
    },
  },
  {
    name: "a failing RUN leaves no mount point",
    dockerfile: "FROM base AS a\nRUN true\nFROM a\nRUN --mount=type=tmpfs,target=/t/u false\n",
    expected: { code: 1, stderr: /RUN command exited with 1\n/ },
    after: "test ! -e $I; test ! -e ${I}_stage0/t",
  },
  {
    name: "RSYNC, safe links only",
    dockerfile: "FROM base\nRSYNC /d /dst\n",
    context: {
      "d/x": { content: "X", mode: 0o640 },
      "d/safe": { link: "x" },
      "d/unsafe": { link: "/etc/passwd" },
      "d/sub/y": "Y",
    },
    expected: { code: 0, stderr: /^ {2}2\. RSYNC \+l \/d \/dst$/m },
    after: "cd $I/dst/d; find . | sort; stat -c %a x",
    prints: ".\n./safe\n./sub\n./sub/y\n./x\n640\n",
  },
  {
    name: "RSYNC with its own options, contents of a directory, and variables",
    dockerfile: "FROM base\nENV S=d\nWORKDIR /w\nNSYNC +z -rv=0 --exclude=*.o ./$S/ sub\n"
      .replace("-rv=0", "-rq"),
    context: { "d/a.o": "", "d/b": "B" },
    expected: { code: 0, stderr: /^ {2}4\. NSYNC \+z -rq --exclude=\*\.o \.\/d\/ sub$/m },
    after: 'find $I/w -type f | sed "s#$I##"',
    prints: "/w/sub/b\n",
  },
  {
    name: "RSYNC into links of the image",
    dockerfile: "FROM base\nRUN ln -s /etc /lnk\nRSYNC +z -r d/ /lnk/q\n",
    context: { "d/b": "B" },
    expected: { code: 0 },
    after: "test ! -e /etc/q && cat $I/etc/q/b",
    prints: "B",
  },
  {
    name: "RSYNC --files-from",
    dockerfile: "FROM base\nRSYNC +z -r --files-from=list / /dst\n",
    context: { list: "d/a\n", "d/a": "A", "d/b": "B" },
    expected: { code: 0 },
    after: "cd $I/dst; find . -type f",
    prints: "./d/a\n",
  },
  {
    name: "RSYNC that fails",
    dockerfile: "FROM base\nRSYNC +z --no-such-option d /dst\n",
    context: { "d/b": "B" },
    expected: {
      code: 1,
      stderr: /rolling back[^]*^error: command failed with code 1: rsync --no-such-option -- /m,
    },
  },
];

testBuilds(CASES);

const REFUSED: readonly (readonly [string, string])[] = [
  ["RSYNC -n a b", "disallowed option: -n"],
  ["RSYNC -an a b", "disallowed option: -n"],
  ["RSYNC --daemon a b", "disallowed option: --daemon"],
  ["RSYNC h:x y", "SSH and rsync transports not supported: h:x"],
  ["RSYNC --files-from=- a b", "--*-from: can’t use standard input"],
  ["RSYNC --files-from=h:x a b", "--*-from: can’t use remote hosts (colon in path)"],
  ["RSYNC - a b", "RSYNC: 2: invalid argument: -"],
  ["RSYNC +q a b", "invalid plus option: q"],
  ["RSYNC -a -v", "RSYNC: 2: source and destination missing"],
  ["RSYNC nothing /b", "source not found: nothing"],
  ["RSYNC ../a /b", "can’t copy from outside context: ../a"],
  ["RSYNC a ../../b", "can’t RSYNC: destination not in image: ../../b"],
];

test("ch-image build: RSYNC is refused for a reason", async (work) => {
  await prepare(work, "", { a: "" });
  work.tree("", { a: "" });
  for (const [line, message] of REFUSED) {
    work.tree("context", { Dockerfile: `FROM base\n${line}\n` });
    const result = await work.run(["ch-image", "build", "-t", "t", "context"]);
    expect(result, { code: 1 });
    assert.ok(result.stderr.endsWith(`error: ${message}\n`), `${line}\n${result.stderr}`);
  }
});

test("ch-image build: RUN has the SSH agent that was given", async (work) => {
  await prepare(work, "FROM base\nRUN --mount=type=ssh test -S $SSH_AUTH_SOCK && echo yes\n");
  using socket = Deno.listen({ transport: "unix", path: `${work.path}/agent` });
  await work.must("chmod 666 agent", [], { root: true });
  const result = await work.run(
    ["ch-image", "build", "-t", "t", "--ssh", `default=${work.path}/agent`, "context"],
  );
  expect(result, { code: 0, stdout: "yes\n" });
  assert.ok(socket.addr);
});

test("ch-image build: RSYNC without rsync", async (work) => {
  await prepare(work, "FROM base\nRSYNC a /b\n");
  const path = (await work.must("dirname $(command -v ch-image)")).trim();
  const result = await work.run(["ch-image", "build", "-t", "t", "context"], {
    env: { PATH: path },
  });
  expect(result, {
    code: 1,
    stdout: "",
    stderr: /^error: Dockerfile uses RSYNC, so rsync\(1\) is required\n$/m,
  });
});
