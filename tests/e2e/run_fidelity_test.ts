// The command in the container has the process that its caller gave it: what /proc tells of it from
// outside and from inside is compared whole, for callers in all sorts of states. What may differ is
// listed here, and nothing else.

import assert from "node:assert/strict";
import { type Need, test, type Workplace } from "../rig.ts";

/** A caller: shell commands before ch-run (bash), or words in front of it. */
interface Caller {
  readonly what: string;
  readonly set?: string;
  readonly words?: readonly string[];
  /** Redirections of the command; standard output is the test's. */
  readonly redirect?: string;
  readonly needs?: readonly Need[];
}

const CALLERS: readonly Caller[] = [
  { what: "plain" },
  { what: "with SIGPIPE ignored", set: "trap '' PIPE" },
  { what: "with many signals ignored", set: "trap '' HUP INT QUIT USR1 CHLD TSTP TTOU RTMIN+3" },
  {
    what: "with blocked signals",
    words: ["env", "--block-signal=USR1,TERM,CHLD,RTMIN,PIPE"],
  },
  {
    what: "with signals at their defaults",
    words: ["env", "--default-signal", "--ignore-signal=INT"],
  },
  { what: "with few open files allowed", set: "ulimit -Sn 40" },
  { what: "with few open files allowed for good", set: "ulimit -n 64" },
  {
    what: "with low soft limits",
    set: "ulimit -Sc 0; ulimit -Ss 1024; ulimit -Su 4000; ulimit -Sf 999999; ulimit -Sl 8; " +
      "ulimit -St 600; ulimit -Si 100; ulimit -Sq 1000; ulimit -Sv 3000000",
  },
  {
    what: "with low hard limits",
    set: "ulimit -c 0; ulimit -s 4096; ulimit -t 600; ulimit -i 200",
  },
  {
    what: "with a non-blocking standard input",
    set: "exec < <(exec sleep 2 >/dev/null 2>&1); dd iflag=nonblock count=0 status=none",
  },
  {
    what: "with a non-blocking standard error",
    set: "exec 2> >(cat >/dev/null); dd oflag=nonblock count=0 status=none >&2",
  },
  {
    what: "with more descriptors of all kinds",
    set: "exec 7</etc/hosts 8>>appended 9<>both 11> >(cat >/dev/null) 23</dev/null 39<.; " +
      "head -c 7 <&7 >/dev/null; echo x >&8",
  },
  { what: "with a descriptor of high number", set: "ulimit -Sn 4096 && exec 4000</dev/zero" },
  { what: "without standard input", redirect: "<&-" },
  { what: "without standard error", redirect: "2>&-" },
  { what: "with standard input and error closed", redirect: "<&- 2>&-" },
  { what: "with standard output and error in one", redirect: "2>&1" },
  { what: "with a umask of 0", set: "umask 0" },
  { what: "with a strict umask", set: "umask 0777" },
  { what: "that is nice", words: ["nice", "-n", "7"] },
  { what: "of low input and output priority", words: ["ionice", "-c3"] },
  { what: "of a batch scheduling class", words: ["chrt", "--batch", "0"] },
  { what: "bound to one processor", words: ["taskset", "-c", "0"] },
  { what: "to be killed first", set: "echo 700 >/proc/$BASHPID/oom_score_adj" },
  { what: "in a session of its own", words: ["setsid", "--wait"] },
  { what: "without address randomization", words: ["setarch", "-R"] },
  { what: "without new privileges", words: ["setpriv", "--no-new-privs"] },
  { what: "with other core dumps", set: "echo 0x7f >/proc/$BASHPID/coredump_filter" },
  { what: "in a directory that is gone", set: "mkdir gone; cd gone; rmdir ../gone" },
];

const FILES = [
  "status",
  "limits",
  "oom_score_adj",
  "coredump_filter",
  "personality",
  "cgroup",
  "timerslack_ns",
  "stat",
  "io",
];

/** Lines of /proc/self/status that tell of memory, chance and numbers, and, at the end, of being in a
 * user namespace. */
const STATUS_IGNORED =
  /^(Name|State|Tgid|Ngid|Pid|PPid|NS\w+|FDSize|Vm\w+|Rss\w+|HugetlbPages|SigQ|\w+_ctxt_switches|x86_\w+|Groups|CapBnd|NoNewPrivs):/;

/** Fields of /proc/self/stat by which the caller is recognized (proc(5)): process group, session,
 * terminal and its foreground group, nice, threads, real-time priority, policy. */
const STAT_FIELDS = [5, 6, 7, 8, 19, 20, 40, 41];

for (const kind of ["directory", "SquashFS"] as const) {
  for (const { what, set = ":", words = [], redirect = "", needs = [] } of CALLERS) {
    const more: readonly Need[] = kind === "SquashFS" ? ["fuse", "mksquashfs"] : [];
    test(
      `ch-run of a caller ${what} (${kind})`,
      async (work) => {
        const image = await makeImage(work, kind);
        const look = (...command: string[]) =>
          compare(work, image, { set, words, redirect }, command);

        const files = FILES.map((name) => `/proc/self/${name}`);
        const [outside, inside] = await look("cat", ...files);
        assert.deepEqual(judge(inside), judge(outside));
        assert.match(inside, /^NoNewPrivs:\t1$/m);
        assert.match(inside, /^Threads:\t1$/m);

        const [opened, kept] = await look("sh", "-c", LIST_DESCRIPTORS);
        assert.deepEqual(judgeDescriptors(kept, redirect), judgeDescriptors(opened, redirect));
        const [mask, sameMask] = await look("sh", "-c", "umask");
        assert.equal(sameMask, mask);
      },
      ...needs,
      ...more,
    );
  }
}

