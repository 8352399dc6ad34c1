// ch-run's options, as data (spec ch-run §1.3).

import { type Command, defineOptions } from "./options.ts";

const OPTIONS = defineOptions([
  {
    long: "bind",
    short: "b",
    argument: "required",
    placeholder: "SRC[:DST]",
    repeat: "list",
    help: "bind-mount host SRC at container DST (default: same as SRC)",
  },
  {
    long: "cd",
    short: "c",
    argument: "required",
    placeholder: "DIR",
    repeat: "last",
    help: "initial working directory in the container (default: /)",
  },
  {
    long: "device",
    argument: "required",
    placeholder: "NAME",
    repeat: "list",
    help: "give the container what this host's specifications say device NAME needs, such as " +
      "nvidia.com/gpu=0 (implies --write-fake)",
  },
  {
    long: "dry-run",
    argument: "none",
    repeat: "idempotent",
    help: "print the steps to the container, one a line, and do nothing",
  },
  {
    long: "env-no-expand",
    argument: "none",
    repeat: "idempotent",
    help: "don't expand $ in --set-env input",
  },
  {
    long: "feature",
    argument: "required",
    placeholder: "FEAT",
    repeat: "last",
    help: "exit with 0 if feature FEAT is there: extglob, seccomp, squash, overlayfs, tmpfs-xattrs",
  },
  {
    long: "gid",
    short: "g",
    argument: "required",
    placeholder: "GID",
    repeat: "last",
    help: "run as group GID in the container",
  },
  {
    long: "home",
    argument: "none",
    repeat: "idempotent",
    help: "bind-mount your home directory at /home/$USER (implies --write-fake)",
  },
  {
    long: "image-cmd",
    argument: "none",
    repeat: "idempotent",
    help: "run the image's ENTRYPOINT with COMMAND [ARG...], or with its CMD if there is none, " +
      "in its WORKDIR",
  },
  {
    long: "image-env",
    argument: "none",
    repeat: "list",
    help: "set the variables that the image says, e.g. by ENV in its Dockerfile",
  },
  {
    long: "join",
    short: "j",
    argument: "none",
    repeat: "idempotent",
    help: "share one container with peer ch-runs (see --join-ct, --join-tag)",
  },
  {
    long: "join-ct",
    argument: "required",
    placeholder: "N",
    repeat: "last",
    help: "number of join peers (implies --join; default: what the launcher says)",
  },
  {
    long: "join-pid",
    argument: "required",
    placeholder: "PID",
    repeat: "last",
    help: "use the container of process PID",
  },
  {
    long: "join-tag",
    argument: "required",
    placeholder: "TAG",
    repeat: "last",
    help: "label for peer group (implies --join; default: $SLURM_STEP_ID, else parent's PID)",
  },
  {
    long: "mount",
    short: "m",
    argument: "required",
    placeholder: "DIR",
    repeat: "last",
    help: "SquashFS mount point (default: /var/tmp/$USER.ch/mnt)",
  },
  {
    long: "no-passwd",
    argument: "none",
    repeat: "idempotent",
    help: "don't bind-mount /etc/{passwd,group}",
  },
  {
    long: "overlay",
    argument: "required",
    placeholder: "DIR",
    repeat: "last",
    help: "make the image writable; keep what is written in DIR, for this container and later ones",
  },
  {
    long: "private-tmp",
    short: "t",
    argument: "none",
    repeat: "idempotent",
    help: "use container-private /tmp",
  },
  {
    long: "quiet",
    short: "q",
    argument: "none",
    repeat: "count",
    help: "print less output (up to three times)",
  },
  {
    long: "seccomp",
    argument: "none",
    repeat: "idempotent",
    help: "fake success for some system calls that need privilege",
  },
  {
    long: "set-env",
    argument: "optional",
    placeholder: "ARG",
    repeat: "list",
    help: "set variables per ARG: NAME=VALUE, or a file of such lines " +
      "(default: /ch/environment in the image)",
  },
  {
    long: "set-env0",
    argument: "optional",
    placeholder: "ARG",
    repeat: "list",
    help: "same, with NUL between the lines",
  },
  {
    long: "storage",
    short: "s",
    argument: "required",
    placeholder: "DIR",
    repeat: "last",
    help: "storage directory of ch-image (default: $CH_IMAGE_STORAGE, else /var/tmp/$USER.ch)",
  },
  {
    long: "test",
    argument: "required",
    placeholder: "TEST",
    repeat: "last",
    help: "do test TEST: log, log-fail",
  },
  {
    long: "uid",
    short: "u",
    argument: "required",
    placeholder: "UID",
    repeat: "last",
    help: "run as user UID in the container",
  },
  {
    long: "unsafe",
    argument: "none",
    repeat: "idempotent",
    help: "do unsafe things (internal use only)",
  },
  {
    long: "unset-env",
    argument: "required",
    placeholder: "GLOB",
    repeat: "list",
    help: "unset environment variables matching GLOB",
  },
  {
    long: "verbose",
    short: "v",
    argument: "none",
    repeat: "count",
    help: "be more verbose (up to three times)",
  },
  { long: "version", short: "V", argument: "none", repeat: "last", help: "print version and exit" },
  {
    long: "warnings",
    argument: "required",
    placeholder: "NUM",
    repeat: "last",
    help: "log NUM warnings and exit",
  },
  {
    long: "write",
    short: "w",
    argument: "none",
    repeat: "idempotent",
    help: "mount image read-write (avoid)",
  },
  {
    long: "write-fake",
    short: "W",
    argument: "optional",
    placeholder: "SIZE",
    repeat: "last",
    help: "overlay a read-write tmpfs of at most SIZE on the image (default: 12%)",
  },
  { long: "help", short: "?", argument: "none", repeat: "last", help: "give this help list" },
  { long: "usage", argument: "none", repeat: "last", help: "give a short usage message" },
  // What argp brings along.
  { long: "program-name", argument: "required", repeat: "last", hidden: true, help: "" },
  { long: "HANG", argument: "optional", repeat: "last", hidden: true, help: "" },
]);

export type RunOptionName = (typeof OPTIONS)[number]["long"];

export const RUN_POSITIONALS = "IMAGE -- COMMAND [ARG...]";
export const RUN_SYNOPSIS = `ch-run [OPTION...] ${RUN_POSITIONALS}`;

export const RUN_COMMAND: Command<RunOptionName> = {
  name: "ch-run",
  summary: "Run a command in a Charliecloud container, without any privilege",
  options: OPTIONS,
  positionals: [
    { name: "IMAGE", count: "one" },
    { name: "COMMAND", count: "one" },
    { name: "ARG", count: "any" },
  ],
};
