// How ch-image build shows what it does: --progress and --json. A terminal is script(1)'s.

import assert from "node:assert/strict";
import { expect, test, type Workplace } from "../rig.ts";
import { prepare } from "./build_case.ts";

/** Two stages that can be built at the same time. */
const PARALLEL = `# syntax=docker/dockerfile:1
FROM base AS one
RUN echo from one; touch /1
FROM base AS two
RUN printf 'from two\\033[2K\\n'; touch /2
FROM base
COPY --from=one /1 /1
COPY --from=two /2 /2
`;

interface Event {
  readonly event: string;
  readonly [name: string]: unknown;
}

function parseEvents(stdout: string): Event[] {
  return stdout.trimEnd().split("\n").map((line) => JSON.parse(line));
}

/** Runs COMMAND on a terminal of its own; its output is what the terminal got. */
function onTerminal(work: Workplace, command: string, term = "xterm") {
  const script = `stty cols 80 rows 24; ${command}`;
  return work.run(["script", "-qec", script, "/dev/null"], {
    env: { TERM: term, SHELL: "/bin/sh" },
  });
}

test("ch-image build --json prints events and nothing else", async (work) => {
  await prepare(work, "FROM base\nRUN echo out; echo err >&2; printf end\nCOPY gone /\n");
  const result = await work.run(["ch-image", "build", "--json", "-t", "t", "context"]);
  expect(result, { code: 1, stderr: /^error: source not found: gone\n$/m });
  const events = parseEvents(result.stdout).filter(({ event }) => event !== "message");
  const known = events.map(({ seconds, sid, ...rest }) => ({
    ...rest,
    ...seconds === undefined ? {} : { seconds: typeof seconds },
    ...sid === undefined ? {} : { sid: /^[0-9A-F]{32}$/.test(String(sid)) },
  }));
  const run = { stage: "0", line: 2, instruction: "RUN.S echo out; echo err >&2; printf end" };
  const copy = { stage: "0", line: 3, instruction: "COPY ['gone'] -> /" };
  const output = (stream: string, text: string) => ({ event: "output", stage: "0", stream, text });
  const printed = known.filter(({ event }) => event === "output");
  assert.deepEqual(known.filter(({ event }) => event !== "output"), [
    { event: "build", image: "t", file: "context/Dockerfile", stages: 1 },
    { event: "stage", stage: "0", base: "base", image: "t" },
    { event: "cached", stage: "0", line: 1, instruction: "FROM base", sid: true },
    { event: "begin", ...run },
    { event: "done", ...run, seconds: "number", sid: true },
    { event: "begin", ...copy },
    { event: "failed", ...copy, seconds: "number", message: "source not found: gone" },
    { event: "error", message: "source not found: gone" },
  ]);
  assert.deepEqual(
    printed.toSorted((a, b) => JSON.stringify(a) < JSON.stringify(b) ? -1 : 1),
    [output("stderr", "err"), output("stdout", "end"), output("stdout", "out")],
  );
});

test("ch-image build --progress=rawjson tells results, cached and planned ones", async (work) => {
  await prepare(work, PARALLEL);
  const build = ["ch-image", "build", "--progress=rawjson", "-t", "t"];
  const first = parseEvents((await work.run([...build, "context"])).stdout);
  const last = first.at(-1)!;
  assert.deepEqual([last.event, last["image"], last["instructions"]], ["result", "t", 7]);
  const second = parseEvents((await work.run([...build, "context"])).stdout);
  assert.equal(second.filter(({ event }) => event === "cached").length, 7);
  assert.equal(second.some(({ event }) => event === "begin"), false);
  assert.equal(second.at(-1)!["sid"], last["sid"]);
  const dry = parseEvents((await work.run([...build, "-n", "--rebuild", "context"])).stdout);
  assert.equal(dry.filter(({ event }) => event === "planned").length, 4);
  const plain = await work.run([...build, "--no-cache", "context"]);
  assert.equal("sid" in parseEvents(plain.stdout).at(-1)!, false);
});

test("ch-image build --json tells of a failed RUN, and what was stopped by it", async (work) => {
  await prepare(
    work,
    "FROM base AS one\nRUN sleep 300\nFROM base AS two\nRUN sleep 1; echo no; exit 5\nFROM base\n" +
      "COPY --from=one /f /\nCOPY --from=two /f /\n",
  );
  const result = await work.run(["ch-image", "build", "--json", "-t", "t", "--jobs=2", "context"]);
  expect(result, { code: 1, stderr: /^error: build failed: RUN command exited with 5$/m });
  const events = parseEvents(result.stdout);
  const ends = events.filter(({ event }) => event === "failed" || event === "canceled");
  assert.deepEqual(ends.map(({ event, stage }) => [event, stage]), [
    ["failed", "two"],
    ["canceled", "one"],
  ]);
  assert.match(String(ends[0]!["hint"]), /it printed last:\n {2}no/);
});

test("ch-image build --progress=quiet prints the image's name alone", async (work) => {
  await prepare(work, "FROM base\nRUN echo out; echo err >&2\n");
  const build = ["ch-image", "build", "--progress=quiet", "-t", "t"];
  expect(await work.run([...build, "context"]), { code: 0, stdout: "t\n", stderr: "" });
  work.tree("context", { Dockerfile: "FROM base\nRUN echo bad; exit 3\n" });
  expect(await work.run([...build, "context"]), {
    code: 1,
    stdout: "",
    stderr: /^error: build failed: RUN command exited with 3\n[^]*it printed last:\n {2}bad\n/,
  });
});

