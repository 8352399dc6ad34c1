import assert from "node:assert/strict";
import { newRunArguments, parseRunArguments } from "../../cli/run_arguments.ts";
import { RunLog } from "../../cli/run_log.ts";
import { RUN_COMMAND } from "../../cli/run_table.ts";
import { fakeHost } from "../lib/container/fake_host.ts";
import { TextWriter } from "./text_writer.ts";

const ENVIRONMENT = ["USER=alice", "HOME=/home/alice", "PATH=/bin"];
const FILES = {
  "/env": "A=1\nB='2'\n",
  "/bad": "A=1\nB\n",
  "/dir/x": "",
  "/storage": null,
};

function parse(words: readonly string[], environment: readonly string[] = ENVIRONMENT) {
  const host = fakeHost({ environment, files: FILES });
  const stdout = new TextWriter();
  const stderr = new TextWriter();
  const log = new RunLog("ch-run", 42, stderr);
  const context = { host, log, stdout, stderr };
  const args = newRunArguments(context);
  const run = () => parseRunArguments(words, args, context);
  return { args, log, stdout, stderr, run };
}

const IMAGE = ["img", "--", "cmd"];

Deno.test("parseRunArguments() without options runs as the caller", () => {
  const { args, run } = parse(IMAGE);
  assert.equal(run(), undefined);
  assert.deepEqual(args, {
    image: "img",
    argv: ["cmd"],
    binds: [],
    cwd: undefined,
    deviceNames: [],
    devices: [],
    expand: true,
    uid: 1000,
    gid: 100,
    home: undefined,
    mountPoint: undefined,
    passwd: true,
    privateTmp: false,
    seccomp: false,
    environment: [],
    storage: undefined,
    unsafe: false,
    write: false,
    overlaySize: undefined,
    overlayDir: undefined,
    dryRun: false,
    imageCommand: false,
    peers: undefined,
    joinPid: 0,
    programName: "ch-run",
  });
});

for (
  const [words, changes] of [
    [["-b", "/a:/b", "--bind=/c"], {
      binds: [{ source: "/a", target: "/b" }, { source: "/c", target: "/c" }],
    }],
    [["-c", "/x", "--cd=/y"], { cwd: "/y" }],
    [["--env-no-expand"], { expand: false }],
    [["-u0", "-g", "5", "--uid=7"], { uid: 7, gid: 5 }],
    [["--home"], { home: "/home/alice", overlaySize: "12%" }],
    [["--home", "-W20%"], { home: "/home/alice", overlaySize: "20%" }],
    [["-W20%", "--home"], { home: "/home/alice", overlaySize: "20%" }],
    [["--overlay", "a", "--overlay=b"], { overlayDir: "b" }],
    [["--overlay=a", "--home"], { overlayDir: "a", home: "/home/alice" }],
    [["--home", "--overlay=a"], { overlayDir: "a", home: "/home/alice" }],
    [["--dry-run"], { dryRun: true }],
    [["--image-cmd", "--image-env"], {
      imageCommand: true,
      environment: [{ op: "image-defaults" }],
    }],
    [["-W50%", "-W"], { overlaySize: "12%" }],
    [["-W"], { overlaySize: "12%" }],
    [["--write-fake="], { overlaySize: "" }],
    [["-m", "/mnt"], { mountPoint: "/mnt" }],
    [["--no-passwd", "-t", "--seccomp", "--unsafe", "-w"], {
      passwd: false,
      privateTmp: true,
      seccomp: true,
      unsafe: true,
      write: true,
    }],
    [["-s", "/storage"], { storage: "/storage" }],
    [["--join-pid=0"], {}],
    [["--join-pid=4", "--join-pid=-5"], { joinPid: -5 }],
    [["-j"], { peers: { count: 0, tag: undefined } }],
    [["--join-c", "1", "--join", "--join-ct=2"], { peers: { count: 2, tag: undefined } }],
    [["--join-tag=x", "--join-ct=3", "--join-tag="], { peers: { count: 3, tag: "" } }],
    [["--set-env=A=b=c", "--unset-env=X*", "--set-env", "--set-env0"], {
      environment: [
        { op: "set", assignments: [{ name: "A", value: "b=c" }] },
        { op: "unset", glob: "X*" },
        { op: "image", separator: "\n" },
        { op: "image", separator: "\0" },
      ],
    }],
    [["--set-env=/env"], {
      environment: [{
        op: "set",
        assignments: [{ name: "A", value: "1" }, { name: "B", value: "2" }],
      }],
    }],
    [["--set-env0=/env"], {
      environment: [{ op: "set", assignments: [{ name: "A", value: "1\nB='2'" }] }],
    }],
    [["--program-name=x"], { programName: "x" }],
  ] as const
) {
  Deno.test(`parseRunArguments() takes ${words.join(" ")}`, () => {
    const before = parse(IMAGE);
    before.run();
    const { args, run } = parse([...words, ...IMAGE]);
    assert.equal(run(), undefined);
    assert.deepEqual(args, { ...before.args, ...changes });
  });
}

