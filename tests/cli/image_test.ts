import assert from "node:assert/strict";
import { acquireLock } from "../../ffi/lock.ts";
import { type Result, withRunner } from "./image_runner.ts";

interface Expected {
  readonly code: number;
  readonly stdout?: string | RegExp;
  readonly stderr?: string | RegExp;
}

function check(result: Result, expected: Expected): void {
  const all = JSON.stringify(result, undefined, 1);
  assert.equal(result.code, expected.code, all);
  for (const stream of ["stdout", "stderr"] as const) {
    const want = expected[stream] ?? "";
    if (typeof want === "string") assert.equal(result[stream], want, all);
    else assert.match(result[stream], want, all);
  }
}

const USAGE = "usage: ch-image [OPTION...] SUBCOMMAND [ARG...]\n";

/** No storage directory is needed, nor made. */
const plain: readonly [
  words: string,
  expected: Expected,
  env?: Readonly<Record<string, string | undefined>>,
][] = [
  ["", { code: 1, stderr: /^usage: ch-image .*\n\n[^]*\n {2}list {2}/ }],
  ["--help", { code: 0, stdout: /^usage: ch-image .*\n\n[^]*\n {2}list {2}/ }],
  ["-h", { code: 0, stdout: /^usage: ch-image / }],
  ["list --help", { code: 0, stdout: /^usage: ch-image list / }],
  ["-q list -h", { code: 0, stdout: /^usage: ch-image list / }],
  ["--version", { code: 0, stdout: /^0\.\d+\n$/ }],
  ["list --version", { code: 0, stdout: /^0\.\d+\n$/ }],
  ["--dependencies", { code: 0 }],
  ["-v", { code: 2, stderr: `${USAGE}ch-image: error: CMD not specified\n` }],
  ["--nonsense", {
    code: 2,
    stderr: `${USAGE}ch-image: error: unrecognized arguments: --nonsense\n`,
  }],
  ["nonsense", { code: 2, stderr: /\nch-image: error: argument CMD: invalid choice: 'nonsense' / }],
  ["toString", { code: 2, stderr: /invalid choice: 'toString'/ }],
  ["list --nonsense", {
    code: 2,
    stderr: "usage: ch-image list [OPTION...] [IMAGE_REF]\n" +
      "ch-image list: error: unrecognized arguments: --nonsense\n",
  }],
  ["delete", { code: 2, stderr: /error: the following arguments are required: IMAGE_GLOB\n$/ }],
  ["import a", { code: 2, stderr: /error: the following arguments are required: IMAGE_REF\n$/ }],
  ["import a b c", { code: 2, stderr: /error: unrecognized arguments: c\n$/ }],
  ["import /etc a:", { code: 1, stderr: /^error: image ref syntax, at end: a:\nhint: .*\n$/ }],
  ["import /etc ..", { code: 1, stderr: /^error: image reference not usable as a name: \.\.\n/ }],
  ["gestalt", { code: 0 }],
  ["gestalt nonsense", { code: 2, stderr: /invalid choice: 'nonsense'\n$/ }],
  ["gestalt storage-path", { code: 0, stdout: "/var/tmp/tester.ch\n" }, {
    CH_IMAGE_STORAGE: undefined,
  }],
  ["storage-path", { code: 0, stdout: "/s/t\n" }, { CH_IMAGE_STORAGE: "/s/t" }],
  ["-s /d gestalt storage-path", { code: 0, stdout: "/d\n" }],
  ["-s /d gestalt storage-path -s /e", { code: 0, stdout: "/e\n" }],
  ["gestalt storage-path", {
    code: 1,
    stderr: "error: $CH_IMAGE_STORAGE: not absolute path: rel\n",
  }, { CH_IMAGE_STORAGE: "rel" }],
  ["gestalt bucache", { code: 0 }],
  ["build-cache --no-cache", {
    code: 1,
    stderr: "error: build-cache subcommand invalid with build cache disabled\n",
  }],
  ["build-cache --gc-keep-days=x", { code: 2, stderr: /invalid value: 'x'\n$/ }],
  ["undelete a --rebuild", { code: 1, stderr: "error: only available when cache is enabled\n" }],
  ["gestalt -v --cache-large=1.5", {
    code: 0,
    stderr: /\nbuild cache mode: enabled \(large=1572864\)\n/,
  }],
  ["gestalt -v --rebuild", { code: 0, stderr: /\nbuild cache mode: rebuild \(large=inf\)\n/ }],
  ["gestalt -v", { code: 0, stderr: /\nbuild cache mode: disabled\n/ }, {
    CH_IMAGE_CACHE: "disabled",
  }],
  ["gestalt -v --cache", { code: 0, stderr: /\nbuild cache mode: enabled / }, {
    CH_IMAGE_CACHE: "rebuild",
  }],
  ["gestalt --cache-large=x", { code: 2, stderr: /invalid float value: 'x'\n$/ }],
  ["gestalt", { code: 1, stderr: "error: $CH_IMAGE_CACHE_LARGE: not a number: x\n" }, {
    CH_IMAGE_CACHE_LARGE: "x",
  }],
  ["gestalt python-path", { code: 0, stdout: /^\/.*\n$/ }],
  ["gestalt logging", {
    code: 0,
    stderr: "info\nwarning: warning\nerror: error\n" +
      "warning: reprinting 1 warning(s)\nwarning: warning\n",
  }],
  ["gestalt logging --fail", {
    code: 1,
    stderr: "info\nwarning: warning\nerror: error\n" +
      "warning: reprinting 1 warning(s)\nwarning: warning\n" +
      "error: the program failed inexplicably\n",
  }],
  ["gestalt logging -qqq", { code: 0, stderr: "error: error\n" }],
  ["gestalt logging -vvv", { code: 0, stderr: /\ntrace\ndebug\nverbose\ninfo\n/ }],
  ["gestalt -vvvv", { code: 1, stderr: "error: --verbose can be specified at most thrice\n" }],
  ["-qq gestalt -qqqq", { code: 1, stderr: "error: --quiet can be specified at most thrice\n" }],
  ["gestalt -v", {
    code: 0,
    stderr: /^version: .*\nverbose level: 1 \(VERBOSE\)\)\nsave xattrs: False\n/,
  }],
  ["-vv gestalt -v", { code: 0, stderr: /verbose level: 1 / }],
  ["gestalt -vvv", { code: 0, stderr: /verbose level: 3 \(TRACE\)/ }, { CH_XATTRS: "" }],
  ["gestalt -v", { code: 0, stderr: /save xattrs: True/ }, { CH_XATTRS: "" }],
  ["gestalt -v --no-xattrs", { code: 0, stderr: /save xattrs: False/ }, { CH_XATTRS: "1" }],
  ["-q -v list", {
    code: 1,
    stderr: "error: “--quiet” incompatible with “--verbose”\n" +
      "error: 1 incompatible option pair(s)\n",
  }],
  ["-q list -v --xattrs --no-xattrs", {
    code: 1,
    stderr: "error: “--quiet” incompatible with “--verbose”\n" +
      "error: “--xattrs” incompatible with “--no-xattrs”\nerror: 2 incompatible option pair(s)\n",
  }],
  ["gestalt storage-path -qq", { code: 0 }],
  ["gestalt", {
    code: 1,
    stderr: "error: $CH_IMAGE_CACHE: invalid build cache mode: x\n",
  }, { CH_IMAGE_CACHE: "x" }],
  ["gestalt --no-cache", { code: 0 }, { CH_IMAGE_CACHE: "x" }],
  ["gestalt --no-cache --rebuild", {
    code: 2,
    stderr: /--rebuild: not allowed with argument --no-/,
  }],
  ["--help", {
    code: 1,
    stderr: /^error: can’t get username: \$USER not set\nhint: type "export USER=/,
  }, {
    USER: undefined,
  }],
  ["--help", { code: 1, stderr: /^error: can't get username: \$USER not set\nhint: / }, {
    USER: undefined,
    LC_ALL: "C",
  }],
  ["gestalt logging", { code: 0, stderr: /^ *\d+ \d{4}-\d\d-\d\dT[\d:.]{12} {2}info\n/ }, {
    CH_LOG_FESTOON: "",
  }],
  ["gestalt logging --fail --debug", { code: 1, stderr: /\ntrace: .*gestalt\.ts:\d+.*\n$/ }],
  ["gestalt logging --fail", { code: 1, stderr: /\ntrace: .*gestalt\.ts:\d+.*\n$/ }, {
    CH_IMAGE_DEBUG: "1",
  }],
  ["gestalt", { code: 1, stderr: /^error: can’t open log file: \/nonexistent\/x: No such/ }, {
    CH_LOG_FILE: "/nonexistent/x",
  }],
];

