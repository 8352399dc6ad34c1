import assert from "node:assert/strict";
import type { Plan, Step } from "../../../ffi/plan.ts";
import { formatPlan } from "../../../lib/container/format_plan.ts";
import { planRun } from "../../../lib/container/plan.ts";
import type { PlanImage } from "../../../lib/container/plan_image.ts";
import type { RunOptions } from "../../../lib/container/run_options.ts";
import { fakeFiles, fakeHost, type FakeHostOptions } from "./fake_host.ts";

const OPTIONS: RunOptions = {
  program: "ch-run",
  verbosity: 0,
  argv: ["true"],
  imageCommand: false,
  cwd: undefined,
  uid: 1000,
  gid: 100,
  binds: [],
  home: undefined,
  user: "alice",
  privateTmp: false,
  passwd: true,
  seccomp: false,
  write: false,
  overlaySize: undefined,
  overlayDir: undefined,
  environment: [],
  expand: true,
  join: undefined,
};

const FILES = { "/image/root": null, "/image/ch/environment": "FROM=image\n", "/sys": null };
const USERS = { 1000: { name: "alice", gecos: "Alice" } };
const GROUPS = { 100: { name: "users" } };
const DIRECTORY: PlanImage = { type: "directory", root: "/image" };

interface Setting {
  readonly image?: PlanImage;
  readonly host?: FakeHostOptions;
}

function plan(options: Partial<RunOptions> = {}, { image = DIRECTORY, host }: Setting = {}) {
  const warnings: string[] = [];
  const log = {
    warning: (text: string) => void warnings.push(text),
    get warnings() {
      return warnings.join("");
    },
  };
  const world = fakeHost({ files: FILES, users: USERS, groups: GROUPS, ...host });
  return planRun({ ...OPTIONS, ...options }, image, world, log);
}

/** The plan's steps as text, those that start with one of the words. */
function show(plan: Plan, ...words: readonly string[]): string[] {
  const lines = formatPlan(plan).trimEnd().split("\n");
  return words.length === 0
    ? lines
    : lines.filter((line) => words.some((word) => line.startsWith(word)));
}

function environmentOf(plan: Plan): readonly string[] {
  return (plan.steps.at(-1) as Step & { op: "exec" }).env;
}

Deno.test("planRun() of a directory image without options", () => {
  assert.deepEqual(show(plan()), [
    "user_namespace uid 0=1000 gid 0=100",
    "user_namespace uid 1000=0 gid 100=0 mounts",
    "scratch /sys",
    "root /image read-only",
    "bind /dev at /dev fail",
    "bind /proc at /proc fail",
    "bind /sys at /sys fail",
    "bind /etc/hosts at /etc/hosts skip",
    "bind /etc/machine-id at /etc/machine-id skip",
    "bind /etc/resolv.conf at /etc/resolv.conf skip",
    "bind /var/lib/hugetlbfs at /var/lib/hugetlbfs skip",
    "bind /etc/opt/cray/wlm_detect at /etc/opt/cray/wlm_detect skip",
    "bind /opt/cray/wlm_detect at /opt/cray/wlm_detect skip",
    "bind /opt/cray/alps at /opt/cray/alps skip",
    "bind /opt/cray/udreg at /opt/cray/udreg skip",
    "bind /opt/cray/ugni at /opt/cray/ugni skip",
    "bind /opt/cray/xpmem at /opt/cray/xpmem skip",
    "bind /var/opt/cray/alps at /var/opt/cray/alps skip",
    "bind /var/spool/slurmd at /var/spool/slurmd skip",
    "file ch-run_passwd at /etc/passwd mode 600 104 bytes",
    "file ch-run_group at /etc/group mode 600 40 bytes",
    "bind /tmp at /tmp fail",
    "pivot",
    "no_new_privs",
    "exec true (search /usr/bin:/bin, 4 variables)",
  ]);
});

Deno.test("planRun() says who fails how", () => {
  const { program, image, verbosity, warnings, statusFail, statusExec } = plan({ verbosity: -2 });
  assert.deepEqual({ program, image, verbosity, warnings, statusFail, statusExec }, {
    program: "ch-run",
    image: "/image",
    verbosity: -2,
    warnings: "",
    statusFail: 31,
    statusExec: 49,
  });
});

