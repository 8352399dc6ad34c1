// Whenever a command that makes or empties the storage directory is killed, the next one works and nothing
// half-made is listed. What is killed within a storage directory is tests/e2e/cache_kill_test.ts's.

import assert from "node:assert/strict";
import { type Runner, withRunner } from "./image_runner.ts";

/** Kills, spread evenly over the time that a command takes. */
const KILLS = 8;

/** A source directory whose files all hold VERSION: an image of two versions is half an image. */
function makeSource({ sh }: Runner, version: number): void {
  sh(`chmod -R u+w source 2>/dev/null || true; rm -rf source; mkdir -p source/ch; cd source
      for i in $(seq 40); do mkdir d$i; for j in $(seq 20); do echo ${version} >d$i/f$j; done; done
      chmod 555 d7; echo '{"cwd": "/v${version}"}' >ch/metadata.json`);
}

/** Checks that the image A is whole, and gives its version; undefined if it is not there. */
async function findVersion(runner: Runner): Promise<string | undefined> {
  const { code, stdout, stderr } = await runner.run(["list", "-q"]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /^(warning: (deleting leftover|reprinting) .*\n)*$/);
  assert(stdout === "" || stdout === "a\n", stdout);
  assert.equal(runner.sh("ls -d storage/imgtmp 2>/dev/null || true"), "");
  if (stdout === "") {
    assert.equal(runner.sh("ls -A storage/img"), "");
    return undefined;
  }
  const counts = runner.sh("cd storage/img/a; cat d*/f* | sort | uniq -c");
  const match = /^ *800 (\d+)\n$/.exec(counts);
  assert(match, counts);
  assert.match(runner.sh("cat storage/img/a/ch/metadata.json"), new RegExp(`"/v${match[1]}"`));
  return match[1];
}

/** It may have ended between the timer and now. */
function killIfThere(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}

/** Runs WORDS to their end once, then kills them at KILLS moments, with PREPARE before and VERIFY after. */
async function killRepeatedly(
  runner: Runner,
  words: readonly string[],
  prepare: (round: number) => Promise<void> | void,
  verify: (round: number) => Promise<void>,
): Promise<void> {
  await prepare(0);
  let begin = performance.now();
  assert.equal((await runner.run(words)).code, 0);
  let duration = performance.now() - begin;
  let killed = 0;
  for (let round = 1; round <= 3 * KILLS && killed < KILLS; round++) {
    await prepare(round);
    const child = runner.start(words);
    begin = performance.now();
    const moment = duration * (1 + round % KILLS) / (KILLS + 1);
    const timer = setTimeout(() => killIfThere(child), moment);
    const { signal } = await child.output();
    clearTimeout(timer);
    if (signal === "SIGKILL") killed++;
    // The machine may have become faster, and every moment too late.
    else duration = Math.min(duration, performance.now() - begin);
    await verify(round);
  }
  assert(killed > 0, "none was killed in time");
}

Deno.test(
  "ch-image import killed while it makes the storage directory leaves none, or a good one",
  withRunner(async (runner) => {
    await killRepeatedly(
      runner,
      ["import", "source", "a"],
      (round) => {
        makeSource(runner, round);
        runner.sh("chmod -R u+w storage 2>/dev/null || true; rm -rf storage");
      },
      async () => {
        await findVersion(runner);
        assert.equal(runner.sh("ls -d storage*"), "storage\n");
      },
    );
  }),
);

Deno.test(
  "ch-image reset killed at any moment can be repeated",
  withRunner(async (runner) => {
    makeSource(runner, 1);
    await killRepeatedly(
      runner,
      ["reset"],
      async () => {
        assert.equal((await runner.run(["import", "source", "a"])).code, 0);
      },
      async () => {
        assert.equal((await runner.run(["reset"])).code, 0);
        assert.equal(await findVersion(runner), undefined);
      },
    );
  }),
);
