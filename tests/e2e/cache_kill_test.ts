// Whenever ch-image is killed, the next command works, nothing half-made is to be seen, and garbage collection
// gets the room back. The moments are system calls that change the storage directory. All of them are
// thousands; CH_TEST_KILLS=all tries each, CH_TEST_KILLS=N a larger sample than usual.

import assert from "node:assert/strict";
import { expect, test, type Workplace } from "../rig.ts";

/** What can change a file system, and what locks. */
const CALLS = [
  "openat",
  "write",
  "pwrite64",
  "link",
  "linkat",
  "rename",
  "renameat",
  "renameat2",
  "unlink",
  "unlinkat",
  "rmdir",
  "mkdir",
  "mkdirat",
  "symlinkat",
  "mknodat",
  "fchmod",
  "fchmodat",
  "utimensat",
  "ftruncate",
  "copy_file_range",
  "sendfile",
  "fcntl",
  "mount",
  "execve",
  "wait4",
];
const KILLS = Deno.env.get("CH_TEST_KILLS") ?? "8";
const SAMPLE = Number(KILLS);

/** The n-th call of that name by one thread. */
interface Moment {
  readonly call: string;
  readonly nth: number;
}

/** All moments in a run of COMMAND, which strace counts by thread and call. */
async function listMoments(work: Workplace, command: readonly string[]): Promise<Moment[]> {
  await work.must("rm -rf traces; mkdir -p traces");
  const traced = await work.run([
    ...["strace", "-ff", "-qq", "-o", "traces/t", "-e", `trace=${CALLS.map((c) => `?${c}`)}`],
    ...command,
  ]);
  expect(traced, { code: 0 });
  const most = new Map<string, number>();
  for (const { name } of Deno.readDirSync(`${work.path}/traces`)) {
    const counts = new Map<string, number>();
    const text = new TextDecoder().decode(Deno.readFileSync(`${work.path}/traces/${name}`));
    for (const [, call] of text.matchAll(/^(\w+)\(/gm)) {
      counts.set(call!, (counts.get(call!) ?? 0) + 1);
    }
    for (const [call, count] of counts) most.set(call, Math.max(count, most.get(call) ?? 0));
  }
  return [...most].flatMap(([call, count]) =>
    Array.from({ length: count }, (_, index) => ({ call, nth: index + 1 }))
  );
}

function chooseMoments(all: readonly Moment[]): readonly Moment[] {
  if (KILLS === "all") return all;
  // What opens and writes files is mostly reading, and start: the others are more to the point.
  const isCommon = ({ call }: Moment) => ["openat", "write", "fcntl"].includes(call);
  const spread = (list: readonly Moment[], count: number) =>
    list.length <= count
      ? list
      : Array.from({ length: count }, (_, i) => list[Math.floor(i * list.length / count)]!);
  return [
    ...spread(all.filter(isCommon), SAMPLE / 2),
    ...spread(all.filter((moment) => !isCommon(moment)), SAMPLE),
  ];
}

interface Scenario {
  readonly command: readonly string[];
  /** Before each round, which has its number. */
  prepare(round: number): Promise<void>;
  /** After the kill; KILLED is false if the command came to its end. */
  verify(round: number, moment: string): Promise<void>;
}

async function killEverywhere(work: Workplace, scenario: Scenario): Promise<void> {
  const { command } = scenario;
  await scenario.prepare(0);
  const moments = chooseMoments(await listMoments(work, command));
  await scenario.verify(0, "none");
  let killed = 0;
  for (const [index, { call, nth }] of moments.entries()) {
    const round = index + 1;
    await scenario.prepare(round);
    const { signal, code } = await work.run([
      ...["strace", "-f", "-qq", "-o", "/dev/null", "-e", `trace=${call}`],
      ...["-e", `inject=${call}:signal=KILL:when=${nth}`, ...command],
    ]);
    if (signal !== undefined || code !== 0) killed++;
    await scenario.verify(round, `killed at ${call} number ${nth}`);
  }
  assert(killed > moments.length / 3, `only ${killed} of ${moments.length} were killed`);
}

/** All that is in the image but times: names, types, modes, contents. */
async function describeImage(work: Workplace, name: string): Promise<string> {
  return await work.must(
    'cd "storage/img/$1" && tar --sort=name --mtime=@0 --exclude=./ch -c . | sha256sum',
    [name],
  );
}

/** Exactly these images are there, and nothing unfinished. */
async function expectImages(work: Workplace, names: readonly string[], why: string) {
  const { code, stdout, stderr } = await work.run(["ch-image", "list"]);
  assert.equal(code, 0, `${why}\n${stderr}`);
  assert.match(
    stderr,
    /^((warning: (deleting leftover|reprinting)|initializing) .*\n)*$/,
    why,
  );
  assert.equal(stdout, names.map((name) => `${name}\n`).join(""), why);
  assert.equal(await work.must("ls -d storage/imgtmp 2>/dev/null || true"), "", why);
}

/** How many states and objects there are after garbage collection. Names are in random directories. */
async function collect(work: Workplace, storage = "storage"): Promise<string> {
  const env = { CH_IMAGE_STORAGE: `${work.path}/${storage}` };
  expect(await work.run(["ch-image", "build-cache", "--gc"], { env }), { code: 0 });
  return await work.must(
    'cd "$1/bucache" && for i in states objects names unready; do find $i -type f | wc -l; done',
    [storage],
  );
}

async function prepareBase(work: Workplace): Promise<void> {
  const image = work.image();
  work.tree("context", { "src/a": "a\n", "src/b/c": "c\n", "Dockerfile": dockerfile(0) });
  await work.must('ch-image import "$1" base', [image]);
}

function dockerfile(version: number): string {
  return `FROM base
COPY src /src
RUN echo ${version} >/version && mkdir -p /d/e && mkfifo /d/p && ln /version /d/link
ENV V=${version}
RUN cp /version /last && rm /src/a
`;
}

async function setVersion(work: Workplace, version: number): Promise<void> {
  await work.must('printf %s "$1" >context/Dockerfile', [dockerfile(version)]);
}

const BUILD = ["ch-image", "build", "-t", "t", "context"];

test(
  "a build killed at any system call leaves the old image or the new one",
  async (work) => {
    await prepareBase(work);
    let before: string | undefined;
    let rounds = 0;
    await killEverywhere(work, {
      command: BUILD,
      prepare: (round) => setVersion(work, round),
      async verify(round, why) {
        const isThere = before !== undefined || round === 0;
        await expectImages(work, isThere ? ["base", "t"] : ["base"], why);
        const found = isThere ? await describeImage(work, "t") : undefined;
        expect(await work.run(BUILD), { code: 0 });
        const after = await describeImage(work, "t");
        assert.equal(
          await work.must("cat storage/img/t/d/link storage/img/t/last"),
          `${round}\n${round}\n`,
        );
        assert(found === before || found === after, `${why}: half an image`);
        before = after;
        rounds = round;
      },
    });
    // What is left is what a storage has that knew no kill.
    const left = await collect(work);
    const env = { CH_IMAGE_STORAGE: `${work.path}/fresh` };
    await setVersion(work, rounds);
    expect(await work.run(["ch-image", "import", "image", "base"], { env }), { code: 0 });
    expect(await work.run(BUILD, { env }), { code: 0 });
    assert.equal(left, await collect(work, "fresh"));
  },
  "strace",
);

test(
  "an import killed at any system call leaves the old image or the new one",
  async (work) => {
    await prepareBase(work);
    let before: string | undefined;
    await killEverywhere(work, {
      command: ["ch-image", "import", "image", "i"],
      prepare: async (round) => {
        await work.must('echo "$1" >image/etc/version', [String(round)]);
      },
      async verify(round, why) {
        const isThere = before !== undefined || round === 0;
        await expectImages(work, isThere ? ["base", "i"] : ["base"], why);
        const found = isThere ? await describeImage(work, "i") : undefined;
        expect(await work.run(["ch-image", "import", "image", "i"]), { code: 0 });
        const after = await describeImage(work, "i");
        assert.equal(await work.must("cat storage/img/i/etc/version"), `${round}\n`);
        assert(found === before || found === after, `${why}: half an image`);
        before = after;
      },
    });
  },
  "strace",
);

test(
  "a switch killed at any system call leaves one state or the other",
  async (work) => {
    await prepareBase(work);
    const states: string[] = [];
    for (const version of [0, 1]) {
      await setVersion(work, version);
      expect(await work.run(BUILD), { code: 0 });
      states.push(await describeImage(work, "t"));
    }
    await killEverywhere(work, {
      command: BUILD,
      async prepare(round) {
        // Back where every round begins, if the last kill came early.
        await setVersion(work, (round + 1) % 2);
        expect(await work.run(BUILD), { code: 0 });
        await setVersion(work, round % 2);
      },
      async verify(round, why) {
        await expectImages(work, ["base", "t"], why);
        assert(states.includes(await describeImage(work, "t")), `${why}: half an image`);
        const { code, stderr } = await work.run(BUILD);
        assert.equal(code, 0, stderr);
        assert.doesNotMatch(stderr, /^ *\d+\. /m, why);
        assert.equal(await describeImage(work, "t"), states[round % 2], why);
      },
    });
  },
  "strace",
);

test(
  "garbage collection killed at any system call leaves all that is needed",
  async (work) => {
    await prepareBase(work);
    let clean: string | undefined;
    await killEverywhere(work, {
      command: ["ch-image", "build-cache", "--gc"],
      async prepare(round) {
        await setVersion(work, 1000 + round);
        expect(await work.run(BUILD), { code: 0 });
        await setVersion(work, round);
        expect(await work.run(BUILD), { code: 0 });
      },
      async verify(round, why) {
        await expectImages(work, ["base", "t"], why);
        const before = await describeImage(work, "t");
        await work.must("ch-image delete t");
        const { code, stderr } = await work.run(BUILD);
        assert.equal(code, 0, stderr);
        assert.doesNotMatch(stderr, /^ *\d+\. /m, why);
        assert.equal(await describeImage(work, "t"), before, why);
        assert.equal(await work.must("cat storage/img/t/last"), `${round}\n`);
        const left = await collect(work);
        clean ??= left;
        assert.equal(left, clean, `${why}: room is lost`);
      },
    });
  },
  "strace",
);
