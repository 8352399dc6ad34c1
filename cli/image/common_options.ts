// The options that ch-image takes before and after its sub-command (spec ch-image §1.1).

import { defineOptions, type Option } from "../options.ts";

const group = "common options";

export const COMMON_OPTIONS = defineOptions([
  {
    long: "help",
    short: "h",
    argument: "none",
    repeat: "idempotent",
    immediate: true,
    group,
    help: "print this help and exit",
  },
  {
    long: "version",
    argument: "none",
    repeat: "idempotent",
    immediate: true,
    group,
    help: "print the version and exit",
  },
  {
    long: "dependencies",
    argument: "none",
    repeat: "idempotent",
    immediate: true,
    group,
    help: "check dependencies and exit: status 0 and no output if all is well",
  },
  {
    long: "cache",
    argument: "none",
    repeat: "idempotent",
    exclusive: "cache",
    group,
    help: "use the build cache (the default); overrides CH_IMAGE_CACHE",
  },
  {
    long: "no-cache",
    argument: "none",
    repeat: "idempotent",
    exclusive: "cache",
    group,
    help: "neither use nor change the build cache; also with CH_IMAGE_CACHE=disabled",
  },
  {
    long: "rebuild",
    argument: "none",
    repeat: "idempotent",
    exclusive: "cache",
    group,
    help: "execute every instruction but FROM, and store the results in the build cache; also " +
      "with CH_IMAGE_CACHE=rebuild",
  },
  {
    long: "cache-large",
    argument: "required",
    placeholder: "SIZE",
    repeat: "last",
    group,
    help: "list files of SIZE MiB and more as large files of the build cache; default " +
      "$CH_IMAGE_CACHE_LARGE, else 0 for none",
  },
  {
    long: "debug",
    argument: "none",
    repeat: "idempotent",
    group,
    help: "add a trace to fatal errors; also with CH_IMAGE_DEBUG set",
  },
  {
    long: "no-lock",
    argument: "none",
    repeat: "idempotent",
    group,
    help: "use no locks, for file systems that have none; then run one command at a time. Not " +
      "needed otherwise: commands share the storage directory",
  },
  {
    long: "no-xattrs",
    argument: "none",
    repeat: "idempotent",
    group,
    help: "do not save extended attributes, even if CH_XATTRS is set",
  },
  {
    long: "xattrs",
    argument: "none",
    repeat: "idempotent",
    group,
    help: "save extended attributes with the build cache, and restore them; also with CH_XATTRS " +
      "set",
  },
  {
    long: "quiet",
    short: "q",
    argument: "none",
    repeat: "count",
    group,
    help: "say less: -q no progress, -qq no warnings, no results and no standard output of RUN, " +
      "-qqq no standard error of RUN either",
  },
  {
    long: "storage",
    short: "s",
    argument: "required",
    placeholder: "DIR",
    repeat: "last",
    group,
    help: "storage directory; default $CH_IMAGE_STORAGE, else /var/tmp/$USER.ch",
  },
  {
    long: "verbose",
    short: "v",
    argument: "none",
    repeat: "count",
    group,
    help: "say more; up to three times",
  },
  absent("arch", { argument: "required", short: "a" }),
  absent("always-download", { argument: "none" }),
  absent("auth", { argument: "none" }),
  absent("password-many", { argument: "none" }),
  absent("tls-no-verify", { argument: "none" }),
]);

/** They belong to registries. */
function absent<Name extends string>(
  long: Name,
  rest: Pick<Option, "argument" | "short" | "exclusive">,
): Option<Name> {
  return { long, ...rest, repeat: "last", absent: true, help: "" };
}

export type CommonOption = typeof COMMON_OPTIONS[number]["long"];
