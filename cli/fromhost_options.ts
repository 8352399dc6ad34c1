// What ch-fromhost's command line may hold (spec ch-fromhost §2).

import { type Command, defineOptions } from "./options.ts";
import { HELP, QUIET, VERBOSE, VERSION_OPTION } from "./shared_options.ts";

const FILES = "which files (one or more; repeatable)";
const PLACE = "where to";
const OTHER = "other options";

const OPTIONS = defineOptions([
  {
    long: "cmd",
    short: "c",
    argument: "required",
    placeholder: "CMD",
    repeat: "list",
    group: FILES,
    help: "paths listed one a line by CMD, which is split at white space and run without a shell",
  },
  {
    long: "file",
    short: "f",
    argument: "required",
    placeholder: "FILE",
    repeat: "list",
    group: FILES,
    help: "paths listed one a line in FILE",
  },
  {
    long: "path",
    short: "p",
    argument: "required",
    placeholder: "PATH",
    repeat: "list",
    group: FILES,
    help: "the file at PATH",
  },
  {
    long: "nvidia",
    argument: "none",
    repeat: "list",
    group: FILES,
    help: "programs and libraries that nvidia-container-cli lists",
  },
  {
    long: "cray-cxi",
    argument: "none",
    repeat: "list",
    group: FILES,
    help: "$CH_FROMHOST_OFI_CXI, a libfabric for Slingshot, in place of the image's",
  },
  {
    long: "cray-gni",
    argument: "none",
    repeat: "list",
    group: FILES,
    help: "$CH_FROMHOST_OFI_GNI, a libfabric provider for Aries",
  },
  {
    long: "dest",
    short: "d",
    argument: "required",
    placeholder: "DST",
    repeat: "last",
    group: PLACE,
    help: "put files named after this option into the image's directory DST",
  },
  {
    long: "print-lib",
    argument: "none",
    repeat: "idempotent",
    aliases: ["lib-path"],
    group: OTHER,
    help: "print the directory that libraries would go to, and exit",
  },
  {
    long: "print-fi",
    argument: "none",
    repeat: "idempotent",
    group: OTHER,
    help: "print the directory that libfabric providers would go to, and exit",
  },
  {
    long: "print-cray-fi",
    argument: "none",
    repeat: "idempotent",
    group: OTHER,
    help: "print the directory of the libfabric that --cray-cxi would replace, and exit",
  },
  {
    long: "no-ldconfig",
    argument: "none",
    repeat: "idempotent",
    group: OTHER,
    help: "don't run ldconfig in the image afterwards",
  },
  { ...QUIET, group: OTHER },
  { ...VERBOSE, group: OTHER },
  { ...HELP, group: OTHER },
  { ...VERSION_OPTION, group: OTHER },
]);

export type FromhostOption = typeof OPTIONS[number]["long"];

export const FROMHOST: Command<FromhostOption> = {
  name: "ch-fromhost",
  summary: "Copy files of the host, such as drivers, into an unpacked image",
  options: OPTIONS,
  positionals: [{ name: "IMGDIR", count: "one", help: "image directory; it is changed" }],
  epilogue: `Options and IMGDIR may come in any order. Where a file goes is told by its path:
/bin or /sbin in it, to /usr/bin; *-fi.so, to the image's libfabric; /lib in it
or *.so*, to the first directory of the image's dynamic linker.`,
};