for (const [words, expected, env] of plain) {
  const variables = env === undefined ? "" : ` with ${JSON.stringify(env)}`;
  Deno.test(
    `ch-image ${words}${variables}`,
    withRunner(async ({ run, storage }) => {
      check(await run(words.split(" ").filter(Boolean), env), expected);
      assert.throws(() => Deno.lstatSync(storage), Deno.errors.NotFound);
    }),
  );
}

Deno.test(
  "ch-image makes, uses, empties a storage directory",
  withRunner(async ({ run, storage, path, sh }) => {
    check(await run(["list"]), {
      code: 0,
      stderr: `initializing storage directory: v101 ${storage}\n`,
    });
    sh("mkdir -p source/bin; echo x >source/file; tar -czf source.tar.gz source");
    check(await run(["import", "source", "x/y:z"]), {
      code: 0,
      stderr: /^initializing empty build cache\nimporting: {4}source\n/,
    });
    check(await run(["import", "source.tar.gz", "b"]), { code: 0, stderr: /\ndone\n/ });
    check(await run(["import", `${path}/source`, "a", "-q"]), {
      code: 0,
      stderr: /^warning: no metadata to load; using defaults\n/,
    });
    check(await run(["list"]), { code: 0, stdout: "a\nb\nx/y:z\n" });
    check(await run(["list", "-q"]), { code: 0, stdout: "a\nb\nx/y:z\n" });
    check(await run(["list", "-qq"]), { code: 0 });
    check(await run(["list", "-l"]), {
      code: 0,
      stdout:
        /^(?:(?:a|b|x\/y:z) +\| (?:Sun|Mon|Tue|Wed|Thu|Fri|Sat) [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\n){3}$/,
    });
    assert.equal(sh("cat storage/img/x%y+z/file"), "x\n");
    check(await run(["delete", "x/*", "nope"]), {
      code: 1,
      stderr: "deleting image: x/y:z\nerror: no matching image, can’t delete: nope\n" +
        "error: unable to delete 1 invalid image(s)\n",
    });
    check(await run(["reset"]), {
      code: 0,
      stderr: `initializing storage directory: v101 ${storage}\n`,
    });
    check(await run(["list"]), { code: 0 });
  }),
);

Deno.test(
  "ch-image writes its log to CH_LOG_FILE, results to standard output",
  withRunner(async ({ run, path }) => {
    const env = { CH_LOG_FILE: `${path}/log` };
    check(await run(["list"], env), { code: 0 });
    const first = Deno.readTextFileSync(`${path}/log`);
    assert.match(first, /^version: [^]*initializing storage directory: /);
    check(await run(["gestalt", "storage-path"], env), { code: 0, stdout: `${path}/storage\n` });
    assert(Deno.readTextFileSync(`${path}/log`).startsWith(first));
  }),
);

Deno.test(
  "ch-image keeps others out of its storage directory, but with --no-lock",
  withRunner(async ({ run, storage }) => {
    await run(["list"]);
    using lock = acquireLock(`${storage}/lock`);
    for (const words of [["list"], ["import", "/etc", "a"], ["delete", "a"], ["reset"]]) {
      check(await run(words), {
        code: 1,
        stderr: /^error: storage directory is already in use\nhint: .*wait until.*\n$/,
      });
    }
    check(await run(["list", "--no-lock"]), { code: 0 });
    check(await run(["gestalt", "storage-path"]), { code: 0, stdout: `${storage}\n` });
    lock[Symbol.dispose]();
    check(await run(["list"]), { code: 0 });
  }),
);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(
    `ch-image ends in good order on ${signal}`,
    withRunner(async ({ run, start, sh, storage }) => {
      await run(["build-cache"]);
      sh(`mkdir source; cd source; for i in $(seq 100); do mkdir d$i; for j in $(seq 30); do
          echo x >d$i/$j; done; done; head -c 300000000 /dev/zero >zzz`);
      const importing = start(["import", "source", "a"]);
      const reader = importing.stderr.getReader();
      const { value } = await reader.read();
      reader.releaseLock();
      assert.match(new TextDecoder().decode(value), /^importing/);
      importing.kill(signal);
      const { code, stdout, stderr } = await importing.output();
      assert.equal(code, 1);
      assert.equal(new TextDecoder().decode(stdout), "\n");
      assert.match(
        new TextDecoder().decode(stderr),
        new RegExp(`error: received ${signal}, exiting\n(.*\n)*error: received ${signal}\n$`),
      );
      check(await run(["list"]), { code: 0 });
      assert.equal(sh(`ls ${storage}`).includes("imgtmp"), false);
    }),
  );
}
