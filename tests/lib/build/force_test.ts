// --force, --force-cmd, and what they do to commands.

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { chooseForce } from "../../../lib/build/force.ts";
import {
  DEFAULT_FORCE_COMMANDS,
  injectArguments,
  parseForceCommand,
  quoteForShell,
} from "../../../lib/build/force_command.ts";

Deno.test("chooseForce() has --force-cmd win over none, but not over fakeroot", () => {
  strictEqual(chooseForce(undefined, []).mode, "seccomp");
  strictEqual(chooseForce("none", []).mode, "none");
  strictEqual(chooseForce("none", ["a,b"]).mode, "seccomp");
  deepStrictEqual(chooseForce("seccomp", ["a,b"]).commands, [{ command: "a", arguments: ["b"] }]);
  throws(() => chooseForce("fakeroot", ["a,b"]), {
    message: "--force-cmd and --force=fakeroot are incompatible",
  });
});

Deno.test("parseForceCommand() splits at commas that are not escaped", () => {
  deepStrictEqual(parseForceCommand("foo,-a,--b=c"), {
    command: "foo",
    arguments: ["-a", "--b=c"],
  });
  deepStrictEqual(parseForceCommand("f\\,o,a\\\\b\\c"), { command: "f,o", arguments: ["a\\bc"] });
});

for (
  const [text, message] of [
    ["foo", "--force-cmd: need at least one ARG"],
    ["", "--force-cmd: need at least one ARG"],
    [",a", "--force-cmd: CMD can’t be empty"],
  ] as const
) {
  Deno.test(`parseForceCommand() refuses ${JSON.stringify(text)}`, () => {
    throws(() => parseForceCommand(text), { message });
  });
}

const O = "-o APT::Sandbox::User=root";
const SHELL_CASES: readonly (readonly [string, string])[] = [
  ["apt-get install x", `apt-get ${O} install x`],
  ["apt install x", `apt ${O} install x`],
  ["apt-get install apt-get x", `apt-get ${O} install apt-get ${O} x`],
  ["xapt y", "xapt y"],
  ["true; apt-get", "true; apt-get"],
  ["apt-get\tupdate\\\napt-get x", `apt-get ${O}\tupdate\\\napt-get ${O} x`],
  ["echo 'apt-get x'", `echo 'apt-get ${O} x'`],
  ["/usr/bin/apt-get x", `/usr/bin/apt-get ${O} x`],
  ["a\\pt-get x", "a\\pt-get x"],
];

for (const [command, expected] of SHELL_CASES) {
  Deno.test(`injectArguments() into ${JSON.stringify(command)}`, () => {
    deepStrictEqual(
      injectArguments(["/bin/sh", "-c", command], "shell", DEFAULT_FORCE_COMMANDS),
      ["/bin/sh", "-c", expected],
    );
  });
}

Deno.test("injectArguments() into a list, also at its end", () => {
  const inject = (...argv: string[]) => injectArguments(argv, "list", DEFAULT_FORCE_COMMANDS);
  deepStrictEqual(inject("apt-get", "install", "x"), [
    "apt-get",
    "-o",
    "APT::Sandbox::User=root",
    "install",
    "x",
  ]);
  deepStrictEqual(inject("echo", "apt"), ["echo", "apt", "-o", "APT::Sandbox::User=root"]);
  deepStrictEqual(inject("sh", "-c", "apt x"), ["sh", "-c", `apt ${O} x`]);
});

Deno.test("injectArguments() takes command and arguments literally", () => {
  const commands = [{ command: "f.o+-x", arguments: ["\\1", "$& a'b"] }];
  deepStrictEqual(
    injectArguments(["f.o+-x y; fxo y"], "shell", commands),
    [`f.o+-x '\\1' '$& a'"'"'b' y; fxo y`],
  );
});

Deno.test("quoteForShell() quotes the empty word", () => strictEqual(quoteForShell(""), "''"));
