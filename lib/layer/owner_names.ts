// Names that go with numbers of users and groups, as archives have them.

import { findGroup, findUser } from "../../ffi/process.ts";

/** Looks each number up once: the answer may come over the network. */
export function ownerNameFinder(): (uid: number, gid: number) => { user: string; group: string } {
  const users = new Map<number, string>(), groups = new Map<number, string>();
  return (uid, gid) => {
    const user = users.get(uid) ?? findUser(uid)?.name ?? "";
    const group = groups.get(gid) ?? findGroup(gid)?.name ?? "";
    users.set(uid, user);
    groups.set(gid, group);
    return { user, group };
  };
}
