// What containers need of this machine, each as a plan that does just that and no command: the only
// sure way to know is to try (spec ch-run §10).

import type { Plan, Step } from "../../ffi/plan.ts";
import type { Host } from "./host.ts";
import { findScratch, planNamespaces, STATUS_FAIL } from "./plan.ts";
import { buildSeccompFilter } from "./seccomp.ts";

export interface Trial {
  readonly name: "namespaces" | "squashfs" | "overlay" | "tmpfs-xattrs" | "seccomp";
  /** What needs it. */
  readonly purpose: string;
  /** Ends with status 0 if all works, else 31 and a message. Standard input is to be a SquashFS file. */
  readonly plan: Plan;
}

/** The first is what everything else rests on. */
export function listTrials(program: string, host: Host): readonly Trial[] {
  const scratch = findScratch(host);
  const [outer, inner] = planNamespaces(
    { uid: 0, gid: 0 },
    { type: "directory", root: "/" },
    host,
  ) as [Step, Step];
  const begin = (image: string): Step[] => [
    outer,
    inner,
    { op: "scratch", on: scratch },
    { op: "root", image, readOnly: true },
  ];
  const root = begin("/");
  // Nothing may be mounted inside of what lies under an overlay.
  const lower = begin("/usr");
  const trial = (name: Trial["name"], purpose: string, steps: readonly Step[]) => ({
    name,
    purpose,
    plan: endWithoutCommand(program, steps),
  });
  return [
    trial("namespaces", "every container", [...root, { op: "pivot" }, { op: "no_new_privs" }]),
    trial("squashfs", "SquashFS images", [
      outer,
      { op: "squashfs", image: "/proc/self/fd/0", mountPoint: scratch },
      inner,
      { op: "chdir", path: scratch }, // asks the server
    ]),
    trial("overlay", "--write-fake, --overlay, quick builds", [
      ...lower,
      { op: "overlay", size: "1m" },
    ]),
    trial("tmpfs-xattrs", "--write-fake without surprises", [
      ...lower,
      { op: "overlay", size: "1m", needXattrs: true },
    ]),
    trial("seccomp", "--seccomp, builds with root emulation", [
      ...root,
      { op: "pivot" },
      { op: "seccomp", program: buildSeccompFilter().program },
    ]),
  ];
}

/** A command of no name cannot be executed, which ends with the status we choose; a host's program
 * that we might name instead may not be there. */
function endWithoutCommand(program: string, steps: readonly Step[]): Plan {
  return {
    program,
    image: "/",
    verbosity: 0,
    warnings: "",
    statusFail: STATUS_FAIL,
    statusExec: 0,
    steps: [...steps, { op: "exec", argv: [""], env: [], search: "" }],
  };
}
