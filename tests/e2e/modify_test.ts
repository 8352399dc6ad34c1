// ch-image modify: images by shell code.

import assert from "node:assert/strict";
import { expect, type Expected, test, type Workplace } from "../rig.ts";

async function prepare(work: Workplace): Promise<void> {
  await work.must('ch-image import "$1" base', [work.image()]);
}

interface ModifyCase {
  readonly name: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly expected: Expected;
  /** Shell script run after, which must succeed. */
  readonly after?: string;
}

const CASES: readonly ModifyCase[] = [
  {
    name: "commands",
    args: ["-c", "echo $0; touch /a", "-c", "ls /a", "base", "out"],
    expected: {
      code: 0,
      stdout: "/bin/sh\n/a\n",
      stderr:
        /^ -1[.*] FROM base\n[^]*^ -1\. SHELL \['\/bin\/sh', '-c'\]\n[^]* -1\. RUN\.S echo \$0; touch \/a\n[^]*^grown in 4 instructions: out$/m,
    },
    after: "test -e storage/img/out/a && test ! -e storage/img/base/a",
  },
  {
    name: "commands in another shell",
    args: ["-S", "/bin/busybox", "-c", "echo", "base", "out"],
    expected: { code: 1, stderr: /-c: applet not found[^]*RUN command exited with 127\n/ },
    after: "test ! -e storage/img/out",
  },
  {
    name: "a script",
    args: ["base", "out", "dir/script"],
    expected: {
      code: 0,
      stdout: "hi\n",
      stderr:
        /COPY \['\/.*\/dir\/script'\] -> '\/ch\/script\.sh'\n[^]*RUN\.S \["\/bin\/sh", "\/ch\/script\.sh"\]\n/,
    },
    after: "cmp dir/script storage/img/out/ch/script.sh && test -e storage/img/out/made",
  },
  {
    name: "a script on standard input",
    args: ["base", "out"],
    stdin: "echo from stdin\ntouch /made\n",
    expected: { code: 0, stdout: "from stdin\n" },
    after: "test -e storage/img/out/made",
  },
  {
    name: "a script that fails",
    args: ["base", "out"],
    stdin: "exit 7\n",
    expected: { code: 1, stderr: /RUN command exited with 7\n/ },
    after: "test ! -e storage/img/out",
  },
  {
    name: "a shell by hand, whose status does not count",
    args: ["-i", "-b", ".:/mnt/0", "base", "out"],
    stdin: "id -u; cat /mnt/0/dir/name; touch /made; echo x >> /etc/passwd; exit 3\n",
    expected: { code: 0, stdout: /^\d+\nname\n$/ },
    after: "test -e storage/img/out/made; ! grep x$ storage/img/base/etc/passwd; " +
      "grep -q 'MODIFY interactive' storage/img/out/ch/metadata.json; test -z \"$(ls storage/imgtmp 2>&-)\"",
  },
  {
    name: "a shell by hand that is not there",
    args: ["-i", "-S", "/no/shell", "base", "out"],
    expected: { code: 1, stderr: /^error: can’t run shell: \/no\/shell\n$/m },
    after: "test ! -e storage/img/out",
  },
  {
    name: "-c and -i",
    args: ["-c", "x", "-i", "base", "out"],
    expected: { code: 1, stderr: "error: incompatible opts: “-c”, “-i”\n" },
  },
  {
    name: "-c and a script",
    args: ["-c", "x", "base", "out", "script"],
    expected: { code: 1, stderr: "error: script mode incompatible with command mode\n" },
  },
  {
    name: "-i and a script",
    args: ["-i", "base", "out", "script"],
    expected: { code: 1, stderr: "error: script mode incompatible with interactive mode\n" },
  },
  {
    name: "neither commands nor script nor terminal",
    args: ["base", "out"],
    expected: { code: 1, stderr: "error: modify mode unclear\n" },
  },
  {
    name: "an image that is not there",
    args: ["-c", "x", "missing", "out"],
    expected: { code: 1, stderr: "error: not in storage: missing\n" },
  },
  {
    name: "the image itself",
    args: ["-c", "x", "base", "base"],
    expected: {
      code: 1,
      stderr: "error: output must be different from source image (base)\n",
    },
  },
  {
    name: "a script that is not there",
    args: ["base", "out", "/no/script"],
    expected: { code: 1, stderr: "error: /no/script: no such file\n" },
  },
  {
    name: "a build argument",
    args: ["--build-arg", "a=b", "-c", "true", "base", "out"],
    expected: { code: 1, stderr: /^error: --build-arg: not consumed: a\n$/m },
  },
];

for (const { name, args, stdin, expected, after } of CASES) {
  test(`modify: ${name}`, async (work) => {
    await prepare(work);
    work.tree("dir", { script: "#!/no/thing\necho hi; touch /made\n", name: "name\n" });
    const result = await work.run(
      ["ch-image", "modify", ...args],
      stdin === undefined ? {} : { stdin },
    );
    expect(result, expected);
    if (after !== undefined) await work.must(after);
  });
}

test("modify: keeps what the image knows of itself", async (work) => {
  await prepare(work);
  work.tree("context", { Dockerfile: 'FROM base\nENV A=1\nLABEL l=m\nCMD ["c"]\n' });
  await work.must("ch-image build -t one context && ch-image modify -c true one two");
  await work.must("printf 'exit\\n' | ch-image modify -i one three");
  for (const image of ["two", "three"]) {
    const metadata = JSON.parse(
      Deno.readTextFileSync(`${work.path}/storage/img/${image}/ch/metadata.json`),
    );
    assert.deepEqual([metadata.env, metadata.labels, metadata.config], [{ A: "1" }, { l: "m" }, {
      Cmd: ["c"],
    }]);
  }
});
