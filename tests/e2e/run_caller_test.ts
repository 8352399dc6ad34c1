// The command sees what the caller had: process id, signals, limits, descriptors, and so on. Each
// test looks from outside and from inside and compares.

import assert from "node:assert/strict";
import { expect, type Need, test, type Workplace } from "../rig.ts";

/** Kinds of images; what the caller had must reach the command in each. */
const KINDS = ["directory", "SquashFS"] as const;
type Kind = typeof KINDS[number];

async function makeImage(work: Workplace, kind: Kind): Promise<string> {
  const image = work.image();
  if (kind === "directory") return image;
  await work.must('mksquashfs "$1" "$1.sqfs" -quiet -no-progress', [image]);
  return `${image}.sqfs`;
}

function testKinds(
  name: string,
  body: (work: Workplace, image: string, kind: Kind) => Promise<void>,
  ...needs: Need[]
): void {
  for (const kind of KINDS) {
    const more = kind === "SquashFS" ? ["fuse", "mksquashfs"] as const : [];
    test(
      `${name} (${kind})`,
      async (work) => {
        await body(work, await makeImage(work, kind), kind);
      },
      ...needs,
      ...more,
    );
  }
}

/** What a look at the process shows, each in one script that runs outside and inside alike. */
const LOOKS: readonly { readonly what: string; readonly set: string; readonly look: string }[] = [
  {
    what: "ignored, blocked and caught signals",
    set: "trap '' USR1 HUP",
    look: "grep -E '^Sig(Blk|Ign|Cgt)|^ShdPnd' /proc/self/status",
  },
  { what: "default SIGPIPE", set: ":", look: "grep '^SigIgn' /proc/self/status" },
  { what: "ignored SIGPIPE", set: "trap '' PIPE", look: "grep '^SigIgn' /proc/self/status" },
  {
    what: "resource limits",
    set: "ulimit -Sn 321; ulimit -Sc 0; ulimit -Ss 4096; ulimit -Su 20000; ulimit -Sf 9999999",
    look: "cat /proc/self/limits",
  },
  {
    what: "the limit of address space",
    set: "ulimit -Sv 4000000",
    look: "grep -i 'address space' /proc/self/limits",
  },
  {
    what: "the limit of open files at the hard one",
    set: "ulimit -Sn 1000; ulimit -Hn 1000",
    look: "grep files /proc/self/limits",
  },
  { what: "umask", set: "umask 037", look: "umask" },
  { what: "nice", set: "renice -n 5 -p $BASHPID >renice", look: "cut -d' ' -f19 /proc/self/stat" },
  {
    what: "oom score",
    set: "echo 321 > /proc/$BASHPID/oom_score_adj",
    look: "cat /proc/self/oom_score_adj",
  },
  { what: "session and process group", set: ":", look: "cut -d' ' -f5,6 /proc/$$/stat" },
  { what: "the personality", set: ":", look: "cat /proc/self/personality 2>/dev/null || true" },
  {
    what: "timer slack and thread count",
    set: ":",
    look: "grep -E '^(Threads)' /proc/self/status",
  },
  {
    what: "open descriptors",
    set: "exec 7</etc/hosts 9>/dev/null 23</dev/null 1000</dev/null",
    // By the shell itself: a pipeline's own descriptors may be seen or not.
    look: "cd /proc/$$/fd && echo *",
  },
  {
    what: "flags and offset of a descriptor",
    set: "exec 7<image/etc/passwd; head -c 5 <&7 >head",
    look: "cat /proc/$$/fdinfo/7 | grep -E '^(pos|flags)'",
  },
  {
    what: "flags of standard input, output and error",
    set: ":",
    look: "grep -h '^flags' /proc/$$/fdinfo/0 /proc/$$/fdinfo/1 /proc/$$/fdinfo/2",
  },
];

for (const { what, set, look } of LOOKS) {
  testKinds(`ch-run passes on ${what}`, async (work, image) => {
    // The same shell program in both, from the image; bash has the limits that dash lacks.
    await work.run([
      "bash",
      "-c",
      `(${set}; exec "$1/bin/busybox" sh -c "$3" >outside); (${set}; exec ch-run "$2" -- sh -c "$3" >inside)`,
      "bash",
      `${work.path}/image`,
      image,
      look,
    ]);
    const [outside, inside] = ["outside", "inside"]
      .map((name) => Deno.readTextFileSync(`${work.path}/${name}`));
    assert.notEqual(outside, "");
    assert.equal(inside?.replaceAll(image, ""), outside?.replaceAll(image, ""));
  });
}

testKinds("ch-run becomes the command: one process id", async (work, image) => {
  const { code, stdout } = await work.sh('echo $$; exec ch-run "$1" -- sh -c "echo \\$\\$"', [
    image,
  ]);
  const [before, after] = stdout.trim().split("\n");
  assert.equal(code, 0);
  assert.equal(after, before);
});

testKinds("ch-run -v names the command's process id", async (work, image) => {
  const { stdout, stderr } = await work.run(["ch-run", "-v", image, "--", "sh", "-c", "echo $$"]);
  assert.equal(/^ch-run\[(\d+)\]: executing: sh -c/m.exec(stderr)?.[1], stdout.trim());
});

testKinds("ch-run gives the command no child that it does not know", async (work, image) => {
  // "wait" without children returns at once; a server that were a child would show in the list.
  const script = "cat /proc/$$/task/$$/children; wait; echo waited";
  const result = await work.run(["ch-run", image, "--", "sh", "-c", script], { limit: 10_000 });
  expect(result, { code: 0 });
  assert.match(result.stdout, /^\s*(\d+ )?waited\n$/);
});

