// The plan of ch-checkns (spec ch-run §10): what every container needs of the kernel, tried on the
// host's own root, and no command.

import type { Plan } from "../../ffi/plan.ts";
import type { Host } from "./host.ts";
import { findScratch, planNamespaces, STATUS_FAIL } from "./plan.ts";

/** Ends with status 0 if everything before the command works, else 31 and a message. */
export function planCheck(program: string, host: Host): Plan {
  const root = "/";
  return {
    program,
    image: root,
    verbosity: 0,
    warnings: "",
    statusFail: STATUS_FAIL,
    // A command of no name cannot be executed: to get there is all we want, and a host's program we
    // might name instead may not be there.
    statusExec: 0,
    steps: [
      ...planNamespaces({ uid: 0, gid: 0 }, { type: "directory", root }, host),
      { op: "scratch", on: findScratch(host) },
      { op: "root", image: root, readOnly: true },
      { op: "pivot" },
      { op: "no_new_privs" },
      { op: "exec", argv: [""], env: [], search: "" },
    ],
  };
}
