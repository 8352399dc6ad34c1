// Whenever ch-image is killed, the next command works, nothing half-made is to be seen, no state is lost or
// damaged, and garbage collection gets the room back.

import assert from "node:assert/strict";
import { expect, type Workplace } from "../rig.ts";
import { describeImages, describeStorage, testKills, type Version } from "./kill_rounds.ts";

const BUILD = ["ch-image", "build", "-t", "t", "context"];
const REBUILD = ["ch-image", "build", "--rebuild", "-t", "t", "context"];

async function importBase(work: Workplace): Promise<void> {
  const image = work.image();
  work.tree("context", { "src/a": "a\n", "src/b/c": "c\n", "Dockerfile": dockerfile(1) });
  await work.must('ch-image import "$1" base', [image]);
}

function dockerfile(version: Version): string {
  return `FROM base
COPY src /src
RUN echo ${version} >/version && mkdir -p /d/e && mkfifo /d/p && ln /version /d/link
ENV V=${version}
RUN cp /version /last && rm /src/a
`;
}

async function setVersion(work: Workplace, version: Version): Promise<void> {
  await work.must('printf %s "$1" >context/Dockerfile', [dockerfile(version)]);
}

/** Image t at VERSION by whatever it takes, then once more from the cache alone. */
async function settleBuild(work: Workplace, version: Version): Promise<string> {
  await setVersion(work, version);
  expect(await work.run(BUILD), { code: 0 });
  const built = await describeImages(work);
  await work.must("ch-image delete t");
  await buildFromCache(work);
  assert.deepEqual(await describeImages(work), built);
  assert.equal(
    await work.must("cat storage/img/t/d/link storage/img/t/last"),
    `${version}\n`.repeat(2),
  );
  return await describeStorage(work);
}

async function buildFromCache(work: Workplace): Promise<void> {
  const { code, stderr } = await work.run(BUILD);
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /^ *\d+\. /m);
}

testKills("a build killed at any moment leaves the old image or the new one", {
  command: BUILD,
  images: [["base", "t"]],
  async begin(work) {
    await importBase(work);
    await settleBuild(work, 1);
  },
  prepare: setVersion,
  settle: settleBuild,
});

testKills("a build on the tree of another killed at any moment leaves one or the other", {
  command: REBUILD,
  images: [["base", "t"]],
  async begin(work) {
    await importBase(work);
    await settleBuild(work, 1);
  },
  // What that replaces is the spare tree that the next one begins with.
  async prepare(work) {
    expect(await work.run(REBUILD), { code: 0 });
  },
  settle: (work) => settleBuild(work, 1),
});

testKills("an import killed at any moment leaves the old image or the new one", {
  command: ["ch-image", "import", "image", "i"],
  images: [["base", "i"]],
  async begin(work) {
    await importBase(work);
    await setContent(work, 1);
    await settleImport(work, 1);
  },
  prepare: setContent,
  settle: settleImport,
});

async function setContent(work: Workplace, version: Version): Promise<void> {
  await work.must('echo "$1" >image/etc/version', [String(version)]);
}

async function settleImport(work: Workplace, version: Version): Promise<string> {
  expect(await work.run(["ch-image", "import", "image", "i"]), { code: 0 });
  const imported = await describeImages(work);
  await work.must("ch-image delete i && ch-image undelete i");
  assert.deepEqual(await describeImages(work), imported);
  assert.equal(await work.must("cat storage/img/i/etc/version"), `${version}\n`);
  return await describeStorage(work);
}

testKills("a switch killed at any moment leaves one state or the other", {
  command: BUILD,
  images: [["a", "b", "base", "t"]],
  async begin(work) {
    await importBase(work);
    for (const [version, name] of [[0, "a"], [1, "b"]] as const) {
      await setVersion(work, version);
      expect(await work.run(["ch-image", "build", "-t", name, "context"]), { code: 0 });
    }
    await settleBuild(work, 1);
  },
  // Leaves a spare tree of the version that the command goes to.
  async prepare(work, version) {
    for (const next of [version, version === 0 ? 1 : 0] as const) {
      await setVersion(work, next);
      await buildFromCache(work);
    }
    await setVersion(work, version);
  },
  async settle(work, version) {
    await setVersion(work, version);
    await buildFromCache(work);
    return settleBuild(work, version);
  },
});

testKills("a deletion killed at any moment leaves the image or its name to undelete", {
  command: ["ch-image", "delete", "t"],
  images: [["base", "t"], ["base"]],
  async begin(work) {
    await importBase(work);
    await settleBuild(work, 1);
  },
  async prepare() {},
  async settle(work) {
    if (/^t$/m.test(await work.must("ch-image list"))) await work.must("ch-image delete t");
    await work.must("ch-image undelete t");
    return settleBuild(work, 1);
  },
});

testKills("garbage collection killed at any moment leaves all that is needed", {
  command: ["ch-image", "build-cache", "--gc"],
  images: [["base", "t"]],
  async begin(work) {
    await importBase(work);
    await settleBuild(work, 1);
  },
  // What was built before is garbage then, and a spare tree.
  async prepare(work) {
    expect(await work.run(REBUILD), { code: 0 });
  },
  async settle(work) {
    await buildFromCache(work);
    return settleBuild(work, 1);
  },
});