for (const status of [0, 1, 7, 255]) {
  testKinds(`ch-run returns exit status ${status}`, async (work, image) => {
    expect(await work.run(["ch-run", image, "--", "sh", "-c", `exit ${status}`]), { code: status });
  });
}

for (const signal of ["SIGTERM", "SIGKILL", "SIGSEGV", "SIGPIPE"] as const) {
  testKinds(`ch-run dies of the command's ${signal}`, async (work, image, kind) => {
    const result = await work.run([
      "ch-run",
      image,
      "--",
      "sh",
      "-c",
      `kill -${signal.slice(3)} $$`,
    ]);
    const number = { SIGTERM: 15, SIGKILL: 9, SIGSEGV: 11, SIGPIPE: 13 }[signal];
    // For SquashFS upstream has a parent, which returns 128 + N; the signal itself is as good.
    if (kind === "SquashFS" && result.signal === undefined) expect(result, { code: 128 + number });
    else expect(result, { signal });
  });
}

testKinds("ch-run reports a missing command by 49", async (work, image) => {
  expect(await work.run(["ch-run", image, "--", "nosuch"]), {
    code: 49,
    stderr:
      /^ch-run\[\d+\]: error: can't execve\(2\): nosuch: No such file or directory \(\S+:\d+ 2\)\n\S+ hint: .*PATH has it: .*\n$/,
  });
});

testKinds("ch-run passes on arguments byte for byte", async (work, image) => {
  const words = '"$(printf "a\\377b")" "" " x  y " "$(printf "l\\nm")" -v -- "*"';
  const outside = await work.must(`"$1/image/bin/busybox" printf '%s|' ${words} | od -c`, [
    work.path,
  ]);
  const inside = await work.must(`ch-run "$1" -- printf '%s|' ${words} | od -c`, [image]);
  assert.equal(inside, outside);
});

testKinds("ch-run passes on an environment that is not UTF-8", async (work, image) => {
  const script = 'A="$(printf "a\\377b")" ch-run "$1" -- sh -c \'printf %s "$A"\' | od -An -tx1';
  assert.equal((await work.must(script, [image])).trim(), "61 ff 62");
});

testKinds("ch-run passes on an image path that is not UTF-8", async (work, image) => {
  const script =
    'dir="$2/$(printf "d\\377")"; mkdir "$dir"; ln -s "$1" "$dir/i"; ch-run "$dir/i" -- echo hi';
  assert.equal(await work.must(script, [image, work.path]), "hi\n");
});

testKinds("ch-run starts at /, wherever the caller stands", async (work, image) => {
  work.tree("gone", {});
  const script = 'cd gone; rmdir ../gone; ch-run "$1" -- pwd';
  assert.equal(await work.must(script, [image]), "/\n");
});

testKinds("ch-run --cd", async (work, image) => {
  expect(await work.run(["ch-run", "--cd", "/usr", image, "--", "pwd"]), {
    code: 0,
    stdout: "/usr\n",
  });
  expect(await work.run(["ch-run", "-c", "mnt/1", image, "--", "pwd"]), {
    code: 0,
    stdout: "/mnt/1\n",
  });
  expect(await work.run(["ch-run", "--cd=/nosuch", image, "--", "true"]), {
    code: 31,
    stderr: /error: can't cd to \/nosuch: No such file or directory/,
  });
});

testKinds("ch-run leaves terminal input to the command", async (work, image) => {
  const result = await work.run(["ch-run", image, "--", "cat"], { stdin: "typed\n" });
  expect(result, { code: 0, stdout: "typed\n" });
});

testKinds("ch-run works with closed standard descriptors", async (work, image) => {
  const script =
    'ch-run "$1" -- sh -c "ls /proc/self/fd > /tmp/ch-test-fd.$$; exit 3" <&- >&- 2>&-';
  const result = await work.sh(`${script}; code=$?; rm -f /tmp/ch-test-fd.*; exit $code`, [image]);
  expect(result, { code: 3 });
});

testKinds("ch-run does not make a pipe non-blocking", async (work, image) => {
  // Flags belong to the open file, which the neighbours in a pipeline share.
  const script =
    'ch-run "$1" -- true; grep -h flags /proc/$$/fdinfo/0 /proc/$$/fdinfo/1 /proc/$$/fdinfo/2';
  const before = await work.must(
    "grep -h flags /proc/$$/fdinfo/0 /proc/$$/fdinfo/1 /proc/$$/fdinfo/2",
    [],
    { stdin: "" },
  );
  assert.equal(await work.must(script, [image], { stdin: "" }), before);
});

for (const signal of ["SIGINT", "SIGHUP", "SIGTERM"] as const) {
  testKinds(`ch-run lets ${signal} reach the command`, async (work, image) => {
    const script = `trap 'echo got; exit 5' ${
      signal.slice(3)
    }; echo ready; while :; do sleep 0.1; done`;
    const child = work.spawn(["ch-run", image, "--", "sh", "-c", script]);
    const timer = setTimeout(() => Deno.kill(-child.pid, "SIGKILL"), 10_000);
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    assert.equal((await reader.read()).value, "ready\n");
    child.kill(signal);
    assert.equal((await reader.read()).value, "got\n");
    assert.equal((await child.status).code, 5);
    clearTimeout(timer);
    await reader.cancel();
    await child.stderr.cancel();
  });
}
