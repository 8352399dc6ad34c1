// What ch-run-oci's command line may hold (spec other-tools §2.3).

import { type Command, defineOptions } from "./options.ts";
import { HELP, VERBOSE, VERSION_OPTION } from "./shared_options.ts";

const GENERAL = defineOptions([
  {
    long: "debug",
    argument: "none",
    repeat: "idempotent",
    help: "add a trace to fatal errors",
  },
  VERBOSE,
  HELP,
  VERSION_OPTION,
]);

const CREATE = defineOptions([
  {
    long: "bundle",
    short: "b",
    argument: "required",
    placeholder: "DIR",
    repeat: "last",
    help: "",
  },
  { long: "console-socket", argument: "required", placeholder: "PATH", repeat: "last", help: "" },
  { long: "pid-file", argument: "required", placeholder: "FILE", repeat: "last", help: "" },
  { long: "no-new-keyring", argument: "none", repeat: "idempotent", help: "" },
]);

export type GeneralOption = typeof GENERAL[number]["long"];
export type CreateOption = typeof CREATE[number]["long"];

export const OPERATIONS = ["create", "start", "state", "kill", "delete"] as const;
export type Operation = typeof OPERATIONS[number];

export const RUN_OCI: Command<GeneralOption> = {
  name: "ch-run-oci",
  summary: "An OCI runtime for Buildah, which runs each command as ch-run does",
  options: GENERAL,
  positionals: [{ name: "OPERATION", count: "one" }, { name: "ARG", count: "any" }],
  epilogue: `operations:
  create --bundle DIR --pid-file FILE [--no-new-keyring] ID
  start ID
  state ID
  kill ID SIGNAL
  delete ID

Not for people:
  buildah bud --isolation=rootless --runtime=/path/to/ch-run-oci ... </dev/null`,
};

/** The command line of one operation. */
export function operationCommand(operation: Operation): Command<CreateOption> {
  const id = { name: "ID", count: "one" } as const;
  const signal = { name: "SIGNAL", count: "optional" } as const;
  return {
    name: `ch-run-oci ${operation}`,
    summary: "",
    options: operation === "create" ? CREATE : [],
    positionals: operation === "kill" ? [id, signal] : [id],
  };
}
