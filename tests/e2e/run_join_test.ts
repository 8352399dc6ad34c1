// ch-run's --join options: peers share one container, whoever comes late, dies or fails, and leave
// nothing behind.

import assert from "node:assert/strict";
import { exists, expect, type Need, type Result, rig, test, type Workplace } from "../rig.ts";

const KINDS = ["directory", "SquashFS"] as const;

/** A test for each kind of image. */
function testKinds(
  name: string,
  body: (work: Workplace, image: string) => Promise<void>,
  ...needs: Need[]
): void {
  for (const kind of KINDS) {
    const more = kind === "SquashFS" ? ["fuse", "mksquashfs"] as const : [];
    test(
      `${name} (${kind})`,
      async (work) => {
        const image = work.image("image", { "ch/environment": "FROM=image\n" });
        work.tree("meet", {});
        if (kind === "directory") return await body(work, image);
        await work.must('mksquashfs "$1" "$1.sqfs" -quiet -no-progress', [image]);
        await body(work, `${image}.sqfs`);
      },
      ...needs,
      ...more,
    );
  }
}

/** A tag that no other test has. */
function newTag(): string {
  return `test-${crypto.randomUUID().slice(0, 8)}`;
}

interface Peer {
  /** Options before IMAGE. */
  readonly options?: readonly string[];
  readonly script: string;
}

/** Words that start a peer whose command sees the directory "meet" as /mnt/0. */
function words(work: Workplace, image: string, tag: string, count: number, peer: Peer): string[] {
  const join = ["-v", `--join-ct=${count}`, `--join-tag=${tag}`, `--bind=${work.path}/meet:/mnt/0`];
  return ["ch-run", ...join, ...peer.options ?? [], image, "--", "sh", "-c", peer.script];
}

/** Waits until the test lets it go by making the file "go", or is over. */
const HOLD =
  'touch "/mnt/0/$$"; while [ -e "/mnt/0/$$" ] && ! [ -e /mnt/0/go ]; do sleep 0.05; done; ';
const PLACE = "readlink /proc/self/ns/user; readlink /proc/self/ns/mnt";

function namesOf(tag: string): string[] {
  return [`/dev/shm/ch-run_shm-${tag}`, `/dev/shm/sem.ch-run_sem-${tag}`].filter(exists);
}

/** Peers that have come, by the size of the group's file (c/init/join_roster.h). */
function countPeers(tag: string): number {
  return Math.floor((Deno.statSync(`/dev/shm/ch-run_shm-${tag}`).size - HEADER_SIZE) / PEER_SIZE);
}

const HEADER_SIZE = 32, PEER_SIZE = 16;

