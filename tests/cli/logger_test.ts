import assert from "node:assert/strict";
import { degradeQuotes, isUnicodeLocale, Logger, type LoggerSettings } from "../../cli/logger.ts";
import { ChError } from "../../lib/error.ts";

/** A logger, and what it has written so far. */
function newLogger(settings: Partial<LoggerSettings> = {}) {
  const written: string[] = [];
  const log = new Logger({
    verbosity: 0,
    writer: {
      writeSync(bytes) {
        written.push(new TextDecoder().decode(bytes));
        return bytes.length;
      },
    },
    isTerminal: false,
    hasColour: false,
    isUnicode: true,
    hasFestoon: false,
    hasTrace: false,
    ...settings,
  });
  return { log, text: () => written.join("") };
}

const LEVELS = ["trace", "debug", "verbose", "info", "warning", "error"] as const;

for (
  const [verbosity, shown] of [
    [3, LEVELS],
    [2, LEVELS.slice(1)],
    [1, LEVELS.slice(2)],
    [0, LEVELS.slice(3)],
    [-1, LEVELS.slice(4)],
    [-2, LEVELS.slice(5)],
    [-3, LEVELS.slice(5)],
  ] as const
) {
  Deno.test(`Logger at verbosity ${verbosity} shows ${shown.join(" ")}`, () => {
    const { log, text } = newLogger({ verbosity });
    for (const level of LEVELS) log[level](level);
    const expected = shown.map((level) =>
      level === "warning" || level === "error" ? `${level}: ${level}\n` : `${level}\n`
    );
    assert.equal(text(), expected.join(""));
  });
}

Deno.test("Logger puts the hint on a line of its own", () => {
  const { log, text } = newLogger();
  log.warning("w", "do this");
  log.error("e", "do that");
  assert.equal(text(), "warning: w\nhint: do this\nerror: e\nhint: do that\n");
});

Deno.test("Logger repeats warnings at the end, without hints", () => {
  const { log, text } = newLogger();
  log.warning("one", "hint");
  log.warning("two");
  log.reprintWarnings();
  assert.equal(
    text(),
    "warning: one\nhint: hint\nwarning: two\n" +
      "warning: reprinting 2 warning(s)\nwarning: one\nwarning: two\n",
  );
});

Deno.test("Logger repeats nothing if there was nothing, or if warnings are not shown", () => {
  const none = newLogger();
  none.log.reprintWarnings();
  assert.equal(none.text(), "");
  const quiet = newLogger({ verbosity: -2 });
  quiet.log.warning("one");
  quiet.log.reprintWarnings();
  assert.equal(quiet.text(), "");
});

Deno.test("Logger prefixes each line with process and time if so set", () => {
  const { log, text } = newLogger({ hasFestoon: true });
  log.error("e", "h");
  const prefix = String.raw`${
    String(Deno.pid).padStart(5)
  } \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}  `;
  assert.match(text(), new RegExp(`^${prefix}error: e\n${prefix}hint: h\n$`));
});

Deno.test("Logger colours each line if so set", () => {
  const { log, text } = newLogger({ hasColour: true, verbosity: 3 });
  log.error("e");
  log.info("i");
  assert.equal(text(), "\x1b[1;31merror: e\x1b[0m\n\x1b[33mi\x1b[0m\n");
});

Deno.test("Logger replaces typographic quotes where they can’t be shown", () => {
  const { log, text } = newLogger({ isUnicode: false });
  log.info("can’t “x” ≠ y");
  assert.equal(text(), `can't "x" != y\n`);
  assert.equal(degradeQuotes("ä’"), "ä'");
});

for (
  const [variables, expected] of [
    [{ LANG: "C.UTF-8" }, true],
    [{ LANG: "en_US.utf8" }, true],
    [{ LANG: "C" }, false],
    [{}, false],
    [{ LANG: "C.UTF-8", LC_ALL: "C" }, false],
    [{ LANG: "C", LC_CTYPE: "C.UTF-8" }, true],
    [{ LANG: "C.UTF-8", LC_ALL: "" }, true],
  ] as const
) {
  Deno.test(`isUnicodeLocale() of ${JSON.stringify(variables)} is ${expected}`, () => {
    assert.equal(isUnicodeLocale(new Map(Object.entries(variables))), expected);
  });
}

Deno.test("Logger.fatal() gives the reasons, the hint, and a trace if so set", () => {
  const error = new ChError("can’t copy: x", {
    hint: "look",
    cause: new ChError("can’t read: y", { cause: new Error("why") }),
  });
  const plain = newLogger();
  plain.log.fatal(error);
  assert.equal(plain.text(), "error: can’t copy: x: can’t read: y: why\nhint: look\n");
  const traced = newLogger({ hasTrace: true });
  traced.log.fatal(error);
  assert.match(traced.text(), /^error: .*\nhint: look\ntrace: .*logger_test.ts:\d+.*\n$/);
});

Deno.test("Logger.progress() begins with 0 % and ends with 100 %", () => {
  const { log, text } = newLogger();
  {
    using progress = log.progress("layer", 4 * 2 ** 20);
    progress.update(2 * 2 ** 20);
    progress.update(4 * 2 ** 20);
  }
  assert.equal(text(), "layer: 0.0/4.0 MiB (0%)\nlayer: 4.0/4.0 MiB (100%)\n");
});

Deno.test("Logger.progress() rewrites its line on a terminal", () => {
  const { log, text } = newLogger({ isTerminal: true });
  {
    using progress = log.progress("x", 2 ** 20);
    progress.update(2 ** 20);
  }
  log.info("next");
  assert.equal(text(), "\rx: 0.0/1.0 MiB (0%)\rx: 1.0/1.0 MiB (100%)\nnext\n");
});

Deno.test("Logger.progress() gives way to a message in between", () => {
  const { log, text } = newLogger({ isTerminal: true });
  {
    using progress = log.progress("x", 2 ** 20);
    log.warning("w");
    progress.update(2 ** 20);
  }
  assert.equal(text(), "\rx: 0.0/1.0 MiB (0%)\nwarning: w\n\rx: 1.0/1.0 MiB (100%)\n");
});

Deno.test("Logger.progress() is silent with -q", () => {
  const { log, text } = newLogger({ verbosity: -1 });
  log.progress("x", 1)[Symbol.dispose]();
  assert.equal(text(), "");
});

Deno.test("Logger.progress() is for a terminal alone if it is told so", () => {
  for (const isTerminal of [true, false]) {
    const { log, text } = newLogger({ isTerminal, hasMeterOnTerminalOnly: true });
    log.progress("x", 2 ** 20)[Symbol.dispose]();
    assert.equal(text(), isTerminal ? "\rx: 0.0/1.0 MiB (0%)\n" : "");
  }
});
