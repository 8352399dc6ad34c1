// ch-image: finds the sub-command, prepares what it works with, and ends the run in good order.

import { readEnvironment } from "../ffi/process.ts";
import { VERSION } from "../lib/version.ts";
import { parseArguments, parseLeadingOptions } from "./argparse.ts";
import { describeError, isExpected, USER_REMEDY } from "./error_text.ts";
import { formatHelp, formatUsage } from "./help.ts";
import type { CommonOption } from "./image/common_options.ts";
import { CH_IMAGE, formatGeneralHelp, withCommonOptions } from "./image/help.ts";
import { newLogger } from "./image/new_logger.ts";
import { Session } from "./image/session.ts";
import { readSettings, readVerbosity } from "./image/settings.ts";
import type { SubCommand } from "./image/sub_command.ts";
import { SUB_COMMANDS } from "./image/table.ts";
import { degradeQuotes, isUnicodeLocale, type Logger } from "./logger.ts";
import { type Arguments, type Command, isGiven, mergeGiven, UsageError } from "./options.ts";
import { writeText } from "./standard_stream.ts";

const STATUS_OK = 0;
const STATUS_ERROR = 1;
const STATUS_USAGE = 2;

type Environment = ReadonlyMap<string, string>;

/** Runs ch-image; ARGV[0] is its name. Returns the exit status. */
export async function main([, ...words]: readonly string[]): Promise<number> {
  const environment = parseEnvironment(readEnvironment());
  const complain = (text: string) =>
    writeText(Deno.stderr, isUnicodeLocale(environment) ? text : degradeQuotes(text));

  if (!environment.has("USER")) {
    complain(`error: can’t get username: $USER not set\nhint: ${USER_REMEDY}\n`);
    return STATUS_ERROR;
  }
  if (words.length === 0) {
    complain(formatGeneralHelp());
    return STATUS_ERROR;
  }
  let command: Command = CH_IMAGE;
  try {
    const { args: before, rest: [name, ...rest] } = parseLeadingOptions(CH_IMAGE.options, words);
    if (before.immediate !== undefined) return answer(before.immediate, formatGeneralHelp);

    const sub = await loadSubCommand(name);
    command = withCommonOptions(sub);
    const after = parseArguments(command, rest);
    if (after.immediate !== undefined) return answer(after.immediate, () => formatHelp(command));

    const args = { ...after, given: mergeGiven(before.given, after.given) };
    return await runSubCommand(sub, args as Arguments<CommonOption>, environment);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    complain(`${formatUsage(command)}\n${command.name}: error: ${error.message}\n`);
    return STATUS_USAGE;
  }
}

async function loadSubCommand(name: string | undefined): Promise<SubCommand> {
  if (name === undefined) throw new UsageError("CMD not specified");
  const listed = Object.hasOwn(SUB_COMMANDS, name) ? SUB_COMMANDS[name] : undefined;
  if (listed !== undefined) return await listed.load();
  const choices = Object.keys(SUB_COMMANDS).map((choice) => `'${choice}'`).join(", ");
  throw new UsageError(`argument CMD: invalid choice: '${name}' (choose from ${choices})`);
}

/** Does what an option like --help is for. */
function answer(option: string, help: () => string): number {
  switch (option) {
    case "help":
      writeText(Deno.stdout, help());
      return STATUS_OK;
    case "version":
      writeText(Deno.stdout, `${VERSION}\n`);
      return STATUS_OK;
    case "dependencies":
      // Everything is in this one executable: nothing can be missing.
      return STATUS_OK;
    default:
      throw new TypeError(`option without an answer: ${option}`);
  }
}

async function runSubCommand(
  sub: SubCommand,
  args: Arguments<CommonOption>,
  environment: Environment,
): Promise<number> {
  let log: Logger;
  try {
    log = newLogger(readVerbosity(args), isGiven(args, "debug"), environment);
  } catch (error) {
    if (!isExpected(error)) throw error;
    writeText(Deno.stderr, `error: ${describeError(error)}\n`);
    return STATUS_ERROR;
  }
  try {
    const settings = readSettings(args, environment, Deno.cwd(), log);
    using session = new Session(settings, environment, log);
    session.announce();
    const status = await sub.run(session, args);
    // Too late to stop, but not to say so.
    session.signal.throwIfAborted();
    log.reprintWarnings();
    return status;
  } catch (error) {
    if (!isExpected(error)) throw error;
    log.reprintWarnings();
    log.fatal(error);
    return STATUS_ERROR;
  }
}

/** Of several values the last counts, as in a shell. */
function parseEnvironment(entries: readonly string[]): Environment {
  return new Map(
    entries.filter((entry) => entry.includes("=")).map((entry) => {
      const at = entry.indexOf("=", 1);
      return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}