for (
  const [words, message] of [
    [["-u", "x"], "--uid: no digits found"],
    [["-g", "1x"], "--gid: extra characters after digits"],
    [["-u", "-1"], "--uid: must be non-negative"],
    [["--gid=2147483648"], "--gid: out of range"],
    [["--join-ct=x"], "--join-ct: no digits found"],
    [["--warnings=x"], "--warnings: no digits found"],
    [["-b", ""], "--bind: no source provided"],
    [["-m", ""], "mount point can't be empty string"],
    [["--unset-env="], "--unset-env: GLOB must have non-zero length"],
    [["-v", "-q"], "--quiet incompatible with --verbose"],
    [["-q", "-v"], "--verbose incompatible with --quiet"],
    [["-vvvv"], "--verbose can be specified at most thrice"],
    [["-qqqq"], "--quiet can be specified at most thrice"],
    [["--feature=x"], "unknown feature: x"],
    [["--test=x"], "invalid --test argument: x; see source code"],
    [["--test=log-fail"], 'the program failed inexplicably ("log-fail" specified)'],
    [["--set-env="], "can't open: "],
    [["--set-env=/nosuch"], "can't open: /nosuch"],
    [["--set-env=/dir"], "can't read: /dir"],
    [["--set-env=/bad"], "can't parse variable: no delimiter: /bad:2"],
    [["--set-env==x"], "can't parse variable: empty name: =x"],
    [["--overlay=a", "-W", ...IMAGE], "--overlay incompatible with --write-fake"],
    [["-W", "--overlay=a", ...IMAGE], "--overlay incompatible with --write-fake"],
    [["--join-pid=5x"], "--join-pid: extra characters after digits"],
    [["img"], "IMAGE and/or COMMAND not specified"],
    [["img", "--"], "IMAGE and/or COMMAND not specified"],
  ] as const
) {
  Deno.test(`parseRunArguments() refuses ${words.join(" ")}`, () => {
    assert.throws(parse([...words]).run, { message });
  });
}

Deno.test("parseRunArguments() refuses --home without $HOME", () => {
  assert.throws(parse(["--home", ...IMAGE], ["USER=x"]).run, {
    message: "--home failed: $HOME not set",
  });
});

Deno.test("parseRunArguments() stops at the first word with POSIXLY_CORRECT", () => {
  const { args, run } = parse(["img", "--", "cmd", "-v"], [...ENVIRONMENT, "POSIXLY_CORRECT="]);
  run();
  assert.deepEqual(args.argv, ["--", "cmd", "-v"]);
});

Deno.test("parseRunArguments() shows notes at the verbosity reached so far", () => {
  const note = "ch-run[42]: --home specified; also setting --write-fake (PLACE)";
  const after = parse(["-v", "--home", ...IMAGE]);
  after.run();
  assert.deepEqual(after.stderr.lines, [note]);
  const before = parse(["--home", "-v", ...IMAGE]);
  before.run();
  assert.equal(before.stderr.text, "");
  assert.equal(before.log.verbosity, 1);
});

Deno.test("parseRunArguments() warns of a storage directory that is not there", () => {
  const { args, run, stderr } = parse(["-s", "/nosuch", ...IMAGE]);
  run();
  assert.deepEqual(stderr.lines, [
    "ch-run[42]: warning: storage directory not found: /nosuch (PLACE)",
  ]);
  assert.equal(args.storage, "/nosuch");
});

for (const words of [[], ["--"], ["-v"]]) {
  Deno.test(`parseRunArguments() gives help on stderr for ${words.join(" ") || "nothing"}`, () => {
    const { run, stdout, stderr } = parse(words);
    assert.equal(run(), 1);
    assert.equal(stdout.text, "");
    assert.match(stderr.text, /^Usage: ch-run /);
  });
}

Deno.test("parseRunArguments() gives usage on stdout where COMMAND is missing", () => {
  const { run, stdout } = parse(["img"]);
  assert.throws(run);
  assert.equal(stdout.text, "usage: ch-run [OPTION...] IMAGE -- COMMAND [ARG...]\n");
});

Deno.test("parseRunArguments() answers --help and --usage on stdout, --version on stderr", () => {
  const help = parse(["--help", "--nosuch"]);
  assert.equal(help.run(), 0);
  for (const { long, hidden } of RUN_COMMAND.options) {
    assert.equal(help.stdout.text.includes(`--${long}`), !hidden, long);
  }
  const usage = parse(["--usage"]);
  assert.equal(usage.run(), 0);
  assert.match(usage.stdout.text, /^Usage: ch-run \[-/);

  const version = parse(["-V"]);
  assert.equal(version.run(), 0);
  assert.equal(version.stdout.text, "");
  // What upstream's tests want of it.
  assert.match(
    version.stderr.text,
    /^0\.[0-9]+(\.[0-9]+)?(~pre\+([A-Za-z0-9]+\.)?([0-9a-f]+(\.dirty)?)?)?\n$/,
  );
});

Deno.test("parseRunArguments() prints test messages and warnings, and ends", () => {
  const test = parse(["-vv", "--test=log"]);
  assert.equal(test.run(), 0);
  assert.deepEqual(test.stderr.lines.length, 4);

  const warnings = parse(["--warnings=100"]);
  assert.equal(warnings.run(), 0);
  warnings.log.repeatWarnings();
  const count = (n: number) => warnings.stderr.text.split(`this is warning ${n}!`).length - 1;
  assert.equal(count(1), 2);
  assert.equal(count(100), 1);

  for (const none of ["--warnings=0", "--warnings=-3"]) {
    const { run, stderr } = parse([none]);
    assert.equal(run(), 0);
    assert.equal(stderr.text, "");
  }
});

Deno.test("parseRunArguments() needs no command with --image-cmd", () => {
  const { args, run } = parse(["--image-cmd", "img"]);
  assert.equal(run(), undefined);
  assert.deepEqual([args.image, args.argv], ["img", []]);
});
