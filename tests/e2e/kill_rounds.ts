// Kills a command at each moment when it is about to change something (kill_at.c says which those are), and
// looks each time whether the storage directory is as good as if nothing had happened.

import assert from "node:assert/strict";
import { expect, rig, test, Workplace } from "../rig.ts";

/** CH_TEST_KILLS=all tries every moment, which takes hours; CH_TEST_KILLS=N so many, spread evenly. */
const KILLS = Deno.env.get("CH_TEST_KILLS") ?? "4";
/** With all of them, each works in a storage directory of its own. */
const WORKERS = KILLS === "all" ? navigator.hardwareConcurrency : 1;

/** In turn, so that the storage directory is never the same before and after a command. */
export type Version = 0 | 1;

export interface Scenario {
  readonly command: readonly string[];
  /** What it needs there is once only: moments are tried one after the other. */
  readonly isAlone?: boolean;
  /** Which images there may be when it has been killed. */
  readonly images: readonly (readonly string[])[];
  /** Once for each storage directory. Leaves what {@linkcode settle} does of version 1. */
  begin(work: Workplace): Promise<void>;
  /** Before each round: what COMMAND is to find. */
  prepare(work: Workplace, version: Version): Promise<void>;
  /** Whatever comes next has to work. Ends with garbage collection, and returns what then is there. */
  settle(work: Workplace, version: Version): Promise<string>;
}

export function testKills(name: string, scenario: Scenario): void {
  test(name, (work) => killEverywhere(work, scenario), "cc");
}

/** What is there after commands that nobody killed. */
interface Unharmed {
  /** {@linkcode Scenario.settle} of each version. */
  readonly settled: string[];
  /** Digests of images. */
  readonly images: Set<string>;
  readonly moments: number;
}

/** Compares everything with what is there when nobody kills. */
export async function killEverywhere(work: Workplace, scenario: Scenario): Promise<void> {
  const killer = await compileKiller(work);
  await scenario.begin(work);
  const unharmed = await tryUnharmed(work, scenario, killer);
  const chosen = chooseMoments(unharmed.moments);
  let killed = 0;
  const failures: string[] = [];
  const next = chosen.values();
  const workers = scenario.isAlone ? 1 : WORKERS;
  await Promise.all(Array.from({ length: workers }, async (_, worker) => {
    using own = worker === 0 ? undefined : new Workplace();
    const place = own ?? work;
    if (own !== undefined) await scenario.begin(own);
    let version: Version = 0;
    for (const moment of next) {
      try {
        if (await killOnce(place, scenario, { killer, moment, version, unharmed })) killed++;
        version = version === 0 ? 1 : 0;
      } catch (error) {
        failures.push(String(error));
        await place.must("rm -rf storage context image");
        await scenario.begin(place);
        version = 0;
      }
    }
  }));
  if (KILLS === "all") console.log(`${killed} killed at ${chosen.length} of ${unharmed.moments}`);
  assert(failures.length === 0, failures.join("\n\n"));
  // The last ones may not come, because not all that is done is the same each time.
  assert(killed > chosen.length * 0.8, `only ${killed} of ${chosen.length} were killed`);
}

async function compileKiller(work: Workplace): Promise<string> {
  const path = `${work.path}/kill_at`;
  const source = `${rig.projectRoot}tests/e2e/kill_at.c`;
  const command = ["cc", "-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-o", path, source];
  expect(await work.run(command, { root: rig.isRoot }), { code: 0 });
  return path;
}

async function tryUnharmed(
  work: Workplace,
  { command, prepare, settle }: Scenario,
  killer: string,
): Promise<Unharmed> {
  const settled: string[] = [];
  const images = new Set<string>();
  let moments = 0;
  for (const version of [0, 1] as const) {
    await prepare(work, version);
    for (const digest of await describeImages(work)) images.add(digest);
    expect(await work.run([killer, "0", "report", ...command]), { code: 0 });
    moments = Math.max(moments, (await readReport(work)).length);
    for (const digest of await describeImages(work)) images.add(digest);
    settled.push(await settle(work, version));
  }
  return { settled, images, moments };
}

function chooseMoments(count: number): readonly number[] {
  const wanted = KILLS === "all" ? count : Math.min(count, Number(KILLS));
  return Array.from({ length: wanted }, (_, index) => 1 + Math.floor(index * count / wanted));
}

interface Round {
  readonly killer: string;
  readonly moment: number;
  readonly version: Version;
  readonly unharmed: Unharmed;
}

/** False if the command had come to its end before. */
async function killOnce(
  work: Workplace,
  { command, images, prepare, settle }: Scenario,
  { killer, moment, version, unharmed }: Round,
): Promise<boolean> {
  await prepare(work, version);
  const { code, stderr } = await work.run([killer, String(moment), "report", ...command]);
  const isKilled = code === 137;
  const why = `killed before ${moment}: ${(await readReport(work)).at(-1)}`;
  assert(isKilled || code === 0, `${why}: it ended with ${code}\n${stderr}`);
  try {
    await expectOnly(work, images);
    for (const digest of await describeImages(work)) {
      assert(unharmed.images.has(digest), `half an image: ${digest}`);
    }
    assert.equal(await settle(work, version), unharmed.settled[version]);
  } catch (error) {
    throw new Error(`${why}: ${error instanceof Error ? error.message : error}`);
  }
  return isKilled;
}

async function readReport(work: Workplace): Promise<string[]> {
  return (await Deno.readTextFile(`${work.path}/report`)).trimEnd().split("\n");
}

/** The next command sees what one of IMAGES says, and nothing unfinished is left then. */
async function expectOnly(work: Workplace, images: Scenario["images"]): Promise<void> {
  const { code, stdout, stderr } = await work.run(["ch-image", "list"]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^(warning: (deleting leftover|deleted 1 partially|reprinting) .*\n)*$/);
  assert(
    images.some((names) => stdout === names.map((name) => `${name}\n`).join("")),
    `images: ${stdout}`,
  );
  assert.equal(await work.must("ls -d storage/imgtmp 2>/dev/null || true"), "");
}

/** NAME and a digest of all that is in it but times: names, types, modes, links, contents. */
export async function describeImages(work: Workplace): Promise<string[]> {
  const text = await work.must(
    `cd storage/img; for i in *; do
       echo "$i $(tar --sort=name --mtime=@0 --exclude=./ch -C "$i" -c . | sha256sum)"
     done`,
  );
  return text.trimEnd().split("\n");
}

/** The images, and the cache after garbage collection: its states, and how many files there are and how
 * large. To be returned by {@linkcode Scenario.settle}. */
export async function describeStorage(work: Workplace): Promise<string> {
  const collected = await work.run(["ch-image", "build-cache", "--gc", "--tree"]);
  expect(collected, { code: 0 });
  // Directories of objects are as many as digests happen to begin differently; states have times of files in
  // decimal.
  const states = collected.stdout.replaceAll(/^(internal files|disk used): .*\n?/gm, "");
  const files = await work.must(
    `cd storage; ls -d *; find * -path 'img/*/*' -prune -o -type f -printf '%h %s\\n' |
       sed -E 's,^(bucache/(objects|states))/..,\\1,' |
       awk '{ files[$1]++ } /objects/ { bytes[$1] += $2 } END { for (i in files) print i, files[i], bytes[i] }' | sort`,
  );
  return [...await describeImages(work), states, files].join("\n");
}
