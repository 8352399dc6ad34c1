// What ch-convert's command line may hold (spec ch-convert §2.1).

import { FORMATS } from "../lib/convert/format.ts";
import { type Command, defineOptions } from "./options.ts";

const OPTIONS = defineOptions([
  {
    long: "in-fmt",
    short: "i",
    argument: "required",
    placeholder: "FMT",
    repeat: "last",
    help: "input format; inferred from IN if not given",
  },
  {
    long: "out-fmt",
    short: "o",
    argument: "required",
    placeholder: "FMT",
    repeat: "last",
    help: "output format; inferred from OUT if not given",
  },
  {
    long: "dry-run",
    short: "n",
    argument: "none",
    repeat: "idempotent",
    help: "say what would be done, but do not convert",
  },
  {
    long: "no-clobber",
    argument: "none",
    repeat: "idempotent",
    help: "an existing output is an error instead of being replaced",
  },
  {
    long: "xattrs",
    argument: "none",
    repeat: "idempotent",
    help: "preserve extended attributes and ACLs; also with a non-empty CH_XATTRS",
  },
  {
    long: "no-xattrs",
    argument: "none",
    repeat: "idempotent",
    help: "discard extended attributes and ACLs, even if CH_XATTRS is set",
  },
  {
    long: "storage",
    short: "s",
    argument: "required",
    placeholder: "DIR",
    repeat: "last",
    help: "storage directory of ch-image; default $CH_IMAGE_STORAGE, else /var/tmp/$USER.ch",
  },
  {
    long: "tmp",
    argument: "required",
    placeholder: "DIR",
    repeat: "last",
    help: "absolute path of the directory for temporary files; default $TMPDIR, else /var/tmp",
  },
  {
    long: "quiet",
    short: "q",
    argument: "none",
    repeat: "count",
    help: "say less: -q nothing but warnings and errors, -qq errors only",
  },
  {
    long: "verbose",
    short: "v",
    argument: "none",
    repeat: "count",
    help: "say more; up to three times",
  },
  {
    long: "help",
    short: "h",
    argument: "none",
    repeat: "idempotent",
    immediate: true,
    help: "print this help and exit",
  },
  {
    long: "version",
    argument: "none",
    repeat: "idempotent",
    immediate: true,
    help: "print the version and exit",
  },
]);

export type ConvertOption = typeof OPTIONS[number]["long"];

export const CONVERT: Command<ConvertOption> = {
  name: "ch-convert",
  summary: "Convert an image from one format to another",
  options: OPTIONS,
  positionals: [
    { name: "IN", count: "one", help: "image to convert: a path, or an image reference" },
    { name: "OUT", count: "one", help: "image to make; replaced if it exists" },
  ],
  epilogue: `formats (FMT): ${FORMATS.join(" ")}
(docker and podman: not in this version)

A descriptor that ends in .sqfs, .squash, .squashfs or .squishy is squash; in
.tar, .t?z, .tar.? or .tar.??, tar; one that begins with / or ./, dir; any
other is a ch-image reference.`,
};
