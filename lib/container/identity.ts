// Who may run containers (spec ch-run §3.1).

import { ChError } from "../error.ts";
import type { Identity } from "./host.ts";

/** Throws unless the process is plainly root or plainly an ordinary user: nothing set user or group
 * ID, no half-privileged mixture, which the rest was never thought through for. */
export function refuseSetuid(identity: Identity): void {
  const { ruid, euid, suid, rgid, egid, sgid } = identity;
  const isRoot = [ruid, euid, suid, rgid, egid, sgid].every((id) => id === 0);
  const isUser = euid !== 0 && euid === ruid && euid === suid &&
    egid !== 0 && egid === rgid && egid === sgid;
  if (!isRoot && !isUser) {
    throw new ChError("please report this bug", {
      hint: "ch-run must be neither setuid nor setgid, root needs group 0, a user another group",
    });
  }
}

/** One line that `-vvv` shows. */
export function formatIdentity(identity: Identity): string {
  const { ruid, euid, suid, rgid, egid, sgid, groups } = identity;
  return `uids=${ruid},${euid},${suid}, gids=${rgid},${egid},${sgid} + ${groups.join(",")}`;
}
