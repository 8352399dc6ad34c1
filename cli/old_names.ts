// Commands under the names of older Charliecloud: says in one line what they are called today, and runs that.

import { displayOsString } from "../ffi/os_string.ts";
import { readEnvironment } from "../ffi/process.ts";
import { ChError } from "../lib/error.ts";
import { OLD_COMMANDS } from "./old_commands.ts";
import { parseEnvironment } from "./plain_logger.ts";
import { writeText } from "./standard_stream.ts";

/** NAME is one of OLD_COMMANDS. Returns the exit status. */
export async function main([name = "", ...words]: readonly string[]): Promise<number> {
  try {
    const commands = OLD_COMMANDS[name]!(words, parseEnvironment(readEnvironment()));
    writeText(Deno.stderr, `${name}: note: today this is: ${commands.map(format).join(" && ")}\n`);
    for (const command of commands) {
      const status = await run(command);
      if (status !== 0) return status;
    }
    return 0;
  } catch (error) {
    if (!(error instanceof ChError)) throw error;
    writeText(Deno.stderr, `${name}: error: ${error.message}\n${name}: hint: ${error.hint}\n`);
    return 1;
  }
}

async function run(command: readonly string[]): Promise<number> {
  const tool = command[0] === "ch-image"
    ? await import("./image.ts")
    : await import("./convert.ts");
  return await tool.main(command);
}

/** As one would type it. */
function format(command: readonly string[]): string {
  return command.map((word) =>
    /^[\w@%+=:,./~-]+$/.test(word) ? word : `'${displayOsString(word).replaceAll("'", "'\\''")}'`
  ).join(" ");
}
