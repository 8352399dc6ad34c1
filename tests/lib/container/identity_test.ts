import assert from "node:assert/strict";
import { formatIdentity, refuseSetuid } from "../../../lib/container/identity.ts";

const user = { ruid: 1000, euid: 1000, suid: 1000, rgid: 100, egid: 100, sgid: 100, groups: [] };
const root = { ruid: 0, euid: 0, suid: 0, rgid: 0, egid: 0, sgid: 0, groups: [] };

for (
  const [who, identity] of [
    ["an ordinary user", user],
    ["a user with supplementary group 0", { ...user, groups: [0] }],
    ["root", root],
  ] as const
) {
  Deno.test(`refuseSetuid() lets ${who} pass`, () => refuseSetuid(identity));
}

for (
  const [who, identity] of [
    ["a setuid root executable", { ...user, euid: 0, suid: 0 }],
    ["a setuid executable of another user", { ...user, euid: 1001, suid: 1001 }],
    ["a setgid executable", { ...user, egid: 50, sgid: 50 }],
    ["a saved ID that differs", { ...user, suid: 1001 }],
    ["a saved group that differs", { ...user, sgid: 1 }],
    ["root with another group", { ...root, rgid: 5, egid: 5, sgid: 5 }],
    ["a user with primary group 0", { ...user, rgid: 0, egid: 0, sgid: 0 }],
    ["root that became a user by half", { ...root, euid: 1000 }],
  ] as const
) {
  Deno.test(`refuseSetuid() refuses ${who}`, () => {
    assert.throws(() => refuseSetuid(identity), { message: "please report this bug" });
  });
}

Deno.test("formatIdentity() lists all IDs", () => {
  const line = formatIdentity({ ...user, euid: 1, suid: 2, groups: [4, 24] });
  assert.equal(line, "uids=1000,1,2, gids=100,100,100 + 4,24");
});
