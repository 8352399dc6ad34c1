// Images made to lead ch-run astray: links wherever a bind's target has a component, and images that
// somebody rewrites while the container is put together. Nothing may be mounted or made outside.

import assert from "node:assert/strict";
import { exists, expect, test, type Workplace } from "../rig.ts";

/** Where a link of the image may lead; {W} is the test's own directory. */
const LINKS: readonly { readonly what: string; readonly to: string }[] = [
  { what: "an absolute one to a host directory", to: "{W}/outside" },
  { what: "an absolute one to /etc", to: "/etc" },
  { what: "an absolute one to /", to: "/" },
  { what: "a relative one out of the image", to: "../outside" },
  { what: "one that climbs far", to: "../../../../../../../../../..{W}/outside" },
  { what: "one that climbs and comes back elsewhere", to: "../../{B}/outside" },
  { what: "a loop", to: "link" },
  { what: "one to itself through a directory", to: "mnt/../link" },
  { what: "one that does not exist", to: "nowhere/at/all" },
  { what: "/proc/1/root", to: "/proc/1/root{W}/outside" },
  { what: "/proc/1/root, relative", to: "proc/1/root{W}/outside" },
  { what: "/proc/self/root", to: "/proc/self/root{W}/outside" },
  { what: "/proc/self/cwd", to: "proc/self/cwd/outside" },
  { what: "/proc/self/fd", to: "proc/self/fd/0" },
  { what: "/proc/thread-self/root", to: "proc/thread-self/root/tmp" },
  { what: "the host's /tmp", to: "/tmp" },
  { what: "the host's /tmp, relative", to: "tmp" },
  { what: "/dev/shm", to: "dev/shm" },
  { what: "an absolute one inside the image", to: "/usr" },
  { what: "a relative one inside the image", to: "usr" },
];

/** Targets of binds that have the link as first, middle and last component. */
const PLACES = ["/link", "/link/sub", "/mnt/../link/sub", "/mnt/up/link/sub"];

// --write last, because it leaves directories in the image.
const OPTIONS = [[], ["-W"], ["-w"]] as const;

for (const { what, to } of LINKS) {
  test(`ch-run --bind to a link in the image: ${what}`, async (work) => {
    const target = to.replaceAll("{W}", work.path)
      .replaceAll("{B}", work.path.split("/").at(-1)!);
    work.tree("source", { "mark": "" });
    work.tree("outside", { "sub/": "" });
    const image = work.image("image", { "mnt/up/": "" });
    await work.must('ln -s "$2" "$1/link"; ln -s "../../$2" "$1/mnt/up/link"', [image, target]);
    const before = await listHost(work);
    for (const option of OPTIONS) {
      for (const place of PLACES) {
        // Whether the bind works is the other tests' matter; here it must not do harm.
        const bind = `-b${work.path}/source:${place}`;
        const { code, stderr } = await work.run(["ch-run", ...option, bind, image, "--", "true"]);
        const note = `${option} ${place}: ${stderr}`;
        assert.ok(code === 0 || code === 31, note);
        assert.equal(await listHost(work), before, note);
        assert.equal(await work.must("find image -name mark"), "", note);
      }
    }
  });
}

/** Everything that such a link could have reached, and mounts of "source", wherever they are. */
function listHost(work: Workplace): Promise<string> {
  return work.must(
    "find outside source home -printf '%p %y %m %T@\\n' | sort; " +
      "ls -d /etc/sub /sub /tmp/sub /dev/shm/sub 2>/dev/null || true; " +
      'grep "$PWD/source" /proc/self/mountinfo || true',
  );
}

test("ch-run does not write through links at the places it mounts itself", async (work) => {
  for (const name of ["tmp", "dev", "proc", "sys", "etc/passwd", "etc/group", "etc/hosts"]) {
    for (
      const to of [`${work.path}/outside`, "../outside", "../../outside", "/proc/self/root/tmp"]
    ) {
      const image = work.image();
      work.tree("outside", { "file": "untouched" });
      await work.must('rm -rf "$1/$2"; ln -s "$3" "$1/$2"', [image, name, to]);
      const result = await work.run(["ch-run", "-t", image, "--", "true"]);
      assert.ok(result.code === 0 || result.code === 31, `${name} -> ${to}: ${result.stderr}`);
      assert.equal(await work.must("ls -A outside; cat outside/file"), "file\nuntouched");
      await work.must("rm -rf image");
    }
  }
});

test("ch-run -t puts no tmpfs outside of the image", async (work) => {
  const image = work.image();
  work.tree("outside", { "file": "" });
  await work.must('rmdir "$1/tmp"; ln -s ../outside "$1/tmp"', [image]);
  expect(await work.run(["ch-run", "-t", image, "--", "true"]), {
    code: 31,
    stderr: /error: can't bind: \S+\/tmp not subdirectory of \S+\/image/,
  });
});

test("ch-run -t puts no tmpfs over the container's root", async (work) => {
  const image = work.image();
  await work.must('rmdir "$1/tmp"; ln -s / "$1/tmp"', [image]);
  expect(await work.run(["ch-run", "-t", image, "--", "true"]), {
    code: 31,
    stderr: /error: can't mount tmpfs at \S+\/tmp: leads to \//,
  });
});

