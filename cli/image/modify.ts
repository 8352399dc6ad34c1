// ch-image modify: an image from another by shell code.

import { decodeOsString, displayOsString } from "../../ffi/os_string.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { buildImage } from "../../lib/build/build.ts";
import { makeAbsolute } from "../../lib/build/context.ts";
import { checkModify, describeModification, type Modification } from "../../lib/build/modify.ts";
import type { Host } from "../../lib/container/host.ts";
import { openSystemHost } from "../../lib/container/system_host.ts";
import { ChError } from "../../lib/error.ts";
import { parseReference } from "../../lib/reference/reference.ts";
import { type Arguments, defineOptions, findValue, isGiven, listValues } from "../options.ts";
import { readStandardInput } from "../standard_input.ts";
import { BIND_OPTIONS, FORCE_OPTIONS, openBuildTools, readBuildSettings } from "./build_options.ts";
import type { CommonOption } from "./common_options.ts";
import type { Context, SubCommand } from "./sub_command.ts";

const OPTIONS = defineOptions([
  ...BIND_OPTIONS,
  {
    long: "command",
    short: "c",
    argument: "required",
    placeholder: "CMD",
    repeat: "list",
    help: "run CMD in the shell; can be repeated, each is a RUN of its own",
  },
  ...FORCE_OPTIONS,
  {
    long: "interactive",
    short: "i",
    argument: "none",
    repeat: "idempotent",
    help: "start the shell with this terminal; what it leaves is the image",
  },
  {
    long: "shell",
    short: "S",
    argument: "required",
    placeholder: "SHELL",
    repeat: "last",
    help: "shell to run, a path in the image (default: /bin/sh)",
  },
]);

type ModifyOption = typeof OPTIONS[number]["long"];

export const modify: SubCommand<ModifyOption> = {
  name: "ch-image modify",
  summary: "Make an image from another by shell code, without a Dockerfile",
  options: OPTIONS,
  positionals: [
    { name: "IMAGE_REF", count: "one", help: "image in storage; stays as it is" },
    { name: "OUT_IMAGE", count: "one", help: "name of the new image; replaced if it exists" },
    {
      name: "SCRIPT",
      count: "optional",
      help: "file to run in the shell; without it and -c, standard input or a terminal",
    },
  ],
  run: runModify,
};

async function runModify(
  context: Context,
  args: Arguments<ModifyOption | CommonOption>,
): Promise<number> {
  const host = openSystemHost();
  const settings = readBuildSettings(args, context.environment);
  const change = chooseMode(args, host);
  const [base, output] = args.positionals.slice(0, 2).map(parseReference);
  const shell = findValue(args, "shell") ?? "/bin/sh";
  const tools = openBuildTools(context, args, host);
  checkModify(base!, output!, tools.store);
  if (change === "by hand") {
    const names = [...settings.buildArguments.keys()];
    if (names.length > 0) throw new ChError(`--build-arg: not consumed: ${names.join(" ")}`);
    // Ctrl-C is for the shell.
    using _ = context.leaveInterrupts();
    const { modifyByHand } = await import("../../lib/build/modify_by_hand.ts");
    await modifyByHand(base!, output!, shell, { ...tools, stdio: [0, 1, 2] });
    return 0;
  }
  await buildImage({
    dockerfile: describeModification(base!, shell, change),
    tag: output!,
    context: undefined,
    ...settings,
  }, tools);
  return 0;
}

/** In this order of precedence; see the specification. */
function chooseMode(
  args: Arguments<ModifyOption | CommonOption>,
  host: Host,
): Modification | "by hand" {
  const commands = listValues(args, "command");
  const script = args.positionals[2];
  const isByHand = isGiven(args, "interactive");
  if (commands.length > 0) {
    if (isByHand) throw new ChError("incompatible opts: “-c”, “-i”");
    if (script !== undefined) throw new ChError("script mode incompatible with command mode");
    return { mode: "commands", commands };
  }
  if (script !== undefined) {
    if (isByHand) throw new ChError("script mode incompatible with interactive mode");
    return readScript(script, host);
  }
  if (isByHand || Deno.stdin.isTerminal()) return "by hand";
  const content = decodeOsString(readStandardInput());
  if (content === "") throw new ChError("modify mode unclear");
  return { mode: "script", name: "-", content };
}

function readScript(script: string, host: Host): Modification {
  const path = makeAbsolute(script, host);
  try {
    return { mode: "script", name: path, content: decodeOsString(host.readFile(path)) };
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (error.code === "ENOENT") throw new ChError(`${displayOsString(path)}: no such file`);
    throw new ChError(`can’t read: ${displayOsString(path)}`, { cause: error });
  }
}