for (
  const [what, options, words, lines] of [
    ["--write", { write: true }, ["root"], ["root /image"]],
    ["--write-fake", { overlaySize: "12%" }, ["root", "overlay"], [
      "root /image read-only",
      "overlay size=12%",
    ]],
    ["--write --write-fake", { write: true, overlaySize: "4m" }, ["root", "overlay"], [
      "root /image",
      "overlay size=4m",
    ]],
    ["--uid --gid", { uid: 0, gid: 6 }, ["user_namespace"], [
      "user_namespace uid 0=1000 gid 0=100",
      "user_namespace uid 0=0 gid 6=0 mounts",
    ]],
    ["--no-passwd", { passwd: false }, ["file"], []],
    ["--private-tmp", { privateTmp: true }, ["bind /tmp", "tmpfs"], ["tmpfs /tmp"]],
    ["--bind", { binds: [{ source: "/a", target: "/mnt/0" }, { source: "b", target: "/c" }] }, [
      "bind /a",
      "bind b",
    ], ["bind /a at /mnt/0 make", "bind b at /c make"]],
    [
      "--bind --write-fake",
      { binds: [{ source: "/a", target: "/b" }], overlaySize: "1m" },
      ["bind /a"],
      ["bind /a at /b make ranch"],
    ],
    [
      "--home --bind",
      { home: "/h", overlaySize: "12%", binds: [{ source: "/a", target: "/b" }] },
      ["bind /tmp", "bind /h", "bind /a"],
      ["bind /tmp at /tmp fail", "bind /h at /home/alice make ranch", "bind /a at /b make ranch"],
    ],
    ["--cd", { cwd: "/x" }, ["pivot", "chdir", "no_new"], ["pivot", "chdir /x", "no_new_privs"]],
    ["--seccomp --cd", { seccomp: true, cwd: "/x" }, ["seccomp", "chdir"], [
      "seccomp 198 instructions",
      "chdir /x",
    ]],
    ["-q", { verbosity: -1 }, ["silence"], ["silence stdout"]],
    ["-qq", { verbosity: -2 }, ["silence"], ["silence stdout"]],
    ["-qqq", { verbosity: -3 }, ["silence"], ["silence stdout stderr"]],
    ["-v", { verbosity: 1, argv: ["a b", "c"] }, ["log", "silence"], ['log executing: "a b" c']],
    ["-v --write-fake --uid --gid", { verbosity: 1, uid: 7, gid: 8, overlaySize: "1m" }, ["log"], [
      "log newroot updated: /sys/root",
      "log UID 7 not found; using dummy info",
      "log GID 8 not found; using dummy info",
      "log executing: true",
    ]],
    ["-vv", { verbosity: 2 }, ["log"], ["log starting bind-mounts", "log executing: true"]],
  ] as const
) {
  Deno.test(`planRun() with ${what}`, () => {
    assert.deepEqual(show(plan(options), ...words), lines);
  });
}

Deno.test("planRun() of a SquashFS image mounts it between the two user namespaces", () => {
  const image: PlanImage = {
    type: "squash",
    file: "a.sqfs",
    mountPoint: "/var/tmp/alice.ch/mnt",
    missing: ["/var/tmp/alice.ch", "/var/tmp/alice.ch/mnt"],
    files: fakeFiles({}),
  };
  const steps = plan({}, { image });
  assert.equal(steps.image, "/var/tmp/alice.ch/mnt");
  assert.deepEqual(show(steps).slice(0, 7), [
    "directory /var/tmp/alice.ch mode 755",
    "directory /var/tmp/alice.ch/mnt mode 755",
    "user_namespace uid 0=1000 gid 0=100",
    "squashfs a.sqfs at /var/tmp/alice.ch/mnt",
    "user_namespace uid 1000=0 gid 100=0 mounts",
    "scratch /sys",
    "root /var/tmp/alice.ch/mnt read-only",
  ]);
  assert.ok(environmentOf(steps).includes("HOME=/"));
});