test("ch-run reads no file of the host as /ch/environment or metadata", async (work) => {
  work.tree("outside", {
    "environment": "SECRET=1\n",
    "config.pulled.json": '{"config":{"Env":["SECRET=1"]}}',
  });
  for (
    const to of [
      `${work.path}/outside`,
      "../outside",
      "/proc/self/root/outside",
      "proc/self/cwd/outside",
    ]
  ) {
    const image = work.image();
    await work.must('ln -s "$2" "$1/ch"', [image, to]);
    for (const option of ["--set-env", "--image-env"]) {
      const result = await work.run(["ch-run", option, image, "--", "env"]);
      assert.doesNotMatch(result.stdout, /SECRET/, `${to} ${option}`);
    }
    await work.must("rm -rf image");
  }
});

test("ch-run does not wait for a FIFO that an image has for its metadata", async (work) => {
  const image = work.image("image", { "ch/": "" });
  await work.must('mkfifo "$1/ch/environment"', [image]);
  expect(await work.run(["ch-run", "--set-env", image, "--", "true"], { limit: 5000 }), {
    code: 31,
    stderr: /error: can't open: \/ch\/environment: Invalid argument/,
  });
});

/** Runs SCRIPT again and again in the background while BODY runs; words $1 … are ARGS. */
async function whileRewriting(
  work: Workplace,
  script: string,
  args: readonly string[],
  body: () => Promise<void>,
): Promise<void> {
  const attacker = work.spawn(["sh", "-c", `while :; do ${script}; done`, "sh", ...args]);
  try {
    await body();
  } finally {
    Deno.kill(-attacker.pid, "SIGKILL");
    await attacker.output();
  }
}

const RACES: readonly { readonly what: string; readonly script: string }[] = [
  {
    what: "turns a directory into a link out of it and back",
    script: 'mv "$1/a" "$1/a.away"; ln -s "$2/outside" "$1/a"; rm "$1/a"; mv "$1/a.away" "$1/a"',
  },
  {
    what: "turns a directory into a relative link and back",
    script: 'mv "$1/a" "$1/a.away"; ln -s ../outside "$1/a"; rm "$1/a"; mv "$1/a.away" "$1/a"',
  },
  {
    what: "moves a directory out of the image and back",
    script: 'mv "$1/a/b" "$2/outside/b"; mv "$2/outside/b" "$1/a/b"',
  },
  {
    what: "exchanges a directory for /tmp",
    script: 'mv "$1/tmp" "$1/a/tmp"; mv "$1/a/tmp" "$1/tmp"',
  },
];

for (const option of ["-w", "-W"]) {
  for (const { what, script } of RACES) {
    test(`ch-run ${option} while somebody ${what}`, async (work) => {
      const image = work.image("image", { "a/b/": "" });
      work.tree("source", { "mark": "" });
      work.tree("outside", {});
      work.tree("temporary", { "b/": "" });
      await whileRewriting(work, script, [image, work.path], async () => {
        for (let round = 0; round < 15; round++) {
          const result = await work.run([
            "ch-run",
            option,
            `-b${work.path}/source:/a/b/new${round}/deep`,
            `-b${work.path}/source:/a/tmp/new${round}`,
            image,
            "--",
            "true",
          ], { env: { TMPDIR: `${work.path}/temporary` } });
          assert.ok(result.code === 0 || result.code === 31, result.stderr);
        }
      });
      // A directory made inside the image, in /a/b, may be found outside, because it was moved there.
      assert.equal(await work.must("ls outside | grep -v '^b$' || true; ls -A temporary"), "b\n");
      assert.equal(await work.must("find . -name mark"), "./source/mark\n");
    });
  }
}

test("ch-run makes no directory in a bind whose target is moved meanwhile", async (work) => {
  const image = work.image("image", { "a/": "" });
  work.tree("source", { "mark": "" });
  work.tree("temporary", {});
  // Each mount takes half a second, so there is time to move /tmp after it has been mounted.
  const child = work.spawn([
    "strace",
    "-f",
    "-o/dev/null",
    "-etrace=mount",
    "-einject=mount:delay_exit=500000",
    "ch-run",
    "-w",
    `-b${work.path}/source:/mnt/0`,
    `-b${work.path}/source:/a/tmp/new`,
    image,
    "--",
    "true",
  ], { env: { TMPDIR: `${work.path}/temporary` } });
  // The container's /tmp is the host's "temporary" as soon as it shows in the process's mounts.
  const script = 'until grep -qs " /sys/root/tmp " /proc/[0-9]*/mounts; do sleep 0.02; done; ' +
    'mv "$1/tmp" "$1/a/tmp"';
  await work.must(script, [image]);
  const { code, stderr } = await child.output();
  assert.equal(code, 31);
  // Which of the two depends on how far it was when the move came.
  assert.match(
    new TextDecoder().decode(stderr),
    /error: can't (mkdir: \S+\/a\/tmp\/new under a bind-mount; the image is being changed|bind: destination not found)/,
  );
  assert.ok(!exists(`${work.path}/temporary/new`));
}, "strace");

test("ch-run --bind covers the container's root by no way of writing it", async (work) => {
  const image = work.image("image", { "link": { link: "/" }, "mnt/link": { link: ".." } });
  for (const target of ["/link", "/mnt/link", "/mnt/..", "/../image", "/./", "//"]) {
    expect(await work.run(["ch-run", `-b${work.path}/home:${target}`, image, "--", "true"]), {
      code: 31,
      stderr: /error: (can't bind|--bind): destination can't be \/[ :]/,
    });
  }
});
