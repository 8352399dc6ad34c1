// Many ch-image processes on one storage directory at once: each gives the answer it would give alone.

import assert from "node:assert/strict";
import { expect, type Result, test, type Workplace } from "../rig.ts";

const AT_ONCE = 32;

function dockerfile(version: string): string {
  return `FROM base
RUN echo shared >/shared
ENV VERSION=${version}
RUN echo ${version} >/version && mkdir /d && cp /version /d/copy
`;
}

/** Files of the context, one for each version. */
async function prepare(work: Workplace, versions: readonly string[]): Promise<void> {
  const image = work.image();
  work.tree("context", Object.fromEntries(versions.map((v) => [v, dockerfile(v)])));
  await work.must('ch-image import "$1" base', [image]);
}

function build(work: Workplace, tag: string, version: string): Promise<Result> {
  return work.run(["ch-image", "build", "-t", tag, "-f", `context/${version}`, "context"]);
}

async function expectImage(work: Workplace, name: string, version: string): Promise<void> {
  const text = await work.must('cd "storage/img/$1" && cat shared version d/copy', [name]);
  assert.equal(text, `shared\n${version}\n${version}\n`);
}

/** No process of a crowd can see anything that is not whole. */
async function readSteadily(work: Workplace, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const { code, stdout, stderr } = await work.run(["ch-image", "list"]);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, "");
    assert(stdout.includes("base\n"), stdout);
    assert(stdout.includes("steady\n"), stdout);
  }
}

test("32 processes build, list, delete and collect at once", async (work) => {
  const versions = ["a", "b", "c", "d"];
  await prepare(work, versions);
  expect(await build(work, "steady", "a"), { code: 0 });
  let isOver = false;
  const crowd = Promise.all(Array.from({ length: AT_ONCE }, async (_, index) => {
    const version = versions[index % versions.length]!;
    switch (index % 8) {
      case 0:
      case 1:
      case 2: { // images of their own
        expect(await build(work, `own${index}`, version), { code: 0 });
        await expectImage(work, `own${index}`, version);
        return [`own${index}`];
      }
      case 3: // one image for all of them, in several versions
        expect(await build(work, "same", version), { code: 0 });
        return ["same"];
      case 4: // one that is switched from state to state, under the eyes of the readers
        expect(await build(work, "steady", version), { code: 0 });
        return [];
      case 5: {
        expect(await build(work, `gone${index}`, version), { code: 0 });
        expect(await work.run(["ch-image", "delete", `gone${index}`]), { code: 0 });
        return [];
      }
      case 6: {
        expect(await work.run(["ch-image", "import", "image", `in${index}`]), { code: 0 });
        return [`in${index}`];
      }
      default:
        expect(await work.run(["ch-image", "build-cache", "--gc", "--tree"]), { code: 0 });
        return [];
    }
  })).finally(() => isOver = true);
  const [last] = await Promise.all([crowd, readSteadily(work, () => isOver)]);
  const { stdout, stderr } = await work.run(["ch-image", "list"]);
  assert.deepEqual(
    stdout.trim().split("\n").sort(),
    ["base", "steady", ...new Set(last.flat())].sort(),
  );
  assert.equal(stderr, "");
  const found = (await work.must("cat storage/img/same/version")).trim();
  assert(versions.includes(found));
  await expectImage(work, "same", found);
  // The cache is as good as new: everything is found, and comes back.
  await work.must("ch-image delete 'own*' same steady");
  for (const version of versions) {
    const again = await build(work, "again", version);
    expect(again, { code: 0 });
    await expectImage(work, "again", version);
  }
  assert.equal(await work.must("ls -d storage/imgtmp 2>/dev/null || true"), "");
});

test("builds of one image at once share their work", async (work) => {
  await prepare(work, ["a"]);
  const results = await Promise.all(Array.from({ length: 8 }, () => build(work, "t", "a")));
  for (const result of results) expect(result, { code: 0 });
  await expectImage(work, "t", "a");
  // One did it, the others waited and found it.
  const missed = results.filter(({ stderr }) => /^ *\d+\. /m.test(stderr));
  assert.equal(missed.length, 1);
});

test("import, pull and undelete wait for a build of the same name", async (work) => {
  const image = work.image();
  await work.must('ch-image import "$1" base && ch-image import "$1" t && ch-image delete t', [
    image,
  ]);
  await work.must(
    "mkdir -p context && printf 'FROM base\\nRUN touch /on; sleep 4\\n' >context/Dockerfile",
  );
  const building = build(work, "t", "Dockerfile");
  await work.must("until ls storage/imgtmp/*/*/upper/on 2>/dev/null; do sleep .1; done");
  const others = [["import", image, "t"], ["undelete", "t"], ["pull", "scratch", "t"]];
  const results = await Promise.all(others.map((words) => work.run(["ch-image", ...words])));
  for (const { stderr } of results) {
    assert.match(stderr, /^waiting for another build of t \.\.\.$/m);
  }
  expect(await building, { code: 0 });
  assert.equal((await work.run(["ch-image", "list"])).stdout, "base\nt\n");
});

test("an image is there for ch-run at every moment of a switch", async (work) => {
  await prepare(work, ["a", "b"]);
  for (const version of ["a", "b"]) expect(await build(work, "t", version), { code: 0 });
  let isOver = false;
  const switching = (async () => {
    for (let i = 0; i < 10; i++) {
      expect(await build(work, "t", i % 2 === 0 ? "a" : "b"), { code: 0, stderr: /updating/ });
    }
  })().finally(() => isOver = true);
  let runs = 0;
  const running = (async () => {
    for (; !isOver; runs++) expect(await work.run(["ch-run", "t", "--", "true"]), { code: 0 });
  })();
  await Promise.all([switching, running]);
  assert(runs > 10, `only ${runs} containers`);
});
