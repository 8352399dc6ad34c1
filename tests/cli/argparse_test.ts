import assert from "node:assert/strict";
import { CONVERT_RULES, parseArguments, parseLeadingOptions } from "../../cli/argparse.ts";
import {
  type Command,
  countGiven,
  defineOptions,
  findValue,
  isGiven,
  listSpellings,
  listValues,
  mergeGiven,
  spellOption,
  UsageError,
} from "../../cli/options.ts";

const OPTIONS = defineOptions([
  { long: "help", short: "h", argument: "none", repeat: "idempotent", immediate: true, help: "" },
  { long: "quiet", short: "q", argument: "none", repeat: "count", help: "" },
  { long: "verbose", short: "v", argument: "none", repeat: "count", help: "" },
  {
    long: "storage",
    short: "s",
    argument: "required",
    placeholder: "DIR",
    repeat: "last",
    help: "",
  },
  { long: "build-arg", argument: "required", repeat: "list", help: "" },
  { long: "force", argument: "optional", choices: ["seccomp", "none"], repeat: "last", help: "" },
  { long: "force-cmd", argument: "required", repeat: "list", help: "" },
  { long: "no-cache", argument: "none", repeat: "idempotent", exclusive: "cache", help: "" },
  { long: "rebuild", argument: "none", repeat: "idempotent", exclusive: "cache", help: "" },
  { long: "old", aliases: ["older"], argument: "none", repeat: "idempotent", help: "" },
]);

const command: Command<typeof OPTIONS[number]["long"]> = {
  name: "tool",
  summary: "Test",
  options: OPTIONS,
  positionals: [{ name: "A", count: "one" }, { name: "B", count: "optional" }],
};

/** `long=value` of each option, then the positional words. */
function summarize(words: readonly string[], rules?: typeof CONVERT_RULES): string {
  const { given, positionals, immediate } = parseArguments(command, words, rules);
  const options = given.map(({ option, value }) =>
    value === undefined ? option.long : `${option.long}=${value}`
  );
  return [...options, "|", ...positionals, ...immediate ? [`(${immediate})`] : []].join(" ");
}

const good: readonly [words: readonly string[], expected: string][] = [
  [["a"], "| a"],
  [["a", "b"], "| a b"],
  [["-q", "a", "-v", "b"], "quiet verbose | a b"],
  [["-qq", "a"], "quiet quiet | a"],
  [["--storage=x", "a"], "storage=x | a"],
  [["--storage", "x", "a"], "storage=x | a"],
  [["--storage=", "a"], "storage= | a"],
  [["-sx", "a"], "storage=x | a"],
  [["-s=x", "a"], "storage=x | a"],
  [["-qs", "x", "a"], "quiet storage=x | a"],
  [["-qsx", "a"], "quiet storage=x | a"],
  [["--stor", "x", "a"], "storage=x | a"],
  [["--build-arg", "a=b c", "a"], "build-arg=a=b c | a"],
  [["--build-arg=--x", "a"], "build-arg=--x | a"],
  [["--build-arg", "-1", "a"], "build-arg=-1 | a"],
  [["--build-arg", "-x y", "a"], "build-arg=-x y | a"],
  [["--force=none", "a"], "force=none | a"],
  [["--force", "-q", "a"], "force quiet | a"],
  [["--force", "seccomp", "a"], "force=seccomp | a"],
  [["a", "--force"], "force | a"],
  [["--older", "a"], "old | a"],
  [["--", "-q", "--x"], "| -q --x"],
  [["a", "--", "-q"], "| a -q"],
  [["-"], "| -"],
  [["-q", "--help", "--nonsense"], "quiet help | (help)"],
  [["-qh"], "quiet help | (help)"],
];

for (const [words, expected] of good) {
  Deno.test(`parseArguments() understands ${words.join(" ")}`, () => {
    assert.equal(summarize(words), expected);
  });
}