test("ch-image build shows stages at the same time live, and leaves the terminal clean", async (work) => {
  await prepare(work, PARALLEL);
  const { code, stdout } = await onTerminal(work, "ch-image build -t t context");
  assert.equal(code, 0, stdout);
  assert.match(stdout, /building t: \d of 3 stages/);
  // deno-lint-ignore no-control-regex
  assert.match(stdout, /\[one\] +3\. RUN\.S echo from one; touch \/1 {2}\(\d+\.\d+s\)\x1b\[0m\r\n/);
  assert.equal(stdout.includes("from two\x1b[2K"), false, "output reaches the terminal as it is");
  const count = (text: string) => stdout.split(text).length - 1;
  assert.equal(count("\x1b[?25l"), count("\x1b[?25h"), "the cursor stays hidden");
  assert.equal(count("\x1b[?7l"), count("\x1b[?7h"), "lines stay cut");
  // The last thing drawn is nothing.
  // deno-lint-ignore no-control-regex
  assert.match(stdout, /\x1b\[\d+A\x1b\[J\x1b\[\?7h\x1b\[\?25h$/);
});

for (
  const [name, args, term] of [
    ["a dumb terminal", "", "dumb"],
    ["--progress=plain", "--progress=plain", "xterm"],
    ["-q", "-q", "xterm"],
  ] as const
) {
  test(`ch-image build draws nothing with ${name}`, async (work) => {
    await prepare(work, PARALLEL);
    const { code, stdout } = await onTerminal(work, `ch-image build ${args} -t t context`, term);
    assert.equal(code, 0, stdout);
    assert.equal(stdout.includes("building t:"), false, stdout);
    assert.match(stdout, /^\[one\] from one\r$/m);
  });
}

test("ch-image build of one stage draws only when told so", async (work) => {
  await prepare(work, "FROM base\nRUN test -t 1 && echo terminal\n");
  const auto = await onTerminal(work, "ch-image build -t t context");
  assert.match(auto.stdout, /^terminal\r$/m);
  assert.equal(auto.stdout.includes("building t:"), false);
  work.tree("context", { Dockerfile: "FROM base\nRUN echo hi; sleep 1\n" });
  const live = await onTerminal(work, "ch-image build --progress=tty -t t context");
  assert.match(live.stdout, /building t: 0 of 1 stages[^]* {5}\| hi\r\n/);
});

test("ch-image build --progress=tty says why it draws nothing", async (work) => {
  await prepare(work, "FROM base\n");
  expect(await work.run(["ch-image", "build", "--progress=tty", "-t", "t", "context"]), {
    code: 0,
    stderr: /^warning: --progress=tty: the log does not go to a terminal, showing lines\n {2}1/,
  });
});

test("ch-image build: Ctrl-C takes the live view away before it says so", async (work) => {
  const mark = `/tmp/ch-live.${crypto.randomUUID()}`;
  await prepare(work, PARALLEL.replace("touch /1", `touch ${mark}; sleep 300`));
  const { code, stdout } = await onTerminal(
    work,
    `ch-image build -t t context & while ! test -e ${mark}; do sleep .1; done; sleep 1; rm ${mark}; ` +
      "kill -INT $!; wait $!",
  );
  assert.equal(code, 1, stdout);
  // deno-lint-ignore no-control-regex
  const end = stdout.slice(stdout.lastIndexOf("\x1b[J")).replace(/\x1b\[[?\d;]*[a-zA-Z]/g, "");
  assert.match(end, /^\r\nerror: received SIGINT, exiting\r\n/);
  assert.match(end, /\[one\] +3\. RUN\.S echo from one; .*sleep 300 {2}\(canceled after /);
  assert.match(end, /error: received SIGINT\r\n$/);
});

for (const progress of ["tty", "plain"]) {
  test(`ch-image build --shell-on-fail --progress=${progress} has the terminal for itself`, async (work) => {
    const mark = `/tmp/ch-shell.${crypto.randomUUID()}`;
    const until = `until test -e ${mark}; do sleep .1; done`;
    await prepare(
      work,
      PARALLEL.replace("touch /1", `${until}; echo late; touch /1`)
        .replace("touch /2", "touch /2; echo shell >/script; exit 4"),
    );
    work.tree("keys", {
      typed: `cat /script; touch ${mark}; sleep 1; rm ${mark}; test -t 2 && echo terminal; exit\n`,
    });
    const { code, stdout } = await onTerminal(
      work,
      `ch-image build -t t --shell-on-fail --progress=${progress} context <keys/typed`,
    );
    assert.equal(code, 1, stdout);
    const shell = stdout.slice(stdout.indexOf("--shell-on-fail: /bin/sh in the failed step"));
    // Nothing is drawn meanwhile, and what the other stage says and prints comes later.
    assert.match(shell, /^.*\r\nshell\r\nterminal\r\n[^]*\[one\]/);
    assert.match(stdout, /error: build failed: RUN command exited with 4\b/);
  });
}

test("ch-image build --shell-on-fail: of two failed stages the first has a shell", async (work) => {
  const marks = PARALLEL.replace("touch /1", "exit 4").replace("touch /2", "exit 4");
  await prepare(work, marks);
  const command = ["ch-image", "build", "-t", "t", "--shell-on-fail", "context"];
  const result = await work.run(command, { stdin: "sleep 1\n" });
  expect(result, { code: 1, stderr: /error: build failed: RUN command exited with 4\n/ });
  assert.equal(result.stderr.match(/in the failed step/g)?.length, 1, result.stderr);
});

test("ch-image build --json is not for another --progress", async (work) => {
  expect(await work.run(["ch-image", "build", "--json", "--progress=tty", "."]), {
    code: 2,
    stderr: /argument --json: not allowed with --progress=tty/,
  });
  expect(await work.run(["ch-image", "build", "--progress=loud", "."]), { code: 2 });
});
