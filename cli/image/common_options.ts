// The options that ch-image takes before and after its sub-command (spec ch-image §1.1).

import { defineOptions } from "../options.ts";
import { HELP, VERBOSE, VERSION_OPTION } from "../shared_options.ts";

const group = "common options";

export const COMMON_OPTIONS = defineOptions([
  { ...HELP, group },
  { ...VERSION_OPTION, group },
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
    long: "always-download",
    argument: "none",
    repeat: "idempotent",
    group,
    help: "download configuration and layers even if they are in the download cache",
  },
  {
    long: "arch",
    short: "a",
    argument: "required",
    placeholder: "ARCH",
    repeat: "last",
    group,
    help: "architecture to pull, e.g. arm64/v8; default host, the one of this machine; yolo is " +
      "whatever the registry serves; for import, what the image is for",
  },
  {
    long: "auth",
    argument: "none",
    repeat: "idempotent",
    group,
    help: "authenticate to registries that want it, asking for name and password if they are not " +
      "known; also with CH_IMAGE_AUTH=yes; push always does",
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
    long: "password-many",
    argument: "none",
    repeat: "idempotent",
    group,
    help: "forget name and password for registries after each use",
  },
  {
    long: "plain-http",
    argument: "none",
    repeat: "idempotent",
    group,
    help:
      "talk to registries without TLS; on this very machine that is tried without this option, too",
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
    long: "tls-no-verify",
    argument: "none",
    repeat: "idempotent",
    group,
    help: "do not verify certificates of registries",
  },
  { ...VERBOSE, group },
]);

export type CommonOption = typeof COMMON_OPTIONS[number]["long"];