Deno.test("planRun() binds $TMPDIR at /tmp and drops the variable", () => {
  const host = { environment: ["TMPDIR=/scratch/x", "PATH=/bin"] };
  const steps = plan({}, { host });
  assert.deepEqual(show(steps, "bind /tmp", "bind /scratch"), ["bind /scratch/x at /tmp fail"]);
  assert.ok(!environmentOf(steps).some((entry) => entry.startsWith("TMPDIR=")));
});

Deno.test("planRun() refuses an empty $TMPDIR or $HOME", () => {
  const host = { environment: ["TMPDIR=", "PATH=/bin"] };
  assert.throws(() => plan({}, { host }), { message: "empty string" });
  assert.equal(show(plan({ privateTmp: true }, { host }), "tmpfs").length, 1);
  assert.throws(() => plan({ home: "" }), { message: "empty string" });
});

for (
  const [what, options, files, home] of [
    ["a /root in the image", {}, FILES, "/root"],
    ["no /root in the image", {}, { "/image": null, "/sys": null }, "/"],
    ["a file /root in the image", {}, { "/image/root": "", "/sys": null }, "/root"],
    ["a broken link /root", {}, { "/image/root": { to: "none" }, "/sys": null }, "/"],
    ["a link /root inside", {}, {
      "/image/root": { to: "/home/x" },
      "/image/home/x": null,
      "/sys": null,
    }, "/root"],
    ["--home", { home: "/h" }, FILES, "/home/alice"],
    ["a bind at /root", { binds: [{ source: "/x", target: "/root" }] }, {
      "/image": null,
      "/x": null,
      "/sys": null,
    }, "/root"],
  ] as const
) {
  Deno.test(`planRun() sets HOME to ${home} with ${what}`, () => {
    assert.ok(environmentOf(plan(options, { host: { files } })).includes(`HOME=${home}`));
  });
}

Deno.test("planRun() reads /ch/environment of the image, or what is bound there", () => {
  const environment = [{ op: "image", separator: "\n" }] as const;
  assert.ok(environmentOf(plan({ environment })).includes("FROM=image"));

  const files = { ...FILES, "/mine": "FROM=bind\n" };
  const binds = [{ source: "/mine", target: "/ch/environment" }];
  assert.ok(environmentOf(plan({ environment, binds }, { host: { files } })).includes("FROM=bind"));

  const link = { "/image/ch/environment": { to: "/etc/env" }, "/etc/env": "FROM=host\n" };
  assert.throws(() => plan({ environment }, { host: { files: { "/sys": null, ...link } } }), {
    message: "can't open: /ch/environment",
  });
});

Deno.test("planRun() searches where PATH leads after all changes", () => {
  const set = { op: "set", assignments: [{ name: "PATH", value: "/x:$PATH" }] } as const;
  const search = (steps: Plan) => (steps.steps.at(-1) as Step & { op: "exec" }).search;
  assert.equal(search(plan({ environment: [set] })), "/x:/usr/bin:/bin");
  assert.equal(search(plan({ environment: [{ op: "unset", glob: "*" }] })), "/bin:/usr/bin");
});

Deno.test("planRun() warns of an unset PATH and hands its warnings on", () => {
  assert.equal(plan({}, { host: { environment: [] } }).warnings, "$PATH not set");
});

Deno.test("planRun() assembles elsewhere where there is no /sys, and says if there is nowhere", () => {
  const files = { "/image": null, "/sys": "file", "/mnt": null };
  assert.deepEqual(show(plan({}, { host: { files } }), "scratch"), ["scratch /mnt"]);
  assert.throws(() => plan({}, { host: { files: { "/image": null } } }), {
    message: "no directory to assemble the container in, tried: /sys /srv /mnt /media /opt /tmp",
  });
});

Deno.test("planRun() makes passwd and group for the container's IDs", () => {
  const files = plan({ uid: 0, gid: 5 }, {
    host: { users: { 0: { name: "root", gecos: "Charlie Root" } }, groups: { 5: { name: "tty" } } },
  }).steps.flatMap((step) => step.op === "file" ? [new TextDecoder().decode(step.content)] : []);
  assert.deepEqual(files, [
    "nobody:x:65534:65534:nobody:/:/bin/false\nroot:x:0:5:Charlie Root:/:/bin/sh\n",
    "root:x:0:\nnogroup:x:65534:\ntty:x:5:\n",
  ]);
});

const IMAGE_ID = "id-of-/image";

