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
    long: "no-cache",
    argument: "none",
    repeat: "idempotent",
    exclusive: "cache",
    group,
    help: "execute every instruction; this version has no build cache, so it always does",
  },
  {
    long: "rebuild",
    argument: "none",
    repeat: "idempotent",
    exclusive: "cache",
    group,
    help: "execute every instruction but FROM; in this version the same as --no-cache",
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
    help: "do not lock the storage directory",
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
    help: "save extended attributes with the build cache, so not in this version; also with " +
      "CH_XATTRS set",
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
  absent("cache", { argument: "none", exclusive: "cache" }),
  absent("cache-large", { argument: "required" }),
  absent("arch", { argument: "required", short: "a" }),
  absent("always-download", { argument: "none" }),
  absent("auth", { argument: "none" }),
  absent("password-many", { argument: "none" }),
  absent("tls-no-verify", { argument: "none" }),
]);

/** They belong to the build cache and to registries. */
function absent<Name extends string>(
  long: Name,
  rest: Pick<Option, "argument" | "short" | "exclusive">,
): Option<Name> {
  return { long, ...rest, repeat: "last", absent: true, help: "" };
}

export type CommonOption = typeof COMMON_OPTIONS[number]["long"];
