// Where every tool starts, whatever runs it (start.ts, start_small.ts): which one is wanted, loading only
// its code, and what nobody else caught.

import { readArguments } from "../ffi/process.ts";
import { VERSION } from "../lib/version.ts";

interface Tool {
  /** ARGV[0] is the name the tool was called by. Returns the exit status. */
  main(argv: readonly string[]): number | Promise<number>;
}

const TOOLS: Readonly<Record<string, () => Promise<Tool>>> = {
  "ch-run": () => import("./run.ts"),
  "ch-image": () => import("./image.ts"),
  "ch-convert": () => import("./convert.ts"),
  "ch-fromhost": () => import("./fromhost.ts"),
  "ch-checkns": () => import("./checkns.ts"),
  "ch-run-oci": () => import("./run_oci.ts"),
  "ch-test": () => import("./test.ts"),
  "ch-doctor": () => import("./doctor.ts"),
  "ch-completion": () => import("./completion.ts"),
};

/** What is called differently today (cli/old_commands.ts). */
export const OLD_NAMES: readonly string[] = [
  ...[
    "ch-build",
    "ch-build2dir",
    "ch-builder2squash",
    "ch-builder2tar",
    "ch-dir2squash",
    "ch-grow",
  ],
  ...["ch-mount", "ch-pull2dir", "ch-pull2tar", "ch-ssh", "ch-tar2dir", "ch-tar2sqfs", "ch-tug"],
  "ch-umount",
];

function loadOld(): Promise<Tool> {
  return import("./old_names.ts");
}

const HELP = `Usage: ch TOOL [ARG...]
       ch --help | --version

Containers without privilege. TOOL is one of:

  run        run a command in a container (also: ch-run)
  image      build and manage images (ch-image)
  convert    convert images between formats (ch-convert)
  fromhost   copy host files, such as drivers, into an image (ch-fromhost)
  checkns    check whether containers can run here (ch-checkns)
  run-oci    run commands of Buildah's builds (ch-run-oci)
  test       check this installation on this machine (ch-test)
  doctor     tell what this host and an image can and cannot do
  completion print what makes bash, zsh or fish complete these commands

Called by one of the names in parentheses (symlink, hard link or copy), this
program is that tool. "ch TOOL --help" tells more.
`;

/** Runs the tool that was called; ends the process. */
export async function start(): Promise<void> {
  const argv = readArguments(Deno.args);
  try {
    Deno.exit(await dispatch(argv));
  } catch (error) {
    // Nothing of the user's making comes here: tools report their own failures.
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    write(Deno.stderr, `${argv[0]}: error: please report this bug: ${text}\n`);
    Deno.exit(31);
  }
}

async function dispatch([program = "ch", ...words]: readonly string[]): Promise<number> {
  const called = program.slice(program.lastIndexOf("/") + 1);
  const byName = TOOLS[called];
  if (byName !== undefined) return await (await byName()).main([program, ...words]);
  if (OLD_NAMES.includes(called)) return await (await loadOld()).main([called, ...words]);

  const [first, ...rest] = words;
  const name = first !== undefined && first in TOOLS ? first : `ch-${first}`;
  const byWord = TOOLS[name];
  if (byWord !== undefined) return await (await byWord()).main([name, ...rest]);
  if (OLD_NAMES.includes(name)) return await (await loadOld()).main([name, ...rest]);
  switch (first) {
    case "--help":
    case "-h":
    case "help":
      write(Deno.stdout, HELP);
      return 0;
    case "--version":
    case "-V":
      write(Deno.stdout, `${VERSION}\n`);
      return 0;
    case undefined:
      write(Deno.stderr, HELP);
      return 1;
    default:
      write(Deno.stderr, `ch: error: no such tool: ${first}\nch: hint: "ch --help" lists them\n`);
      return 2;
  }
}

function write(stream: typeof Deno.stdout, text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += stream.writeSync(bytes.subarray(at));
}
