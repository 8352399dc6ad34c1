// A storage directory on a file system that lacks something, as NFS and others do: exchanging names, hard
// links, locks. A filter of system calls takes it away.

import assert from "node:assert/strict";
import { expect, test, type Workplace } from "../rig.ts";

/** without LETTERS COMMAND...: x is exchanging names, l hard links, k locks of open files. */
const WITHOUT = `#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#define LOAD(what) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, what))
#define IS(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, value)
#define FAIL(error) RETURN(SECCOMP_RET_ERRNO | (error))
int main(int argc, char **argv)
{
    struct sock_filter exchange[] = {LOAD(nr), IS(SYS_renameat2, 0, 3), LOAD(args[4]),
                                     IS(2, 0, 1), FAIL(EINVAL), RETURN(SECCOMP_RET_ALLOW)};
    struct sock_filter links[] = {LOAD(nr), IS(SYS_linkat, 1, 0), IS(SYS_link, 0, 1), FAIL(EPERM),
                                  RETURN(SECCOMP_RET_ALLOW)};
    struct sock_filter locks[] = {LOAD(nr), IS(SYS_fcntl, 0, 4), LOAD(args[1]),
                                  IS(F_OFD_SETLK, 1, 0), IS(F_OFD_SETLKW, 0, 1), FAIL(ENOLCK),
                                  RETURN(SECCOMP_RET_ALLOW)};
    struct sock_fprog filters[] = {{sizeof(exchange) / sizeof(*exchange), exchange},
                                   {sizeof(links) / sizeof(*links), links},
                                   {sizeof(locks) / sizeof(*locks), locks}};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (int i = 0; i < 3; i++)
        if (strchr(argv[1], "xlk"[i]) &&
            prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filters[i], 0, 0) != 0)
            return 99;
    execvp(argv[2], argv + 2);
    return 98;
}
`;

/** LINK: how a second name of a file is made in images. */
async function prepare(work: Workplace, link: "ln" | "cp -p" = "ln"): Promise<void> {
  await work.must('printf %s "$1" >w.c && cc -D_GNU_SOURCE -static w.c -o without', [WITHOUT]);
  work.image("image", { "etc/a": "a\n" });
  await work.must(`${link} image/etc/a image/etc/b && mkdir context && echo c >context/c`);
  for (const word of ["one", "two", "three"]) {
    await work.must(
      'printf "FROM base\\nCOPY c /c\\nRUN echo $1 >/f && $2 /f /g && rm /etc/a\\nRUN cat /g /c >/h\\n" >"context/$1"',
      [word, link],
    );
  }
}

/** Imports, builds, switches, fails, deletes, brings back; what is there in between. */
async function goThrough(work: Workplace, without: readonly string[]): Promise<string[]> {
  const seen: string[] = [];
  const run = async (...words: string[]) => {
    const result = await work.run([...without, "ch-image", ...words]);
    expect(result, { code: 0 });
    return result;
  };
  const build = (word: string) => run("build", "-t", "t", "-f", `context/${word}`, "context");
  const look = async () =>
    void seen.push(
      await work.must(
        "cd storage/img/t && cat f g h etc/b c && ls -R . ../base && stat -c %h f etc/b",
      ),
    );
  await run("import", "image", "base");
  for (const word of ["one", "two", "three", "one", "two"]) {
    await build(word);
    await look();
  }
  assert.doesNotMatch((await build("one")).stderr, /^ *\d+\. /m);
  await run("import", "image", "base");
  await run("delete", "t");
  await run("undelete", "t");
  await look();
  await run("build-cache", "--gc");
  await build("two");
  await look();
  assert.equal((await run("list")).stdout, "base\nt\n");
  assert.equal(await work.must("ls storage"), STORAGE);
  return seen;
}

const STORAGE = "bucache\nbularge\ndlcache\nimg\nlock\nulcache\nversion\n";

test("names that cannot be exchanged make no difference", async (work) => {
  await prepare(work);
  const expected = await goThrough(work, []);
  await work.must("rm -rf storage");
  assert.deepEqual(await goThrough(work, ["./without", "x"]), expected);
}, "cc");

test("without hard links files are copied", async (work) => {
  await prepare(work, "cp -p");
  const seen = await goThrough(work, ["./without", "xl"]);
  for (const text of seen) assert.match(text, /\n1\n1\n$/);
  await work.must("rm -rf storage");
  const usual = await goThrough(work, []);
  const withoutCounts = (texts: readonly string[]) =>
    texts.map((text) => text.replace(/\d+\n\d+\n$/, ""));
  assert.deepEqual(withoutCounts(seen), withoutCounts(usual));
}, "cc");

test("without locks commands say how to go on, and do with --no-lock", async (work) => {
  await prepare(work);
  const run = (...words: string[]) => work.run(["./without", "k", "ch-image", ...words]);
  expect(await work.run(["ch-image", "list"]), { code: 0 });
  expect(await run("import", "image", "base"), {
    code: 1,
    stderr: /^error: can’t lock storage directory: [^]*hint: use --no-lock/m,
  });
  assert.equal(await work.must("ls storage/img"), "");
  expect(await run("import", "--no-lock", "image", "base"), { code: 0 });
  expect(await run("build", "--no-lock", "-t", "t", "-f", "context/one", "context"), { code: 0 });
  assert.equal((await run("list", "--no-lock")).stdout, "base\nt\n");
}, "cc");

test(
  "a replacement killed between its two renames is undone",
  async (work) => {
    await prepare(work);
    const build = ["ch-image", "build", "-t", "t", "-f"];
    await work.must("ch-image import image base");
    expect(await work.run([...build, "context/one", "context"]), { code: 0 });
    const without = [
      "./without",
      "x",
      "strace",
      "-f",
      "-qq",
      "-o",
      "/dev/null",
      "-e",
      "trace=rename,renameat,renameat2",
    ];
    // Which rename it is depends on the build: each is tried.
    let restored = 0;
    for (let nth = 1; nth <= 20; nth++) {
      const inject = ["-e", `inject=rename,renameat,renameat2:signal=KILL:when=${nth}`];
      const killed = await work.run([...without, ...inject, ...build, "context/two", "context"]);
      if (killed.code === 0) break;
      const isGone = (await work.sh("test -e storage/img/t")).code !== 0;
      const { stdout } = await work.run(["ch-image", "list"]);
      assert.equal(stdout, "base\nt\n", `rename ${nth}`);
      assert.match(await work.must("cat storage/img/t/f"), /^(one|two)$/m);
      if (isGone) restored++;
      expect(await work.run([...build, "context/one", "context"]), { code: 0 });
    }
    assert(restored > 0, "never between the two");
  },
  "cc",
  "strace",
);

test("commands that make a storage at the same time, without locks", async (work) => {
  work.image();
  const results = await Promise.all(
    Array.from(
      { length: 8 },
      (_, i) => work.run(["ch-image", "import", "--no-lock", "image", `i${i}`]),
    ),
  );
  for (const result of results) expect(result, { code: 0 });
  const { stdout } = await work.run(["ch-image", "list"]);
  assert.equal(stdout, Array.from({ length: 8 }, (_, i) => `i${i}\n`).join(""));
});
