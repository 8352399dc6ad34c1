// What ch-convert's command line may hold (spec ch-convert §2.1).

import { FORMATS } from "../lib/convert/format.ts";
import { type Command, defineOptions } from "./options.ts";
import { HELP, QUIET, VERBOSE, VERSION_OPTION } from "./shared_options.ts";

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
    long: "comp",
    argument: "required",
    placeholder: "NAME",
    repeat: "last",
    help:
      "compression of squash (gzip lz4 lzo xz zstd), tar (bzip2 gzip none xz zstd) or oci and " +
      "oci-archive (gzip none zstd)",
  },
  {
    long: "level",
    argument: "required",
    placeholder: "N",
    repeat: "last",
    help: "compression level; its range depends on the compression",
  },
  {
    long: "block-size",
    argument: "required",
    placeholder: "SIZE",
    repeat: "last",
    help: "size of data blocks in squash, with a K or M behind it: 4K to 1M; default 64K",
  },
  {
    long: "owner",
    argument: "required",
    placeholder: "WHO",
    repeat: "last",
    choices: ["keep", "root"],
    help: "whom files belong to in the output: keep (the default for tar) or root (for others)",
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
  QUIET,
  VERBOSE,
  HELP,
  VERSION_OPTION,
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

A descriptor that ends in .sqfs, .squash, .squashfs or .squishy is squash; in
.tar, .t?z, .tar.?, .tar.??, .tar.bz2, .tar.zst, .tbz2 or .tzst, tar; one that
begins with / or ./, dir; any other is a ch-image reference. A docker-archive,
oci or oci-archive is PATH or PATH:NAME.`,
};
