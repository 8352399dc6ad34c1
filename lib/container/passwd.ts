// The container's /etc/passwd and /etc/group (spec ch-run §4): root, nobody and the one user there is.

import { encodeOsString } from "../../ffi/os_string.ts";
import type { Group, User } from "./host.ts";

/** USER is who has UID on the host; undefined if nobody has it. */
export function formatPasswd(uid: number, gid: number, user: User | undefined): Uint8Array {
  const { name, gecos } = user ?? { name: "charlie", gecos: "Charlie" };
  return encodeLines([
    uid === 0 ? "" : "root:x:0:0:root:/root:/bin/sh\n",
    uid === NOBODY ? "" : `nobody:x:${NOBODY}:${NOBODY}:nobody:/:/bin/false\n`,
    `${name}:x:${uid}:${gid}:${gecos}:/:/bin/sh\n`,
  ]);
}

/** GROUP is who has GID on the host; undefined if nobody has it. */
export function formatGroup(gid: number, group: Group | undefined): Uint8Array {
  return encodeLines([
    gid === 0 ? "" : "root:x:0:\n",
    gid === NOBODY ? "" : `nogroup:x:${NOBODY}:\n`,
    `${group?.name ?? "charliegroup"}:x:${gid}:\n`,
  ]);
}

/** What the kernel shows for every ID that is not mapped. */
const NOBODY = 65534;

function encodeLines(lines: readonly string[]): Uint8Array {
  return encodeOsString(lines.join(""));
}
