// Builds in real containers: what is logged, what becomes of the image, and that nothing is left when a
// build fails.

import { deepStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import type { Ending } from "../../../ffi/process.ts";
import { chooseForce } from "../../../lib/build/force.ts";
import { ChError } from "../../../lib/error.ts";
import { parseReference } from "../../../lib/reference/reference.ts";
import { spawnInit } from "../../../ffi/process.ts";
import { makeFiles, readFiles } from "./files.ts";
import { type Storage, testBuild } from "./storage.ts";

testBuild("buildImage() logs and grows", async (storage) => {
  makeFiles(storage.context, { f: "F" });
  const lines = await storage.build(`# syntax=x
ARG b=base
FROM $b AS one
RUN echo made > /made
ENV A=1 B=$A
CMD x
COPY --chown=1 f \\
  /copied
WORKDIR /w/d
RUN ["touch", "here"]
LABEL l=m
SHELL ["/bin/sh", "-ec"]
`);
  deepStrictEqual(lines, [
    "warning: not supported, ignored: parser directives",
    "  1  #syntax (unsupported)",
    "  2  ARG b='base'",
    "  3. FROM base AS one",
    "copying image ...",
    "  4. RUN.S echo made > /made",
    "  5. ENV A='1'",
    "  5. ENV B='1'",
    "  6. CMD x",
    "  7. COPY --chown=1 ['f'] -> '/copied'",
    "  9. WORKDIR /w/d",
    ' 10. RUN.S ["touch", "here"]',
    " 11. LABEL l='m'",
    " 12. SHELL ['/bin/sh', '-ec']",
    "--force=seccomp: modified 0 RUN instructions",
    "grown in 11 instructions: new",
  ]);
  strictEqual(storage.read("new", "made"), "made\n");
  strictEqual(storage.read("new", "copied"), "F");
  strictEqual(storage.read("new", "w/d/here"), "");
  strictEqual(storage.read("new", "ch/environment"), "A=1\nB=1\n");
  const { arch: _arch, arg, history, ...rest } = storage.metadata("new");
  deepStrictEqual(rest, {
    config: { Cmd: ["/bin/sh", "-c", "x"] },
    cwd: "/w/d",
    env: { A: "1", B: "1" },
    labels: { l: "m" },
    shell: ["/bin/sh", "-ec"],
    volumes: [],
  });
  strictEqual(arg["b"], "base");
  strictEqual(arg["USER"], undefined);
  deepStrictEqual(history.map((entry) => (entry as { created_by: string }).created_by), [
    "RUN.S echo made > /made",
    "ENV A='1'",
    "ENV B='1'",
    "CMD x",
    "COPY ['f'] -> '/copied'",
    "WORKDIR /w/d",
    'RUN.S ["touch", "here"]',
    "LABEL l='m'",
    "SHELL ['/bin/sh', '-ec']",
  ]);
});

/** What a RUN may do to files; looked at by readFiles(), and the same for both ways of RUN. */
const CHANGES = `
echo changed >> /etc/passwd; rm /bin/cat; ln -s sh /bin/cat; mkdir -p /n/d; echo f > /n/d/f
rm -r /keep/gone; rm -r /keep/again; mkdir /keep/again; echo new > /keep/again/new
mv /keep/file /keep/moved; chmod 700 /keep; rm /keep/type; mkdir /keep/type
`.trim().replaceAll("\n", "; ");

for (const changes of ["auto", "in-place"] as const) {
  testBuild(`buildImage() leaves the base alone, changes ${changes}`, async (storage) => {
    makeFiles(storage.imagePath("base"), {
      "keep/gone/x": "x",
      "keep/again/old": "old",
      "keep/file": "content",
      "keep/type": "file",
    });
    const before = readFiles(storage.imagePath("base"));
    const passwd = Deno.statSync(`${storage.imagePath("base")}/etc/passwd`);
    await storage.build(`FROM base\nRUN ${CHANGES}\nRUN test -d /keep/type\n`, { changes });

    deepStrictEqual(readFiles(storage.imagePath("base")), before);
    const now = Deno.statSync(`${storage.imagePath("base")}/etc/passwd`);
    deepStrictEqual([now.mtime, now.mode], [passwd.mtime, passwd.mode]);
    const image = readFiles(storage.imagePath("new"));
    deepStrictEqual(
      Object.entries(image).filter(([name]) => /^(n|keep)\//.test(name)),
      Object.entries({
        "keep/": "",
        "keep/again/": "",
        "keep/again/new": "new\n",
        "keep/moved": "content",
        "keep/type/": "",
        "n/": "",
        "n/d/": "",
        "n/d/f": "f\n",
      }),
    );
    strictEqual(image["bin/cat"], "-> sh");
    // With an overlay, what did not change is the base's own.
    const { nlink } = Deno.statSync(`${storage.imagePath("new")}/bin/busybox`);
    strictEqual(nlink, changes === "auto" ? 2 : 1);
    strictEqual(image["etc/passwd"], before["etc/passwd"] + "changed\n");
    strictEqual(Deno.statSync(`${storage.imagePath("new")}/keep`).mode! & 0o777, 0o700);
  });

  testBuild(`buildImage() rolls a failed RUN back, changes ${changes}`, async (storage) => {
    await storage.build("FROM base\nRUN echo good > /state\n", { changes });
    const before = readFiles(storage.imagePath("new"));
    const base = readFiles(storage.imagePath("base"));
    const text = "FROM base\nRUN echo bad > /state; rm /etc/passwd; exit 7\nRUN true\n";
    const error = await failure(storage, text, { changes });
    strictEqual(error.message, "build failed: RUN command exited with 7");
    deepStrictEqual(error.lines.slice(-3), [
      "copying image ...",
      "  2. RUN.S echo bad > /state; rm /etc/passwd; exit 7",
      "something went wrong, rolling back ...",
    ]);
    deepStrictEqual(readFiles(storage.imagePath("new")), before);
    deepStrictEqual(readFiles(storage.imagePath("base")), base);
    checkNothingLeft(storage);
  });
}

const STATUSES: readonly (readonly [string, number])[] = [
  ["RUN exit 3", 3],
  ["RUN kill -9 $$", -9],
  ['RUN ["nonexist"]', 49],
  ['SHELL ["/bin/sh"]\nRUN true', 2],
  ['SHELL ["/nonexist", "-c"]\nRUN true', 49],
];

for (const [text, status] of STATUSES) {
  testBuild(`buildImage() tells the status of ${JSON.stringify(text)}`, async (storage) => {
    const error = await failure(storage, `FROM base\n${text}\n`);
    strictEqual(error.message, `build failed: RUN command exited with ${status}`);
  });
}

testBuild("buildImage() gives RUN its environment and nothing else", async (storage) => {
  const caller = new Map([["USER", "me"], ["http_proxy", "p"], ["SECRET", "s"], ["HOME", "/h"]]);
  await storage.build(
    "ARG g=global\nFROM base\nARG TMPDIR=/t\nARG both=arg\nENV both=env\nRUN env > /env; pwd > /pwd; cat > /in\n",
    {},
    { caller },
  );
  deepStrictEqual(storage.read("new", "env").trim().split("\n").sort(), [
    "CH_RUNNING=Weird Al Yankovic",
    "FAKEROOTDONTTRYCHOWN=1",
    "HOME=/root",
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "PWD=/",
    "SHLVL=1",
    "TAR_OPTIONS=--no-same-owner",
    "TMPDIR=/t",
    "USER=me",
    "both=env",
    "g=global",
    "http_proxy=p",
  ]);
  strictEqual(storage.read("new", "pwd"), "/\n");
  strictEqual(storage.read("new", "in"), "");
  const saved = storage.metadata("new").arg;
  deepStrictEqual([saved["http_proxy"], saved["USER"], saved["g"]], [
    undefined,
    undefined,
    "global",
  ]);
});

testBuild("buildImage() fakes root only with --force", async (storage) => {
  const text = "FROM base\nRUN touch /f; chown 5:5 /f\n";
  await storage.build(text);
  const error = await failure(storage, text, { force: chooseForce("none", []) });
  strictEqual(error.message, "build failed: RUN command exited with 1");
  deepStrictEqual(error.lines.at(-2), "  2. RUN.N touch /f; chown 5:5 /f");
});

testBuild("buildImage() injects and counts --force-cmd", async (storage) => {
  const lines = await storage.build(
    'FROM base\nRUN echo apt-get x; echo foo y > /out\nRUN ["true"]\n',
    { force: chooseForce("none", ["foo,-a b"]) },
  );
  ok(lines.includes(
    `--force: RUN: new command: ['/bin/sh', '-c', "echo apt-get x; echo foo '-a b' y > /out"]`,
  ));
  ok(lines.includes("--force=seccomp: modified 1 RUN instructions"));
  strictEqual(storage.read("new", "out"), "foo -a b y\n");
});

testBuild("buildImage() uses fakeroot where a RUN needs it", async (storage) => {
  makeFiles(storage.imagePath("base"), { "etc/alpine-release": "3.19.0\n" });
  // A package manager and a fakeroot of our own.
  for (
    const [name, script] of [["apk", 'touch "/apk-$1"'], ["fakeroot", 'echo "$@" >> /faked; "$@"']]
  ) {
    const path = `${storage.imagePath("base")}/bin/${name}`;
    Deno.writeTextFileSync(path, `#!/bin/sh\n${script}\n`);
    Deno.chmodSync(path, 0o755);
  }
  const fakeroot = `${storage.imagePath("base")}/bin/fakeroot`;
  const force = chooseForce("fakeroot", []);
  const text = "FROM base\nRUN true\nRUN apk add x\nRUN true && apk add y\n";
  const lines = await storage.build(text, { force });
  deepStrictEqual(lines.slice(2), [
    "--force=fakeroot: will use: alpine: Alpine, any version",
    "  2. RUN.F true",
    "  3. RUN.F apk add x",
    "--force=fakeroot: init step 1: checking: $ command -v fakeroot > /dev/null",
    "--force=fakeroot: init step 1: exit 0, step not needed",
    "--force: RUN: new command: ['fakeroot', '/bin/sh', '-c', 'apk add x']",
    "  4. RUN.F true && apk add y",
    "--force: RUN: new command: ['fakeroot', '/bin/sh', '-c', 'true && apk add y']",
    "--force=fakeroot: modified 2 RUN instructions",
    "grown in 4 instructions: new",
  ]);
  strictEqual(storage.read("new", "faked"), "/bin/sh -c apk add x\n/bin/sh -c true && apk add y\n");

  Deno.removeSync(fakeroot);
  const error = await failure(storage, text, { force });
  ok(error.lines.includes("--force=fakeroot: init step 1: $ apk update && apk add fakeroot"));
  strictEqual(error.message, "build failed: RUN command exited with 49");
});

testBuild("buildImage() refuses fakeroot for a distribution it does not know", async (storage) => {
  const error = await failure(storage, "FROM base\nENV a b\n", {
    force: chooseForce("fakeroot", []),
  });
  strictEqual(error.message, "--force=fakeroot not available (no suitable config found)");
});

testBuild(
  "buildImage() makes stages, each from another, with names of their own",
  async (storage) => {
    const text = `FROM base AS one
ARG x=1
RUN echo one > /one
FROM base
COPY --from=one /one /from-one
COPY --from=0 /bin/../one /from-zero
FROM one
RUN echo $x > /x
`;
    const lines = await storage.build(text, { tag: parseReference("t:v") });
    deepStrictEqual(storage.store.listImages(), ["base", "t:v", "t:v_stage0", "t:v_stage1"]);
    strictEqual(lines.at(-1), "grown in 8 instructions: t:v");
    ok(lines.includes("  5. COPY --from=one ['/one'] -> '/from-one'"));
    ok(lines.includes("  7. FROM one"));
    strictEqual(storage.read("t:v_stage1", "from-one"), "one\n");
    strictEqual(storage.read("t:v_stage1", "from-zero"), "one\n");
    strictEqual(storage.read("t:v", "x"), "1\n");
  },
);

testBuild("buildImage() makes scratch", async (storage) => {
  await storage.build("FROM scratch\nWORKDIR /a\n");
  deepStrictEqual(storage.store.listImages(), ["base", "new", "scratch"]);
  ok("proc/" in readFiles(storage.imagePath("new")));
  ok(!("a/" in readFiles(storage.imagePath("scratch"))));
});

testBuild("buildImage() substitutes in FROM from --arg and ARG before it", async (storage) => {
  const lines = await storage.build("ARG v=x\nFROM --arg=os=base $os\nRUN echo $os$v > /seen\n", {
    buildArguments: new Map([["v", "given"]]),
  });
  ok(lines.includes("  1  ARG v='given'"));
  ok(lines.includes("  2. FROM --arg=os=base base"));
  strictEqual(storage.read("new", "seen"), "basegiven\n");
});

testBuild("buildImage() binds for RUN, not for COPY", async (storage) => {
  const source = storage.make("bound", { f: "F" });
  await storage.build("FROM base\nRUN cat /mnt/0/f /new/dir/f > /f\n", {}, {
    binds: [{ source, target: "/mnt/0" }, { source, target: "/new/dir" }],
  });
  strictEqual(storage.read("new", "f"), "FF");
  const files = readFiles(storage.imagePath("new"));
  ok("new/dir/" in files && !("mnt/0/f" in files));
});

testBuild("buildImage() keeps what WORKDIR and COPY reach inside the image", async (storage) => {
  makeFiles(storage.context, { f: "F" });
  const target = storage.make("outside", {});
  await storage.build(`FROM base
RUN ln -s ${target} /lnk
WORKDIR /lnk/q
COPY f /lnk/f
RUN pwd > /pwd
`);
  deepStrictEqual(readFiles(target), {});
  strictEqual(storage.read("new", `${target}/f`), "F");
  strictEqual(storage.read("new", "pwd"), `${target}/q\n`);
});

const FAILURES: readonly (readonly [string, string, readonly string[]])[] = [
  ["FROM missing\n", "image not in storage: missing", ["  1. FROM missing"]],
  ["FROM new\n", "output image ref same as FROM: new", ["  1  FROM new"]],
  ["FROM $u\n", "image reference contains an undefined variable: $u", ["  1  FROM $u"]],
  ["FROM Base\n", "image ref syntax, at end: Base", ["  1  FROM Base"]],
  ["FROM base\nCOPY no /\n", "source not found: no", ["  2  COPY ['no'] -> /"]],
  ["FROM base\nWORKDIR /etc/passwd\n", "can’t mkdir: /etc/passwd: File exists", [
    "  2. WORKDIR /etc/passwd",
    "something went wrong, rolling back ...",
  ]],
  ["FROM base\nCOPY --from=0 x /\n", "--from: stage 0 is the current stage", []],
  ["FROM base\nCOPY --from=1 x /\nFROM base\n", "--from: stage 1 does not exist yet", []],
  ["FROM base\nCOPY --from=2 x /\nFROM base\n", "--from: stage 2 does not exist", []],
  ["FROM base\nCOPY --from=-1 x /\n", "--from: invalid negative stage index -1", []],
  ["FROM base AS a\nCOPY --from=a x /\n", "--from: stage a is the current stage", []],
  ["FROM base\nCOPY --from=b x /\n", "--from: stage b does not exist", []],
];

for (const [text, message, lines] of FAILURES) {
  testBuild(`buildImage() refuses ${JSON.stringify(text)}`, async (storage) => {
    const error = await failure(storage, text);
    strictEqual(error.message, message);
    for (const line of lines) ok(error.lines.includes(line), error.lines.join("\n"));
    deepStrictEqual(storage.store.listImages().includes("new"), false);
    ok(storage.store.listImages().includes("base"));
    checkNothingLeft(storage);
  });
}

testBuild("buildImage() without context copies from stages only", async (storage) => {
  const context = undefined;
  const error = await failure(storage, "FROM base\nCOPY x /\n", { context });
  strictEqual(error.message, "no context because “-” given");
  await storage.build("FROM base\nFROM base\nCOPY --from=0 /etc/passwd /p\n", { context });
  ok(storage.read("new", "p").startsWith("root:"));
});

testBuild(
  "buildImage() refuses a build argument that nothing takes, before all else",
  async (storage) => {
    const error = await failure(storage, "FROM base\nARG a\n", {
      buildArguments: new Map([["a", "1"], ["b", "2"]]),
    });
    strictEqual(error.message, "--build-arg: not consumed: b");
    deepStrictEqual(error.lines, []);
  },
);

testBuild("buildImage() gives a build argument to every ARG of its name", async (storage) => {
  await storage.build("FROM base\nARG a=x\nFROM base\nARG a=y\nRUN echo $a > /a\n", {
    buildArguments: new Map([["a", "x=y"]]),
  });
  strictEqual(storage.read("new", "a"), "x=y\n");
});

testBuild("buildImage() only announces in a dry run", async (storage) => {
  makeFiles(storage.context, { f: "F" });
  const lines = await storage.build(
    "FROM base AS b\nENV a=1\nRUN exit 1\nFROM b\nCOPY f /$a\nCOPY --from=0 x /\n",
    { dryRun: true },
    {
      spawn: () => {
        throw new TypeError("must not be called");
      },
    },
  );
  deepStrictEqual(lines, [
    "  1  FROM base AS b",
    "  2  ENV a='1'",
    "  3  RUN.S exit 1",
    "  4  FROM b",
    "  5  COPY ['f'] -> '/1'",
    "  6  COPY --from=0 ['x'] -> '/'",
  ]);
  deepStrictEqual(storage.store.listImages(), ["base"]);
  checkNothingLeft(storage);
});

testBuild(
  "buildImage() stops a RUN when told so, and leaves no process behind",
  async (storage) => {
    const abort = new AbortController();
    const endings: Ending[] = [];
    const text = `FROM base
RUN (sleep 60 & echo > ${storage.path}/started; sleep 60)
`.replace(`${storage.path}/started`, "/tmp/started");
    const shared = storage.make("shared", {});
    const build = storage.build(text.replace("/tmp/started", "/mnt/1/started"), {}, {
      signal: abort.signal,
      binds: [{ source: shared, target: "/mnt/1" }],
      spawn: (plan, stdio) => {
        const child = spawnInit(plan, stdio);
        return {
          ...child,
          wait: async () => {
            const ending = await child.wait();
            endings.push(ending);
            return ending;
          },
        };
      },
    });
    while (!("started" in readFiles(shared))) await new Promise((go) => setTimeout(go, 10));
    abort.abort(new ChError("received SIGTERM"));
    await rejects(build, { message: "received SIGTERM" });
    deepStrictEqual(endings.at(-1), { status: 128 + 15 });
    checkNothingLeft(storage);
  },
);

interface Failure extends Error {
  readonly lines: readonly string[];
}

async function failure(
  storage: Storage,
  text: string,
  options: Parameters<Storage["build"]>[1] = {},
): Promise<Failure> {
  try {
    await storage.build(text, options);
  } catch (error) {
    if (error instanceof ChError) return error as unknown as Failure;
    throw error;
  }
  throw new Error(`built: ${text}`);
}

function checkNothingLeft({ path }: Storage): void {
  deepStrictEqual(
    [...Deno.readDirSync(`${path}/storage`)].map(({ name }) => name).sort(),
    ["bucache", "bularge", "dlcache", "img", "lock", "ulcache", "version"],
  );
}
