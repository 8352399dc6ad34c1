// What ch-test's command line may hold (spec other-tools §3).

import { SCOPES } from "../lib/selftest/check.ts";
import { type Command, defineOptions } from "./options.ts";
import { HELP, VERSION_OPTION } from "./shared_options.ts";

export const PHASES = ["build", "rootemu", "run", "all", "clean"] as const;
export type Phase = typeof PHASES[number];

/** How the run phase has its image: mounted by ch-run, or unpacked before. */
export const PACK_FORMATS = ["squash-mount", "tar-unpack", "squash-unpack"] as const;
export type PackFormat = typeof PACK_FORMATS[number];

const OPTIONS = defineOptions([
  {
    long: "scope",
    short: "s",
    argument: "required",
    placeholder: "SCOPE",
    choices: SCOPES,
    repeat: "last",
    help: "quick, standard (the default) or full; also CH_TEST_SCOPE",
  },
  {
    long: "file",
    short: "f",
    argument: "required",
    placeholder: "PHASE[:TEXT]",
    repeat: "last",
    help:
      "only the checks of a phase whose names contain TEXT, on what earlier ones have left; instead of PHASE",
  },
  {
    long: "pack-fmt",
    argument: "required",
    placeholder: "FMT",
    choices: PACK_FORMATS,
    repeat: "last",
    help:
      "how the run phase has its image: squash-mount (the default where /dev/fuse can be used), " +
      "tar-unpack or squash-unpack; also CH_TEST_PACK_FMT",
  },
  {
    long: "pack-dir",
    argument: "required",
    placeholder: "DIR",
    repeat: "last",
    help: "for storage and packed images; default $CH_TEST_TARDIR, else /var/tmp/$USER.pack",
  },
  {
    long: "img-dir",
    argument: "required",
    placeholder: "DIR",
    repeat: "last",
    help: "for unpacked images; default $CH_TEST_IMGDIR, else /var/tmp/$USER.img",
  },
  {
    long: "pedantic",
    argument: "required",
    placeholder: "yes|no",
    choices: ["yes", "no"],
    repeat: "last",
    help: "whether a check that cannot be made here counts as failed; default no",
  },
  {
    long: "dry-run",
    argument: "none",
    repeat: "idempotent",
    help: "print the settings and the names of the checks, and do nothing",
  },
  HELP,
  VERSION_OPTION,
]);

export type TestOption = typeof OPTIONS[number]["long"];

export const CH_TEST: Command<TestOption> = {
  name: "ch-test",
  summary: "Check this installation on this machine",
  positionals: [{ name: "PHASE", count: "optional" }],
  options: OPTIONS,
  epilogue: `phases:
  build     make an image of programs of this host, build on it, pack it
  rootemu   root emulation in builds
  run       run what the build phase has packed
  all       build, rootemu (in full scope), run
  clean     remove what these have left

Exit status: 0 if all tests passed, 1 if not, or if they could not be made.`,
};
