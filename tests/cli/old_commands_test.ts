import assert from "node:assert/strict";
import { OLD_NAMES } from "../../cli/main.ts";
import { OLD_COMMANDS } from "../../cli/old_commands.ts";
import { ChError } from "../../lib/error.ts";

function translate(line: string, environment: Record<string, string> = {}): string {
  const [name = "", ...words] = line.split(" ");
  const commands = OLD_COMMANDS[name]!(words, new Map(Object.entries(environment)));
  return commands.map((command) => command.join(" ")).join(" && ");
}

Deno.test("every old name is known to the start of the program", () => {
  assert.deepEqual([...OLD_NAMES].sort(), Object.keys(OLD_COMMANDS).sort());
});

const CASES: readonly (readonly [old: string, today: string])[] = [
  ["ch-build -t x .", "ch-image build -t x ."],
  ["ch-build -b ch-image -t x --build-arg a=b .", "ch-image build -t x --build-arg a=b ."],
  ["ch-build -b ch-grow -t x .", "ch-image build -t x ."],
  [
    "ch-build2dir -t a/x:1 . /out",
    "ch-image build -t a/x:1 . && ch-convert -i ch-image -o dir a/x:1 /out/a%x+1",
  ],
  ["ch-builder2tar a/x:1 out", "ch-convert -i ch-image a/x:1 ./out/a%x+1.tar.gz"],
  ["ch-builder2tar --nocompress x ../out/", "ch-convert -i ch-image x ../out/x.tar"],
  ["ch-builder2tar -b docker x .", "ch-convert -i docker x ./x.tar.gz"],
  ["ch-builder2squash --builder=podman x /out", "ch-convert -i podman x /out/x.sqfs"],
  ["ch-dir2squash img/ /out", "ch-convert -i dir img/ /out/img.sqfs"],
  ["ch-tar2dir x.tar.gz /var/tmp", "ch-convert -i tar -o dir x.tar.gz /var/tmp/x"],
  ["ch-tar2dir a/x.tgz d", "ch-convert -i tar -o dir a/x.tgz ./d/x"],
  ["ch-tar2dir x.tar d", "ch-convert -i tar -o dir x.tar ./d/x"],
  [
    "ch-pull2tar alpine:3.9 d",
    "ch-image pull alpine:3.9 && ch-convert -i ch-image alpine:3.9 ./d/alpine+3.9.tar.gz",
  ],
  ["ch-pull2dir x d", "ch-image pull x && ch-convert -i ch-image -o dir x ./d/x"],
  ["ch-grow build -t x .", "ch-image build -t x ."],
  ["ch-tug x", "ch-image pull x"],
];

Deno.test("OLD_COMMANDS says what does the same today", () => {
  for (const [old, today] of CASES) assert.equal(translate(old), today, old);
  assert.equal(
    translate("ch-builder2tar x /o", { CH_BUILDER: "docker" }),
    "ch-convert -i docker x /o/x.tar.gz",
  );
  assert.equal(
    translate("ch-builder2tar x /o", { CH_BUILDER: "" }),
    "ch-convert -i ch-image x /o/x.tar.gz",
  );
});

Deno.test("OLD_COMMANDS names the replacement of what can't be run any more", () => {
  for (
    const [old, hint] of [
      ["ch-build -b docker -t x .", /docker build -t NAME CONTEXT/],
      ["ch-build --builder-info", /one builder, ch-image/],
      ["ch-build2dir -t x .", /^usage: ch-build2dir -t NAME CONTEXT OUTDIR$/],
      ["ch-builder2tar x", /^usage: ch-builder2tar/],
      ["ch-builder2tar -b buildah x .", /OCI archive/],
      ["ch-builder2squash x . -comp xz", /^usage: ch-builder2squash/],
      ["ch-mount x.sqfs /mnt", /ch-run IMAGE\.sqfs -- COMMAND/],
      ["ch-umount /mnt/x", /fusermount3 -u DIR/],
      ["ch-ssh host ls", /ssh HOST ch-run IMAGE -- COMMAND/],
      ["ch-tar2sqfs x.tar", /ch-convert ARCHIVE IMAGE\.sqfs/],
    ] as const
  ) {
    assert.throws(() => translate(old), (error) => {
      assert(error instanceof ChError);
      assert.match(error.hint!, hint, old);
      return true;
    });
  }
});