async function until(what: string, isSo: () => boolean, seconds = 20): Promise<void> {
  for (const end = Date.now() + seconds * 1000; !isSo();) {
    assert.ok(Date.now() < end, `still not so after ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** What dying peers leave to the keeper takes it a moment. */
async function expectNoNames(tag: string): Promise<void> {
  await until(`no name of ${tag} in /dev/shm`, () => namesOf(tag).length === 0, 5);
}

function countMet(work: Workplace): number {
  return [...Deno.readDirSync(`${work.path}/meet`)].length;
}

function letGo(work: Workplace): void {
  Deno.writeTextFileSync(`${work.path}/meet/go`, "");
}

function sayLeft({ stderr }: Result): number {
  return Number(/join: (-?\d+) peers left excluding myself/.exec(stderr)?.[1]);
}

testKinds("ch-run --join-ct=1 runs alone and leaves nothing", async (work, image) => {
  const result = await work.run(["ch-run", "-v", "--join-ct=1", image, "--", "echo", "hi"]);
  expect(result, { code: 0, stdout: "hi\n" });
  const tag = /join: 1 1 (\d+) 0 /.exec(result.stderr)?.[1];
  assert.ok(tag !== undefined, result.stderr);
  assert.deepEqual(namesOf(tag), []);
  const order = [
    "join: peer group size from command line",
    "join: peer group tag from getppid(2)",
    "verbosity: 1",
    `join: 1 1 ${tag} 0`,
    "join: I won",
    "join: winner initializing shared data",
    "join: 0 peers left excluding myself",
    "join: cleaning up IPC resources",
    "join: done",
    "executing: echo hi",
  ];
  const lines = result.stderr.split("\n").map((line) =>
    line.replace(/^ch-run\[\d+\]: (.*) \(\S+:\d+\)$/, "$1")
  );
  assert.deepEqual(lines.filter((line) => order.includes(line)), order);
});

testKinds("ch-run --join: three peers, one container", async (work, image) => {
  const tag = newTag();
  const script = HOLD + PLACE;
  const runs = [];
  for (let i = 1; i <= 3; i++) {
    runs.push(work.run(words(work, image, tag, 3, { script })));
    await until(`${i} peers are in`, () => countMet(work) === i);
    assert.equal(namesOf(tag).length, i < 3 ? 2 : 0);
  }
  letGo(work);
  const results = await Promise.all(runs);
  for (const [i, result] of results.entries()) {
    expect(result, { code: 0, stdout: results[0]!.stdout });
    assert.equal(sayLeft(result), 2 - i);
    assert.match(result.stderr, i === 0 ? /: join: I won \(/ : /: join: I lost \(/);
    assert.equal(/cleaning up IPC resources/.test(result.stderr), i === 2);
  }
  // The process named here is the command.
  assert.match(
    results[0]!.stderr,
    /^ch-run\[(\d+)\]: join: winner initializing[^]*^ch-run\[\1\]: executing/m,
  );
  const winner = /^ch-run\[(\d+)\]: executing/m.exec(results[0]!.stderr)![1];
  assert.match(results[1]!.stderr, new RegExp(`: joining namespaces of pid ${winner} `));
});

test("ch-run --join: processes of one parent form a group", async (work) => {
  const image = work.image();
  work.tree("meet", {});
  const script = "touch /mnt/0/$$; until [ $(ls /mnt/0 | wc -l) = 4 ]; do sleep 0.05; done; " +
    "readlink /proc/self/ns/mnt";
  const start = 'for i in 1 2 3 4; do ch-run --join -b meet:/mnt/0 "$1" -- sh -c "$2" & done; wait';
  const stdout = await work.must(start, [image, script], {
    env: { OMPI_COMM_WORLD_LOCAL_SIZE: "4" },
  });
  const places = stdout.trim().split("\n");
  assert.equal(places.length, 4);
  assert.equal(new Set(places).size, 1);
});

for (
  const [what, options, env, message] of [
    ["no size", ["--join"], {}, "join: no valid peer group size found"],
    ["a size of -1", ["--join-ct=-1"], {}, "join: no valid peer group size found"],
    [
      "an empty variable",
      ["-j"],
      { OMPI_COMM_WORLD_LOCAL_SIZE: "", SLURM_CPUS_ON_NODE: "2" },
      "OMPI_COMM_WORLD_LOCAL_SIZE: no digits found",
    ],
    ["a size without digits", ["--join-ct=a"], {}, "--join-ct: no digits found"],
    [
      "an empty tag",
      ["--join-ct=1", "--join-tag="],
      {},
      "join: peer group tag cannot be empty string",
    ],
    [
      "an empty step",
      ["--join-ct=1"],
      { SLURM_STEP_ID: "" },
      "join: peer group tag cannot be empty string",
    ],
    ["a slash in the tag", ["--join-ct=1", "--join-tag=a/b"], {}, "Invalid argument"],
    [
      "no size, though --join-pid wins",
      ["--join", "--join-pid=1"],
      {},
      "join: no valid peer group size found",
    ],
  ] as const
) {
  test(`ch-run --join refuses ${what}`, async (work) => {
    const result = await work.run(["ch-run", ...options, work.image(), "--", "true"], { env });
    expect(result, { code: 31, stdout: "" });
    assert.ok(result.stderr.includes(message), result.stderr);
  });
}

test("ch-run --join -vv shows the steps of both", async (work) => {
  const tag = newTag();
  const { stderr } = await work.run(
    ["ch-run", "-vv", "--join-ct=1", `--join-tag=${tag}`, work.image(), "--", "true"],
  );
  assert.match(
    stderr,
    new RegExp(`plan: join_begin ${tag} of 1 [^]*plan: pivot [^]*plan: join_finish [^]*plan: exec`),
  );
});

testKinds("ch-run --join: what a loser may choose", async (work, image) => {
  const tag = newTag();
  work.tree("other", { "mark": "" });
  const winner = work.run(words(work, image, tag, 2, { script: HOLD + "id -u" }));
  await until("the winner is in", () => countMet(work) === 1);
  const look = `${HOLD} pwd; echo $A $HOME; id -u; ls /mnt/1; chown 7 /mnt/0/go && echo faked`;
  const loser = work.run(words(work, image, tag, 2, {
    options: ["--cd=/usr", "--set-env=A=b", "-u0", "-bother:/mnt/1", "--seccomp"],
    script: look,
  }));
  await until("the loser is in", () => countMet(work) === 2);
  letGo(work);
  expect(await loser, { code: 0, stdout: `/usr\nb /root\n${rig.uid}\nfaked\n` });
  expect(await winner, { code: 0, stdout: `${rig.uid}\n` });
});

testKinds(
  "ch-run --join: a loser still needs an image, and fails as others do",
  async (work, image) => {
    const tag = newTag();
    const winner = work.run(words(work, image, tag, 3, { script: HOLD }));
    await until("the winner is in", () => countMet(work) === 1);
    expect(await work.run(words(work, "./nosuch", tag, 3, { script: "true" })), {
      code: 31,
      stderr: /error: can't stat: \.\/nosuch: No such file/,
    });
    const join = ["ch-run", "--join-ct=3", `--join-tag=${tag}`];
    expect(await work.run([...join, image, "--", "nosuch"]), { code: 49 });
    expect(await work.run([...join, "-c/nosuch", image, "--", "true"]), { code: 31 });
    letGo(work);
    expect(await winner, { code: 0 });
    await expectNoNames(tag);
  },
);

testKinds("ch-run --join: losers go on when the winner has ended", async (work, image) => {
  const tag = newTag();
  const winner = work.run(words(work, image, tag, 3, { script: "touch /mnt/0/1; sleep 1" }));
  await until("the winner is in", () => countMet(work) === 1);
  const loser = work.run(words(work, image, tag, 3, {
    script: `${PLACE}; ${HOLD} md5sum < /bin/busybox; cat /ch/environment`,
  }));
  await until("the loser is in", () => countMet(work) === 2);
  expect(await winner, { code: 0 });
  // Later than the winner's end, and of the same container all the same.
  const late = await work.run(words(work, image, tag, 3, { script: PLACE }));
  expect(late, { code: 0 });
  assert.equal(sayLeft(late), 0);
  await expectNoNames(tag);
  letGo(work);
  const sum = await work.must("md5sum < image/bin/busybox");
  expect(await loser, { code: 0, stdout: `${late.stdout}${sum}FROM=image\n` });
});

testKinds(
  "ch-run --join: who comes when all have ended makes a container anew",
  async (work, image) => {
    const tag = newTag();
    for (let i = 0; i < 3; i++) {
      const result = await work.run(words(work, image, tag, 3, { script: "echo in" }));
      expect(result, { code: 0, stdout: "in\n", stderr: /: join: I won \(/ });
      await expectNoNames(tag);
    }
  },
);

testKinds("ch-run --join: another takes over when the winner fails", async (work, image) => {
  const tag = newTag();
  const bad = { options: ["-b", "/nosuch:/mnt/1"], script: "true" };
  const good = { script: HOLD + PLACE };
  const runs = [bad, good, bad, good].map((peer) => work.run(words(work, image, tag, 4, peer)));
  await until("two are in", () => countMet(work) === 2);
  letGo(work);
  const [first, second, third, fourth] = await Promise.all(runs);
  expect(second!, { code: 0, stdout: fourth!.stdout });
  // A bad one that came after the container was made is in it.
  for (const result of [first!, third!]) {
    if (result.code !== 0) expect(result, { code: 31, stderr: /can't bind: [^]*\/nosuch/ });
  }
  await expectNoNames(tag);
});

/** The same command, but a step of it takes SECONDS. */
function slowly(seconds: number, command: readonly string[]): string[] {
  const inject = `inject=pivot_root:delay_enter=${seconds * 1_000_000}`;
  return ["strace", "-qqq", "-o", "/dev/null", "-e", "trace=pivot_root", "-e", inject, ...command];
}

testKinds(
  "ch-run --join: another takes over when the winner is killed building",
  async (work, image) => {
    const tag = newTag();
    const script = HOLD + PLACE;
    const winner = work.spawn(slowly(60, words(work, image, tag, 3, { script })));
    const winnerEnd = winner.output();
    await until("the winner has begun", () => namesOf(tag).length === 2 && countPeers(tag) === 1);
    const losers = [1, 2].map(() => work.run(words(work, image, tag, 3, { script })));
    await until("the others have come", () => countPeers(tag) === 3);
    assert.equal(countMet(work), 0);
    Deno.kill(-winner.pid, "SIGKILL");
    await until("the others are in", () => countMet(work) === 2);
    await expectNoNames(tag);
    letGo(work);
    const [one, other] = await Promise.all(losers);
    expect(one!, { code: 0, stdout: other!.stdout });
    await winnerEnd;
  },
  "strace",
);

test(
  "ch-run --join: peers of a winner that hangs give up after 30 s",
  async (work) => {
    const image = work.image();
    work.tree("meet", {});
    const tag = newTag();
    const script = "echo done";
    const winner = work.run(slowly(36, words(work, image, tag, 2, { script })), { limit: 90_000 });
    await until("the winner has begun", () => namesOf(tag).length === 2);
    const begin = Date.now();
    const loser = await work.run(words(work, image, tag, 2, { script }), { limit: 60_000 });
    const seconds = (Date.now() - begin) / 1000;
    expect(loser, { code: 31, stdout: "", stderr: /error: timeout waiting for join lock \(/ });
    assert.ok(seconds > 29 && seconds < 35, `${seconds} s`);
    expect(await winner, { code: 0, stdout: "done\n" });
    await expectNoNames(tag);
  },
  "strace",
);

testKinds(
  "ch-run --join: peers beyond the count make a group of their own",
  async (work, image) => {
    const tag = newTag();
    const runs = [];
    for (let i = 1; i <= 3; i++) {
      runs.push(work.run(words(work, image, tag, 2, { script: HOLD + PLACE })));
      await until(`${i} are in`, () => countMet(work) === i);
    }
    letGo(work);
    const [one, two, three] = await Promise.all(runs);
    expect(two!, { code: 0, stdout: one!.stdout });
    expect(three!, { code: 0 });
    assert.notEqual(three!.stdout, one!.stdout);
    await expectNoNames(tag);
  },
);

test("ch-run --join: a tag is good again at once", async (work) => {
  const image = work.image();
  work.tree("meet", {});
  const tag = newTag();
  for (let round = 0; round < 5; round++) {
    const runs = [1, 2].map(() => work.run(words(work, image, tag, 2, { script: "sleep 1" })));
    const left = (await Promise.all(runs)).map((result) => {
      expect(result, { code: 0 });
      return sayLeft(result);
    });
    assert.deepEqual(left.sort(), [0, 1]);
    assert.deepEqual(namesOf(tag), []);
  }
});

test("ch-run --join: what another program has left under the names does not matter", async (work) => {
  const tag = newTag();
  await work.must(
    'head -c 8 /dev/zero > "/dev/shm/ch-run_shm-$1"; head -c 32 /dev/zero > "/dev/shm/sem.ch-run_sem-$1"',
    [tag],
  );
  const join = ["--join-ct=1", `--join-tag=${tag}`];
  expect(await work.run(["ch-run", ...join, work.image(), "--", "echo", "hi"]), {
    code: 0,
    stdout: "hi\n",
  });
  assert.deepEqual(namesOf(tag), []);
});

test(
  "ch-run --join: somebody else's names are left alone",
  async (work) => {
    const tag = newTag();
    const [name] = [`/dev/shm/ch-run_shm-${tag}`];
    Deno.writeTextFileSync(name, "theirs", { mode: 0o666 });
    try {
      const result = await work.run(
        ["ch-run", "--join-ct=1", `--join-tag=${tag}`, work.image(), "--", "true"],
      );
      expect(result, {
        code: 31,
        stderr:
          /error: can't open: \/dev\/shm\/ch-run_shm-\S+: Permission denied \([^]*hint: .*--join-tag/,
      });
      assert.equal(Deno.readTextFileSync(name), "theirs");
    } finally {
      Deno.removeSync(name);
    }
  },
  "root",
);

test("ch-run --join: the command finds what it finds without", async (work) => {
  const image = work.image();
  const look = "ls /proc/$$/fd; grep -E '^(Sig|Shd|NoNewPrivs|Cap)' /proc/$$/status; " +
    "cat /proc/$$/task/$$/children; cat /proc/$$/limits; umask";
  const plain = await work.run(["ch-run", image, "--", "sh", "-c", look]);
  for (const options of [["--join-ct=1"], ["--join-ct=2", `--join-tag=${newTag()}`]]) {
    const joined = await work.run(["ch-run", ...options, image, "--", "sh", "-c", look]);
    expect(joined, { code: 0 });
    // Process numbers differ: those of the children.
    const mask = (text: string) => text.replace(/^\d+ /gm, "N ");
    assert.equal(mask(joined.stdout), mask(plain.stdout));
  }
});

testKinds("ch-run --join: 64 peers, one container", async (work, image) => {
  const tag = newTag(), count = 64;
  const runs = Array.from(
    { length: count },
    () => work.run(words(work, image, tag, count, { script: HOLD + PLACE }), { limit: 120_000 }),
  );
  await until("all are in", () => countMet(work) === count, 100);
  assert.deepEqual(namesOf(tag), []);
  letGo(work);
  const results = await Promise.all(runs);
  for (const result of results) expect(result, { code: 0, stdout: results[0]!.stdout });
  assert.equal(results.filter(({ stderr }) => /join: I won/.test(stderr)).length, 1);
  assert.deepEqual(
    results.map(sayLeft).sort((a, b) => a - b),
    Array.from({ length: count }, (_, n) => n),
  );
});

testKinds("ch-run --join: 64 peers, a third of them killed at any time", async (work, image) => {
  const tag = newTag(), count = 64;
  const decoder = new TextDecoder();
  const peers = Array.from({ length: count }, () => {
    const child = work.spawn(words(work, image, tag, count, { script: HOLD + PLACE }));
    return { child, isKilled: false, output: child.output() };
  });
  for (let i = 0; i < count / 3; i++) {
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
    const victim = peers[Math.floor(Math.random() * count)]!;
    if (!victim.isKilled) victim.child.kill("SIGKILL");
    victim.isKilled = true;
  }
  const left = peers.filter(({ isKilled }) => !isKilled);
  const isIn = ({ child }: typeof peers[number]) => exists(`${work.path}/meet/${child.pid}`);
  await until("the others are in", () => left.every(isIn), 60);
  letGo(work);
  const ends = await Promise.all(left.map(({ output }) => output));
  await Promise.all(peers.map(({ output }) => output));
  for (const { code, stdout, stderr } of ends) {
    assert.equal(code, 0, decoder.decode(stderr));
    assert.equal(decoder.decode(stdout), decoder.decode(ends[0]!.stdout));
  }
  await expectNoNames(tag);
});

testKinds("ch-run --join: nothing remains when all are killed", async (work, image) => {
  const tag = newTag();
  const peers = [1, 2, 3].map(() =>
    work.spawn(words(work, image, tag, 4, { script: HOLD + PLACE }))
  );
  await until("three are in", () => countMet(work) === 3);
  assert.equal(namesOf(tag).length, 2);
  peers.forEach((peer) => peer.kill("SIGKILL"));
  await Promise.all(peers.map((peer) => peer.output()));
  await expectNoNames(tag);
  const keepers = "cat /proc/[0-9]*/status 2>/dev/null | grep -A 8 -E '^Name:.(ch-join|ch-squash)'";
  await until("no keeper", () => {
    const { stdout } = new Deno.Command("sh", { args: ["-c", keepers] }).outputSync();
    const text = new TextDecoder().decode(stdout);
    return !new RegExp(`^State:\\t[^Z][^]*^Uid:\\t${rig.uid}\\t`, "m").test(text);
  });
});

/** Runs SCRIPT in a container and gives its PID to BODY. */
async function withContainer(
  work: Workplace,
  options: readonly string[],
  image: string,
  body: (pid: number) => Promise<void>,
): Promise<Result> {
  const command = [
    "ch-run",
    "-b",
    "meet:/mnt/0",
    ...options,
    image,
    "--",
    "sh",
    "-c",
    HOLD + PLACE,
  ];
  const run = work.run(command);
  try {
    await until("the container is there", () => countMet(work) === 1);
    await body(Number([...Deno.readDirSync(`${work.path}/meet`)][0]!.name));
  } finally {
    letGo(work);
    await run;
  }
  return await run;
}

testKinds("ch-run --join-pid enters the container of a process", async (work, image) => {
  let inside = "";
  const target = await withContainer(work, [], image, async (pid) => {
    const result = await work.run([
      "ch-run",
      "-v",
      `--join-pid=${pid}`,
      "--set-env",
      "--cd=/usr",
      image,
      "--",
      "sh",
      "-c",
      `pwd >&2; echo $FROM $HOME >&2; ls /mnt/0 >&2; ${PLACE}`,
    ]);
    expect(result, { code: 0, stderr: new RegExp(`: joining namespaces of pid ${pid} `) });
    assert.match(result.stderr, new RegExp(`^/usr\nimage /root\n${pid}\n`, "m"));
    assert.match(result.stderr, new RegExp(`: join: 0 0 \\(null\\) ${pid} `));
    inside = result.stdout;
  });
  expect(target, { code: 0, stdout: inside });
});

testKinds(
  "ch-run --join-pid enters by any process of the container, whatever IMAGE",
  async (work, image) => {
    work.image("another");
    let inside = "";
    const target = await withContainer(work, ["-u0", "-g0"], image, async (pid) => {
      const children = `/proc/${pid}/task/${pid}/children`;
      let child = "";
      await until("a child", () => (child = Deno.readTextFileSync(children).trim()) !== "");
      const result = await work.run(
        ["ch-run", `--join-pid=${child}`, "-u7", "another", "--", "sh", "-c", `${PLACE}; id -u`],
      );
      // The child is short-lived: a sleep.
      if (result.code === 31) return assert.match(result.stderr, /no PID/);
      expect(result, { code: 0, stdout: /\n0\n$/ });
      inside = result.stdout.replace(/0\n$/, "");
    });
    if (inside !== "") expect(target, { code: 0, stdout: inside });
  },
);

test("ch-run --join-pid refuses what it cannot enter", async (work) => {
  const image = work.image();
  const attempt = (pid: number) => work.run(["ch-run", `--join-pid=${pid}`, image, "--", "true"]);
  expect(await attempt(2147483647), {
    code: 31,
    stderr: /error: join: no PID 2147483647: \/proc\/2147483647\/ns\/user not found \(/,
  });
  expect(await attempt(-1), { code: 31, stderr: /error: join: no PID -1: / });
  if (rig.isRoot) {
    expect(await attempt(1), {
      code: 31,
      stderr: /error: join: can't open \/proc\/1\/ns\/user: Permission denied \(/,
    });
  }
  const script = 'sleep 20 & ch-run --join-pid=$! "$1" -- true; code=$?; kill $!; exit $code';
  expect(await work.sh(script, [image]), {
    code: 31,
    stderr: /error: can’t join user namespace of pid \d+: Invalid argument \(/,
  });
  expect(await work.run(["ch-run", "--join-pid=2147483647", "./nosuch", "--", "true"]), {
    code: 31,
    stderr: /can't stat: \.\/nosuch/,
  });
});

test("ch-run --join-pid=0 is none", async (work) => {
  expect(await work.run(["ch-run", "--join-pid=0", work.image(), "--", "echo", "hi"]), {
    code: 0,
    stdout: "hi\n",
  });
});
