// ch-run's command line: what each option does, in the order given (spec ch-run §1).

import { findNames } from "../ffi/path.ts";
import { findDevices } from "../lib/cdi/find_devices.ts";
import type { Edits } from "../lib/cdi/spec.ts";
import { parseAssignment, parseAssignments, type Separator } from "../lib/container/assignments.ts";
import { type Bind, parseBind } from "../lib/container/binds.ts";
import type { EnvironmentChange } from "../lib/container/environment.ts";
import { cannotRead, orFail } from "../lib/container/failure.ts";
import type { Host } from "../lib/container/host.ts";
import { parseId, parseInteger } from "../lib/container/integer.ts";
import type { GroupRequest } from "../lib/container/join.ts";
import { findVariable } from "../lib/container/variables.ts";
import { ChError } from "../lib/error.ts";
import { VERSION } from "../lib/version.ts";
import { formatArgpHelp, formatArgpUsage, parseArgp } from "./argp.ts";
import { checkFeature } from "./run_feature.ts";
import type { RunLog } from "./run_log.ts";
import { RUN_COMMAND, RUN_POSITIONALS, RUN_SYNOPSIS, type RunOptionName } from "./run_table.ts";
import { lowerVerbosity, printWarnings, raiseVerbosity, testLog } from "./run_verbosity.ts";
import { type Writer, writeText } from "./standard_stream.ts";

/** What the command line says; paths as given. */
export interface RunArguments {
  image: string;
  argv: readonly string[];
  binds: Bind[];
  cwd: string | undefined;
  expand: boolean;
  uid: number;
  gid: number;
  home: string | undefined;
  mountPoint: string | undefined;
  passwd: boolean;
  privateTmp: boolean;
  seccomp: boolean;
  environment: EnvironmentChange[];
  storage: string | undefined;
  unsafe: boolean;
  write: boolean;
  overlaySize: string | undefined;
  overlayDir: string | undefined;
  /** `--device`: names. */
  deviceNames: string[];
  devices: readonly Edits[];
  dryRun: boolean;
  imageCommand: boolean;
  /** `--join`, `--join-ct`, `--join-tag`. */
  peers: GroupRequest | undefined;
  /** `--join-pid`; 0 is none. */
  joinPid: number;
  /** Name in "Try …" of usage errors. */
  programName: string;
}

/** What options need of the world around. */
export interface RunContext {
  readonly host: Host;
  /** Its verbosity changes as options are met. */
  readonly log: RunLog;
  readonly stdout: Writer;
  readonly stderr: Writer;
}

const DEFAULT_OVERLAY_SIZE = "12%";
const NO_GROUP: GroupRequest = { count: 0, tag: undefined };

export function newRunArguments({ host, log }: RunContext): RunArguments {
  return {
    image: "",
    argv: [],
    binds: [],
    cwd: undefined,
    expand: true,
    uid: host.identity.euid,
    gid: host.identity.egid,
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
    deviceNames: [],
    devices: [],
    dryRun: false,
    imageCommand: false,
    peers: undefined,
    joinPid: 0,
    programName: log.program,
  };
}

/** Fills ARGS from WORDS, which are without argv[0]. Returns the status to exit with, if that is all
 * there is to do. Throws UsageError or ChError. */
export function parseRunArguments(
  words: readonly string[],
  args: RunArguments,
  context: RunContext,
): number | undefined {
  const { host, stdout, stderr } = context;
  const isPosix = findVariable(host.environment, "POSIXLY_CORRECT") !== undefined;
  const parsed = parseArgp(
    RUN_COMMAND.options,
    words,
    { isPosix },
    (name, value) => applyOption(name, value, args, context),
  );
  if ("status" in parsed) return parsed.status;

  const [image, ...argv] = parsed.positionals;
  if (image === undefined) {
    writeText(stderr, formatArgpHelp(RUN_COMMAND, RUN_SYNOPSIS));
    return 1;
  }
  if (argv.length === 0 && !args.imageCommand) {
    writeText(stdout, `usage: ${RUN_SYNOPSIS}\n`);
    throw new ChError("IMAGE and/or COMMAND not specified", {
      hint: "--image-cmd runs the image's own command",
    });
  }
  Object.assign(args, { image, argv });
  if (args.deviceNames.length > 0) chooseDevices(args, context);
  settleOverlay(args);
  return undefined;
}