const bad: readonly [words: readonly string[], message: string][] = [
  [[], "the following arguments are required: A"],
  [["a", "b", "c"], "unrecognized arguments: c"],
  [["--nope", "a", "-z"], "unrecognized arguments: --nope -z"],
  [["-qz", "a"], "unrecognized arguments: -qz"],
  [["a", "-s"], "argument -s/--storage: expected one argument"],
  [["a", "-s", "-q"], "argument -s/--storage: expected one argument"],
  [["--quiet=1", "a"], "argument -q/--quiet: ignored explicit argument '1'"],
  [["-q=1", "a"], "argument -q/--quiet: ignored explicit argument '1'"],
  [["--for", "a"], "ambiguous option: --for could match --force, --force-cmd"],
  [["--force", "a"], "argument --force: invalid choice: 'a' (choose from 'seccomp', 'none')"],
  [["--no-cache", "--rebuild", "a"], "argument --rebuild: not allowed with argument --no-cache"],
];

for (const [words, message] of bad) {
  Deno.test(`parseArguments() refuses ${words.join(" ") || "nothing"}`, () => {
    assert.throws(() => parseArguments(command, words), (error) => {
      assert(error instanceof UsageError);
      assert.equal(error.message, message);
      return true;
    });
  });
}

Deno.test("parseArguments() for ch-convert: options first, no abbreviations", () => {
  assert.equal(
    summarize(["-s=x", "-s", "y", "a", "b"], CONVERT_RULES),
    "storage=x storage=y | a b",
  );
  assert.equal(summarize(["-s", "-q", "a"], CONVERT_RULES), "storage=-q | a");
  assert.equal(summarize(["--force", "a"], CONVERT_RULES), "force | a");
  assert.equal(summarize(["a", "-q"], CONVERT_RULES), "| a -q");
  assert.equal(summarize(["-", "b"], CONVERT_RULES), "| - b");
  assert.throws(() => summarize(["--stor=x", "a"], CONVERT_RULES), {
    message: "unrecognized arguments: --stor=x",
  });
});

Deno.test("parseLeadingOptions() stops at the sub-command and leaves the rest alone", () => {
  const { args, rest } = parseLeadingOptions(OPTIONS, ["-vs", "x", "list", "-z", "--", "y"]);
  assert.equal(countGiven(args, "verbose"), 1);
  assert.equal(findValue(args, "storage"), "x");
  assert.deepEqual(rest, ["list", "-z", "--", "y"]);
});

const merged: readonly [before: string, after: string, expected: string][] = [
  ["-v -v", "-v a", "verbose"],
  ["-v", "-q a", "verbose quiet"],
  ["-s x", "-s y a", "storage=y"],
  ["-s x", "a", "storage=x"],
  ["--no-cache", "--rebuild a", "rebuild"],
  ["--build-arg a --build-arg b", "--build-arg c a", "build-arg=c"],
];

for (const [before, after, expected] of merged) {
  Deno.test(`mergeGiven() of “${before}” and “${after}” leaves “${expected}”`, () => {
    const given = mergeGiven(
      parseLeadingOptions(OPTIONS, before.split(" ")).args.given,
      parseArguments(command, after.split(" ")).given,
    );
    const spelled = given.map(({ option, value }) =>
      value === undefined ? option.long : `${option.long}=${value}`
    );
    assert.equal(spelled.join(" "), expected);
  });
}

Deno.test("isGiven(), countGiven(), findValue(), listValues() read what was given", () => {
  const args = parseArguments(command, ["--build-arg=a", "-q", "--build-arg=b", "-q", "a"]);
  assert.equal(isGiven(args, "quiet"), true);
  assert.equal(isGiven(args, "verbose"), false);
  assert.equal(countGiven(args, "quiet"), 2);
  assert.equal(findValue(args, "build-arg"), "b");
  assert.equal(findValue(args, "storage"), undefined);
  assert.deepEqual(listValues(args, "build-arg"), ["a", "b"]);
});

Deno.test("spellOption() writes an option as documents do", () => {
  const spelled = OPTIONS.map(spellOption);
  assert(spelled.includes("-s, --storage=DIR"));
  assert(spelled.includes("-q, --quiet"));
  assert(spelled.includes("--force[=ARG]"));
});

Deno.test("listSpellings() names all ways to write the options that can be given", () => {
  const spellings = listSpellings(command);
  for (const name of ["-h", "--help", "--old", "--older", "--force"]) {
    assert(spellings.includes(name), name);
  }
});