async function makeImage(work: Workplace, kind: "directory" | "SquashFS"): Promise<string> {
  const image = work.image();
  if (kind === "directory") return image;
  await work.must('mksquashfs "$1" "$1.sqfs" -quiet -no-progress', [image]);
  return `${image}.sqfs`;
}

/** What COMMAND, of busybox, prints outside and inside, started by the same caller. */
async function compare(
  work: Workplace,
  image: string,
  { set, words, redirect }: { set: string; words: readonly string[]; redirect: string },
  command: readonly string[],
): Promise<[string, string]> {
  // Both have the same descriptors, made once.
  const start = (out: string, program: string) =>
    `( exec ${words.join(" ")} ${program} "$@" >"${work.path}/${out}" ${redirect} )`;
  const script = [
    `touch "${work.path}/outside" "${work.path}/inside"`,
    `{ ${set}; }`,
    start("outside", `${work.path}/image/bin/busybox`),
    start("inside", `ch-run ${image} --`),
  ];
  const { code, stderr } = await work.run(["bash", "-c", script.join(" && "), "bash", ...command]);
  assert.equal(code, 0, stderr);
  return [
    Deno.readTextFileSync(`${work.path}/outside`),
    Deno.readTextFileSync(`${work.path}/inside`),
  ];
}

/** The lines that must be equal. */
function judge(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    if (STATUS_IGNORED.test(line)) return [];
    if (/^\d+ \(/.test(line)) {
      const pid = line.split(" ")[0];
      const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
      const values = STAT_FIELDS.map((field) => fields[field - 3]);
      return [`stat ${values.map((value) => value === pid ? "its own" : value).join(" ")}`];
    }
    return /^(rchar|wchar|syscr|syscw|read_bytes|write_bytes|cancelled_write_bytes):/.test(line)
      ? []
      : [line];
  });
}

/** Of every descriptor: its number, position, flags, mount and inode. The shell itself opens some of the
 * low ones now and then. */
const LIST_DESCRIPTORS =
  'cd /proc/$$/fdinfo && for f in *; do case $f in [3-6]) ;; *) echo "$f: "$(cat $f);; esac; done';

/** The two look through different files, which is not the caller's doing; and where the caller closed
 * something, the shell uses the number for itself. */
function judgeDescriptors(text: string, redirect: string): string[] {
  const ino = /^1: .* (ino: \d+)$/m.exec(text)?.[1] ?? "?";
  const closed = [...redirect.matchAll(/(\d?)[<>]&-/g)].map(([, fd]) => `${fd || 0}: `);
  return text.replaceAll(ino, "the output").split("\n")
    .filter((line) => !closed.some((number) => line.startsWith(number)));
}

const VARIABLES = ["A=1", "LANG=C.UTF-8", "_=x", "PWD=/elsewhere", "LD_PRELOAD=", "DENO_DIR=/x"];

for (const kind of ["directory", "SquashFS"] as const) {
  const needs: readonly Need[] = kind === "SquashFS" ? ["fuse", "mksquashfs"] : [];

  test(`ch-run passes on the environment byte for byte (${kind})`, async (work) => {
    const image = await makeImage(work, kind);
    const words = ["env", "-i", "Z=last", "USER=me", "PATH=/usr/bin:/bin", ...VARIABLES];
    const script = `ODD="$(printf 'a\\377b')"; export ODD; exec "$@"`;
    const read = async (...command: string[]) =>
      (await work.run([...words, "sh", "-c", script, "sh", ...command])).stdout.split("\0").sort();
    const run = (await work.must("command -v ch-run")).trim();
    const outside = await read(`${work.path}/image/bin/busybox`, "cat", "/proc/self/environ");
    const inside = await read(run, image, "--", "cat", "/proc/self/environ");
    assert.deepEqual(
      inside,
      [...outside, "CH_RUNNING=Weird Al Yankovic", "HOME=/root"].sort(),
    );
  }, ...needs);

  test(`ch-run passes on a large environment and many words (${kind})`, async (work) => {
    const image = await makeImage(work, kind);
    const script = "X=$(head -c 100000 /dev/zero | tr '\\0' x); " +
      "for i in {1..12}; do export V$i=$X; done; " +
      `exec ch-run "$IMAGE" -- sh -c 'echo "$# \${#V1} \${#V12}"' sh {1..20000}`;
    const result = await work.run(["bash", "-c", script], { env: { IMAGE: image } });
    assert.equal(result.stdout, "20000 100000 100000\n", result.stderr);
  }, ...needs);

  test(`ch-run with all standard descriptors closed (${kind})`, async (work) => {
    const image = await makeImage(work, kind);
    work.tree("temporary", {});
    const look = 'cd /proc/$$/fd && echo * >"$OUT"';
    await work.must(
      'export OUT="$1/temporary/outside"; "$1/image/bin/busybox" sh -c "$2" <&- >&- 2>&-; ' +
        'export OUT=/tmp/inside TMPDIR="$1/temporary"; ch-run "$3" -- sh -c "$2" <&- >&- 2>&-',
      [work.path, look, image],
    );
    const read = (name: string) => Deno.readTextFileSync(`${work.path}/temporary/${name}`);
    assert.equal(read("inside"), read("outside"));
  }, ...needs);
}