/** One option's effect; a status ends the program. */
function applyOption(
  name: RunOptionName,
  value: string | undefined,
  args: RunArguments,
  context: RunContext,
): number | undefined {
  const { host, log, stdout, stderr } = context;
  switch (name) {
    case "bind":
      args.binds.push(parseBind(value!));
      return;
    case "cd":
      args.cwd = value!;
      return;
    case "device":
      args.deviceNames.push(value!);
      return;
    case "dry-run":
      args.dryRun = true;
      return;
    case "env-no-expand":
      args.expand = false;
      return;
    case "feature":
      return checkFeature(value!, host.kernelRelease);
    case "gid":
      args.gid = parseId("--gid", value!);
      return;
    case "home":
      return chooseHome(args, context);
    case "image-cmd":
      args.imageCommand = true;
      return;
    case "image-env":
      args.environment.push({ op: "image-defaults" });
      return;
    case "join":
      args.peers = { ...NO_GROUP, ...args.peers };
      return;
    case "join-ct":
      args.peers = { ...NO_GROUP, ...args.peers, count: parseInteger("--join-ct", value!) };
      return;
    case "join-pid":
      args.joinPid = parseInteger("--join-pid", value!);
      return;
    case "join-tag":
      args.peers = { ...NO_GROUP, ...args.peers, tag: value! };
      return;
    case "mount":
      if (value === "") {
        throw new ChError("mount point can't be empty string", {
          hint: "leave out --mount for the default",
        });
      }
      args.mountPoint = value!;
      return;
    case "no-passwd":
      args.passwd = false;
      return;
    case "overlay":
      args.overlayDir = value!;
      return;
    case "private-tmp":
      args.privateTmp = true;
      return;
    case "quiet":
      return lowerVerbosity(log);
    case "seccomp":
      args.seccomp = true;
      return;
    case "set-env":
      args.environment.push(readSetEnv(value, "\n", host));
      return;
    case "set-env0":
      args.environment.push(readSetEnv(value, "\0", host));
      return;
    case "storage":
      return chooseStorage(value!, args, context);
    case "test":
      return testLog(value!, log);
    case "uid":
      args.uid = parseId("--uid", value!);
      return;
    case "unsafe":
      args.unsafe = true;
      return;
    case "unset-env":
      if (value === "") throw new ChError("--unset-env: GLOB must have non-zero length");
      args.environment.push({ op: "unset", glob: value! });
      return;
    case "verbose":
      return raiseVerbosity(log);
    case "version":
      writeText(stderr, `${VERSION}\n`);
      return 0;
    case "warnings":
      return printWarnings(parseInteger("--warnings", value!), log);
    case "write":
      args.write = true;
      return;
    case "write-fake":
      args.overlaySize = value ?? DEFAULT_OVERLAY_SIZE;
      return;
    case "help":
      writeText(stdout, formatArgpHelp(RUN_COMMAND, RUN_SYNOPSIS));
      return 0;
    case "usage":
      writeText(stdout, formatArgpUsage(RUN_COMMAND, RUN_POSITIONALS));
      return 0;
    case "program-name":
      args.programName = value!;
      return;
    case "HANG":
      return hang(parseInteger("--HANG", value ?? "3600"));
    default:
      name satisfies never;
  }
}

function chooseHome(args: RunArguments, { host, log }: RunContext): undefined {
  const home = findVariable(host.environment, "HOME");
  if (home === undefined) {
    throw new ChError("--home failed: $HOME not set", {
      hint: "set HOME to the directory that you want, or use --bind",
    });
  }
  args.home = home;
  if (args.overlaySize === undefined && args.overlayDir === undefined) {
    log.verbose("--home specified; also setting --write-fake");
  }
}

function chooseDevices(args: RunArguments, { host, log }: RunContext): void {
  const listNames = (path: string) => orFail(`can't list: ${path}`, () => findNames(path));
  const readFile = (path: string) => orFail(cannotRead(path), () => host.readFile(path));
  args.devices = findDevices(args.deviceNames, { listNames, readFile });
  if (args.overlaySize === undefined && args.overlayDir === undefined) {
    log.verbose("--device specified; also setting --write-fake");
  }
}

/** What goes over the image when all options are known: one layer at most, and one for `--home`. */
function settleOverlay(args: RunArguments): void {
  if (args.overlayDir === undefined) {
    if (args.home !== undefined || args.devices.length > 0) {
      args.overlaySize ??= DEFAULT_OVERLAY_SIZE;
    }
  } else if (args.overlaySize !== undefined) {
    throw new ChError("--overlay incompatible with --write-fake", {
      hint: "--overlay keeps what is written, --write-fake forgets it: choose one",
    });
  }
}

function chooseStorage(path: string, args: RunArguments, { host, log }: RunContext): undefined {
  args.storage = path;
  const kind = orFail(`can't stat: ${path}`, () => host.stat(path));
  if (kind === undefined) log.warning(`storage directory not found: ${path}`);
}

function readSetEnv(
  value: string | undefined,
  separator: Separator,
  host: Host,
): EnvironmentChange {
  if (value === undefined) return { op: "image", separator };
  if (value.includes("=")) return { op: "set", assignments: [parseAssignment(value, value)] };
  const content = orFail(
    cannotRead(value),
    () => host.readFile(value),
    "give a file of the host or NAME=VALUE; without an argument it is the image's own file",
  );
  return { op: "set", assignments: parseAssignments(content, separator, value) };
}

/** Time to attach a debugger. */
function hang(seconds: number): undefined {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, seconds * 1000);
}
