import assert from "node:assert/strict";
import {
  type EnvironmentChange,
  type EnvironmentRequest,
  planEnvironment,
} from "../../../lib/container/environment.ts";

const set = (name: string, value: string): EnvironmentChange => ({
  op: "set",
  assignments: [{ name, value }],
});
const unset = (glob: string): EnvironmentChange => ({ op: "unset", glob });

function plan(request: Partial<EnvironmentRequest>) {
  return planEnvironment({
    base: ["PATH=/bin"],
    home: "/root",
    keepTmpdir: false,
    changes: [],
    expand: true,
    readImageFile: () => assert.fail("image not asked for"),
    readImageDefaults: () => assert.fail("image not asked for"),
    ...request,
  });
}

const DEFAULTS = ["HOME=/root", "CH_RUNNING=Weird Al Yankovic"];

Deno.test("planEnvironment() passes entries on in order, byte for byte", () => {
  const base = ["B=2", "A=\udcff", "PATH=/bin", "no equals sign", "B=3", "E="];
  assert.deepEqual(plan({ base }).entries, [...base, ...DEFAULTS]);
});

Deno.test("planEnvironment() replaces HOME where it stands", () => {
  assert.deepEqual(plan({ base: ["HOME=/x", "PATH=/bin"], home: "/" }).entries, [
    "HOME=/",
    "PATH=/bin",
    DEFAULTS[1],
  ]);
});

for (
  const [before, after] of [
    ["/bin", "/bin"],
    ["/usr/bin:/bin", "/usr/bin:/bin"],
    ["/binfoo", "/binfoo"],
    ["/usr/bin", "/usr/bin:/bin"],
    ["/a:/binfoo", "/a:/binfoo"],
    ["", ":/bin"],
  ] as const
) {
  Deno.test(`planEnvironment() makes PATH ${before || "(empty)"} into ${after}`, () => {
    const { entries, notes } = plan({ base: [`PATH=${before}`] });
    assert.equal(entries[0], `PATH=${after}`);
    assert.deepEqual(notes, before === after ? [] : [`new $PATH: ${after}`]);
  });
}

Deno.test("planEnvironment() leaves PATH unset, with a warning", () => {
  assert.deepEqual(plan({ base: [] }), {
    entries: DEFAULTS,
    notes: [],
    warnings: ["$PATH not set"],
  });
});

Deno.test("planEnvironment() drops TMPDIR unless told to keep it", () => {
  const base = ["TMPDIR=/x", "PATH=/bin"];
  assert.deepEqual(plan({ base }).entries, ["PATH=/bin", ...DEFAULTS]);
  assert.deepEqual(plan({ base, keepTmpdir: true }).entries, [...base, ...DEFAULTS]);
  assert.deepEqual(plan({ base, changes: [set("TMPDIR", "/y")] }).entries.at(-2), "TMPDIR=/y");
});

Deno.test("planEnvironment() applies changes in order", () => {
  const changes = [set("A", "1"), unset("A"), set("B", "$A:2"), set("A", "$B:3"), unset("B")];
  assert.deepEqual(plan({ changes }).entries, ["PATH=/bin", "HOME=/root", "A=2:3", DEFAULTS[1]]);
  assert.deepEqual(plan({ changes }).notes, [
    "environment: A=1",
    "environment: unset A",
    "environment: B=2",
    "environment: A=2:3",
    "environment: unset B",
  ]);
});

Deno.test("planEnvironment() expands variables of its own and not those removed", () => {
  const changes = [set("X", "$HOME:$TMPDIR:x")];
  assert.ok(plan({ base: ["PATH=/bin", "TMPDIR=/t"], changes }).entries.includes("X=/root:x"));
});

Deno.test("planEnvironment() expands nothing with --env-no-expand", () => {
  const { entries } = plan({ changes: [set("X", "$HOME")], expand: false });
  assert.ok(entries.includes("X=$HOME"));
});

Deno.test("planEnvironment() lets nobody touch CH_RUNNING", () => {
  const last = "CH_RUNNING=Weird Al Yankovic";
  assert.equal(plan({ changes: [set("CH_RUNNING", "x")] }).entries.at(-1), last);
  assert.equal(plan({ base: ["CH_RUNNING=x", "PATH=/bin"] }).entries[0], last);
  assert.deepEqual(plan({ changes: [unset("*")] }).entries, [last]);
});

Deno.test("planEnvironment() reads the image's file where the change stands", () => {
  const readImageFile = () => new TextEncoder().encode("PATH=/image\nA='q'\n");
  const changes: EnvironmentChange[] = [
    { op: "image", separator: "\n" },
    set("PATH", "/x:$PATH"),
  ];
  assert.deepEqual(plan({ changes, readImageFile }).entries, [
    "PATH=/x:/image",
    "HOME=/root",
    "A=q",
    DEFAULTS[1],
  ]);
});

Deno.test("planEnvironment() names the image's file and record in errors", () => {
  const readImageFile = () => new TextEncoder().encode("A=1\nBAD\n");
  assert.throws(
    () => plan({ changes: [{ op: "image", separator: "\n" }], readImageFile }),
    { message: "can't parse variable: no delimiter: /ch/environment:2" },
  );
});

Deno.test("planEnvironment() unsets all of a name that occurs twice, and entries without =", () => {
  const base = ["A=1", "PATH=/bin", "A=2", "odd"];
  assert.deepEqual(plan({ base, changes: [unset("A"), unset("odd")] }).entries, [
    "PATH=/bin",
    ...DEFAULTS,
  ]);
});

Deno.test("planEnvironment() takes the image's defaults in turn and as they are", () => {
  const { entries, notes } = plan({
    base: ["PATH=/bin", "A=caller"],
    changes: [set("B", "before"), { op: "image-defaults" }, set("C", "$A:$B")],
    readImageDefaults: () => [{ name: "A", value: "$PATH" }, { name: "B", value: "image" }],
  });
  assert.deepEqual(entries, [
    "PATH=/bin",
    "A=$PATH",
    DEFAULTS[0],
    "B=image",
    "C=$PATH:image",
    DEFAULTS[1],
  ]);
  assert.ok(notes.includes("environment: A=$PATH"));
});
