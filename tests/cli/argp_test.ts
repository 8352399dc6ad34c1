import assert from "node:assert/strict";
import { formatArgpHelp, formatArgpUsage, parseArgp } from "../../cli/argp.ts";
import { type Command, defineOptions, UsageError } from "../../cli/options.ts";

const OPTIONS = defineOptions([
  { long: "set", argument: "none", repeat: "list", help: "one" },
  { long: "set-env", argument: "optional", placeholder: "X", repeat: "list", help: "two" },
  { long: "set-env0", argument: "optional", repeat: "list", help: "three" },
  { long: "bind", short: "b", argument: "required", repeat: "list", help: "four" },
  { long: "write-fake", short: "W", argument: "optional", repeat: "last", help: "five" },
  { long: "write", short: "w", argument: "none", repeat: "idempotent", help: "six" },
  { long: "version", short: "V", argument: "none", repeat: "last", help: "seven" },
  { long: "hidden", argument: "none", repeat: "last", hidden: true, help: "" },
]);

/** Options as "name" or "name=value", then "|", then positional words. */
function parse(words: readonly string[], isPosix = false): string {
  const seen: string[] = [];
  const parsed = parseArgp(OPTIONS, words, { isPosix }, (name, value) => {
    seen.push(value === undefined ? name : `${name}=${value}`);
    return name === "version" ? 7 : undefined;
  });
  const end = "status" in parsed ? `status ${parsed.status}` : parsed.positionals.join(" ");
  return [...seen, "|", end].join(" ");
}

for (
  const [words, result] of [
    [[], "| "],
    [["img", "cmd", "-w"], "write | img cmd"],
    [["img", "--", "cmd", "-w"], "| img cmd -w"],
    [["--", "img", "cmd", "-w"], "| img cmd -w"],
    [["img", "cmd", "--", "-n"], "| img cmd -n"],
    [["--", "img", "--", "cmd"], "| img -- cmd"],
    [["img", "--", "--", "x"], "| img -- x"],
    [["-", "-w"], "write | -"],
    [["--write"], "write | "],
    [["--write-f"], "write-fake | "],
    [["--b", "x"], "bind=x | "],
    [["--b=x=y"], "bind=x=y | "],
    [["--set"], "set | "],
    [["--set-env"], "set-env | "],
    [["--set-env", "x"], "set-env | x"],
    [["--set-env="], "set-env= | "],
    [["--set-env0=A=b"], "set-env0=A=b | "],
    [["-ww"], "write write | "],
    [["-wbx"], "write bind=x | "],
    [["-b", "-w"], "bind=-w | "],
    [["-b", "--"], "bind=-- | "],
    [["-W"], "write-fake | "],
    [["-W50%"], "write-fake=50% | "],
    [["-W=50"], "write-fake==50 | "],
    [["-W", "50%"], "write-fake | 50%"],
    [["-wV", "-b"], "write version | status 7"],
    [["-Vx", "--nosuch"], "version | status 7"],
  ] as const
) {
  Deno.test(`parseArgp() takes ${words.join(" ") || "nothing"}`, () => {
    assert.equal(parse(words), result);
  });
}

for (
  const [words, result] of [
    [["-w", "img", "-w"], "write | img -w"],
    [["img", "--", "cmd"], "| img -- cmd"],
    [["--", "img", "-w"], "| img -w"],
  ] as const
) {
  Deno.test(`parseArgp() with POSIXLY_CORRECT takes ${words.join(" ")}`, () => {
    assert.equal(parse(words, true), result);
  });
}

for (
  const [words, message] of [
    [["--nosuch"], "unrecognized option '--nosuch'"],
    [["--nosuch=1"], "unrecognized option '--nosuch=1'"],
    [["-wx"], "invalid option -- 'x'"],
    [["img", "-n"], "invalid option -- 'n'"],
    [["-b"], "option requires an argument -- 'b'"],
    [["--bi"], "option '--bind' requires an argument"],
    [["--vers=1"], "option '--version' doesn't allow an argument"],
    [["--wri"], "option '--wri' is ambiguous; possibilities: '--write-fake' '--write'"],
    [["--set-"], "option '--set-' is ambiguous; possibilities: '--set-env' '--set-env0'"],
  ] as const
) {
  Deno.test(`parseArgp() refuses ${words.join(" ")}`, () => {
    assert.throws(() => parse(words), (error) => {
      assert.ok(error instanceof UsageError);
      assert.equal(error.message, message);
      return true;
    });
  });
}

Deno.test("parseArgp() acts on options before one that is wrong", () => {
  const seen: string[] = [];
  assert.throws(
    () => parseArgp(OPTIONS, ["-wx"], { isPosix: false }, (name) => void seen.push(name)),
    UsageError,
  );
  assert.deepEqual(seen, ["write"]);
});

const COMMAND: Command = { name: "tool", summary: "Do it", options: OPTIONS, positionals: [] };

Deno.test("formatArgpHelp() names every visible option", () => {
  const help = formatArgpHelp(COMMAND, "tool [OPTION...] X");
  assert.match(help, /^Usage: tool \[OPTION\.\.\.\] X\nDo it\.\n/);
  for (const { long, hidden } of OPTIONS) {
    assert.equal(help.includes(`--${long}`), !hidden, long);
  }
});

Deno.test("formatArgpUsage() puts options in brackets", () => {
  assert.equal(
    formatArgpUsage(COMMAND, "X"),
    "Usage: tool [-wV] [--set] [--set-env[=X]] [--set-env0[=ARG]] [--bind=ARG]\n" +
      "            [--write-fake[=ARG]] [--write] [--version] X\n",
  );
});
