// COPY and ADD --chown: what is recorded, what becomes of it, and who gets to see it.

import assert from "node:assert/strict";
import { expect, test, type Workplace } from "../rig.ts";
import { prepare, testBuilds } from "./build_case.ts";

const DOCKERFILE = `FROM base AS first
COPY --chown=image:root tree /made/app/
COPY --chown=7:8 f <<here /etc/
by hand
here
COPY f /plain
RUN echo more >>/made/app/changed; rm /made/app/gone; mv /made/app/moved /made/app/there; chmod 700 /made/app/kept
FROM base
COPY --from=first /made /copy
COPY --from=first --chown=9 /etc/f /nine
COPY --chown=11:12 f /twice
COPY f /twice
`;

const CONTEXT = {
  "f": "F",
  "tree/changed": "",
  "tree/gone": "",
  "tree/moved": "",
  "tree/kept": "",
  "tree/dir/deep": "",
  "tree/link": { link: "kept" },
} as const;

/** As "UID/GID PATH" of what is not root's, from a tar archive that SCRIPT gives. */
async function listOwned(work: Workplace, script: string): Promise<string[]> {
  const listing = await work.must(`${script} | tar -tv --numeric-owner -f -`);
  return listing.trimEnd().split("\n").map((line) => {
    const [, owner, , , , path] = line.split(/\s+/);
    return `${owner} ${path!.replace(/^\.\//, "").replace(/\/$/, "")}`;
  }).filter((line) => !line.startsWith("0/0 ")).sort();
}

const FIRST = [
  "4242/0 made",
  "4242/0 made/app",
  "4242/0 made/app/dir",
  "4242/0 made/app/dir/deep",
  "4242/0 made/app/kept",
  "4242/0 made/app/link",
  "7/8 etc/f",
  "7/8 etc/here",
];

const LAST = [
  "4242/0 copy/app",
  "4242/0 copy/app/dir",
  "4242/0 copy/app/dir/deep",
  "4242/0 copy/app/kept",
  "4242/0 copy/app/link",
  "9/9 nine",
];

for (const mode of ["--cache", "--no-cache"]) {
  test(`COPY --chown is known to who gets the image, built with ${mode}`, async (work) => {
    await prepare(work, DOCKERFILE, CONTEXT);
    const command = ["ch-image", "build", mode, "-t", "t", "context"];
    expect(await work.run(command), { code: 0 });
    // Once more, from the build cache if there is one.
    await work.must("ch-image delete t");
    expect(await work.run(command), { code: 0 });
    assert.equal(
      await work.must('find storage/img/t storage/img/t_stage0 ! -user "$(id -u)"'),
      "",
    );
    const tar = (image: string) =>
      listOwned(work, `ch-convert --owner=root -o tar ${image} x.tar.gz >&2; gzip -dc x.tar.gz`);
    assert.deepEqual(await tar("t_stage0"), FIRST);
    assert.deepEqual(await tar("t"), LAST);
  });
}

test("COPY --chown gets into every format with owners", async (work) => {
  await prepare(work, DOCKERFILE, CONTEXT);
  await work.must("ch-image build -t t context");
  const layer = 'tar -xOf x.tar "$(tar -tf x.tar | grep layer.tar | head -n 1)"';
  assert.deepEqual(
    await listOwned(work, `ch-convert -o docker-archive t x.tar >&2; ${layer}`),
    LAST,
  );
  const largest = "ls -S D/blobs/sha256/* | head -n 1";
  assert.deepEqual(
    await listOwned(work, `ch-convert -o oci t ./D >&2; gzip -dc "$(${largest})"`),
    LAST,
  );
  await work.must("rm -rf D");
  assert.deepEqual(
    await listOwned(work, `ch-image push t oci:./D >&2; gzip -dc "$(${largest})"`),
    LAST,
  );
  // By way of formats that have other owners.
  await work.must("ch-convert t ./t.sqfs; ch-convert -o dir t ./t.dir");
  for (const way of ["t.sqfs", "t.dir"]) {
    assert.deepEqual(
      await listOwned(work, `ch-convert --owner=root ./${way} y.tar.gz >&2; gzip -dc y.tar.gz`),
      LAST,
      way,
    );
  }
});

testBuilds([
  {
    name: "ADD --chown counts for what is unpacked",
    dockerfile: "FROM base\nADD --chown=3:4 x.tar /un/\n",
    context: { "in/f": "F" },
    before: "tar -cf context/x.tar -C context in",
    expected: { code: 0 },
    after: "cut -d, -f 1-3,6 $I/ch/owners | sort",
    prints: '[3,4,"directory","un"]\n[3,4,"directory","un/in"]\n[3,4,"file","un/in/f"]\n',
  },
  {
    name: "COPY --chown of whom the image does not know is an error of that instruction",
    dockerfile: "FROM base\nCOPY --chown=$WHO f /\n",
    context: { f: "" },
    expected: {
      code: 1,
      stderr:
        /error: --chown: no such user in the image: \$WHO\nhint: at \S+:2: COPY --chown=\$WHO/,
    },
  },
]);

test("COPY --chown is part of what an instruction is known by", async (work) => {
  await prepare(work, "FROM base\nCOPY --chown=1 f /\n", { f: "" });
  await work.must("ch-image build -t t context");
  work.tree("context", { Dockerfile: "FROM base\nARG who=2\nCOPY --chown=$who f /\n" });
  expect(await work.run(["ch-image", "build", "-t", "t", "context"]), {
    code: 0,
    stderr: /^ {2}3\. COPY --chown=2 \['f'\] -> '\/'$/m,
  });
});