Deno.test("planRun() with --overlay holds the directory before the namespaces", () => {
  const steps = plan({ overlayDir: "new/", binds: [{ source: "/a", target: "/b" }] });
  assert.deepEqual(show(steps, "directory", "hold", "user", "root", "overlay", "bind /a"), [
    "directory /new mode 755",
    "hold /new/image for new/",
    "user_namespace uid 0=1000 gid 0=100",
    "user_namespace uid 1000=0 gid 100=0 mounts",
    "root /image read-only",
    "overlay kept=/new",
    "bind /a at /b make ranch",
  ]);
  assert.equal(steps.warnings, "");
});

Deno.test("planRun() with --overlay warns of a layer made with another image", () => {
  const run = (record: string) =>
    plan({ overlayDir: "/o" }, { host: { files: { ...FILES, "/o/image": record } } }).warnings;
  assert.equal(run(`directory ${IMAGE_ID} /image\n`), "");
  assert.equal(run(`directory ${IMAGE_ID} /where/it/was\n`), "");
  assert.equal(run(""), "");
  assert.equal(
    run("directory 1.2.3 /other image\n"),
    "overlay was made with another image: /o: /other image",
  );
  assert.equal(run("rubbish"), "overlay was made with another image: /o: ");
});

Deno.test("planRun() with --overlay looks into the layer for /root and /ch/environment", () => {
  const environment = [{ op: "image", separator: "\n" }] as const;
  const run = (files: FakeHostOptions["files"], opaque: readonly string[] = []) =>
    environmentOf(plan({ overlayDir: "/o", environment }, {
      host: { files: { ...FILES, ...files }, opaque },
    }));
  assert.ok(run({ "/o": null }).includes("HOME=/root"));
  assert.ok(run({ "/o/upper/root": { device: "null" } }).includes("HOME=/"));
  assert.ok(run({ "/o/upper/ch/environment": "FROM=layer\n" }).includes("FROM=layer"));
  assert.ok(run({ "/o/upper/ch/other": "" }).includes("FROM=image"));
  assert.throws(() => run({ "/o/upper/ch/other": "" }, ["/o/upper/ch"]), {
    message: "can't open: /ch/environment",
  });
});

const CONFIG = {
  config: {
    Env: ["A=1", "B=x=y"],
    Entrypoint: ["/entry", "-e"],
    Cmd: ["default", "words"],
    WorkingDir: "/work",
  },
};
const PULLED = {
  "/image/root": null,
  "/sys": null,
  "/image/ch/config.pulled.json": JSON.stringify(CONFIG),
};

for (
  const [what, options, steps] of [
    ["no words", { argv: [] }, ["chdir /work", "exec /entry -e default words"]],
    ["words", { argv: ["mine"] }, ["chdir /work", "exec /entry -e mine"]],
    ["--cd", { argv: [], cwd: "/x" }, ["chdir /x", "exec /entry -e default words"]],
  ] as const
) {
  Deno.test(`planRun() with --image-cmd and ${what}`, () => {
    const made = plan({ imageCommand: true, ...options }, { host: { files: PULLED } });
    const shown = show(made, "chdir", "exec").map((line) => line.replace(/ \(search.*/, ""));
    assert.deepEqual(shown, steps);
  });
}

Deno.test("planRun() with --image-cmd and nothing to run", () => {
  assert.throws(() => plan({ imageCommand: true, argv: [] }), {
    message: "--image-cmd: the image has neither ENTRYPOINT nor CMD",
  });
  assert.ok(show(plan({ imageCommand: true, argv: ["x"] }), "exec x").length === 1);
});

Deno.test("planRun() with --image-env", () => {
  const environment = [{ op: "image-defaults" }] as const;
  const entries = environmentOf(plan({ environment }, { host: { files: PULLED } }));
  assert.ok(entries.includes("A=1") && entries.includes("B=x=y"));
  assert.ok(environmentOf(plan({ environment })).includes("FROM=image"));
});

Deno.test("formatPlan() keeps a name with a newline on its line", () => {
  const binds = [{ source: "/a\nb", target: "/c" }];
  assert.deepEqual(show(plan({ binds }), "bind /a"), ["bind /a\\x0ab at /c make"]);
});
