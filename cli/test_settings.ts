// ch-test's settings: the command line before the environment before the default, and which of them it was.

import { ChError } from "../lib/error.ts";
import { type Scope, SCOPES } from "../lib/selftest/check.ts";
import { type Arguments, findValue } from "./options.ts";
import { PACK_FORMATS, type PackFormat, type TestOption } from "./test_table.ts";

export interface TestSettings {
  readonly scope: Scope;
  readonly packFormat: PackFormat;
  /** Storage and packed images. */
  readonly packDirectory: string;
  /** Unpacked images. */
  readonly imageDirectory: string;
  /** For what a check makes and nobody needs afterwards. */
  readonly scratchDirectory: string;
  readonly isPedantic: boolean;
  /** For people: a line for each, with where it comes from. */
  readonly lines: readonly string[];
}

type Environment = ReadonlyMap<string, string>;

/** HAS_FUSE: whether ch-run can mount SquashFS here. Throws a ChError. */
export function readTestSettings(
  args: Arguments<TestOption>,
  environment: Environment,
  hasFuse: boolean,
): TestSettings {
  const user = environment.get("USER");
  if (!user) throw new ChError("can’t get username: $USER not set");
  const lines: string[] = [];
  const choose = (option: TestOption, fallback: string, variable?: string): string => {
    const given = findValue(args, option);
    const found = variable && environment.get(variable);
    const [value, origin] = given !== undefined
      ? [given, "command line"]
      : found
      ? [found, "environment"]
      : [fallback, "default"];
    lines.push(`${`${option}:`.padEnd(10)} ${value} (${origin})`);
    return value;
  };
  const format = hasFuse ? "squash-mount" : "tar-unpack";
  return {
    scope: require(choose("scope", "standard", "CH_TEST_SCOPE"), SCOPES, "scope"),
    packFormat: require(
      choose("pack-fmt", format, "CH_TEST_PACK_FMT"),
      PACK_FORMATS,
      "pack format",
    ),
    packDirectory: absolute(choose("pack-dir", `/var/tmp/${user}.pack`, "CH_TEST_TARDIR")),
    imageDirectory: absolute(choose("img-dir", `/var/tmp/${user}.img`, "CH_TEST_IMGDIR")),
    scratchDirectory: `/tmp/ch-test.tmp.${user}`,
    isPedantic: choose("pedantic", "no") === "yes",
    lines,
  };
}

/** A value of the environment is as free as any; the parser has seen those of the command line. */
function require<Value extends string>(
  value: string,
  allowed: readonly Value[],
  what: string,
): Value {
  const found = allowed.find((each) => each === value);
  if (found === undefined) {
    throw new ChError(`invalid ${what}: ${value}`, { hint: `one of: ${allowed.join(" ")}` });
  }
  return found;
}

function absolute(path: string): string {
  if (path.startsWith("/")) return path;
  throw new ChError(`not an absolute path: ${path}`);
}
