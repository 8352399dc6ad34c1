import assert from "node:assert/strict";
import { formatGroup, formatPasswd } from "../../../lib/container/passwd.ts";

const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).split("\n");

const ROOT = "root:x:0:0:root:/root:/bin/sh";
const NOBODY = "nobody:x:65534:65534:nobody:/:/bin/false";

for (
  const [uid, gid, user, lines] of [
    [1000, 100, { name: "alice", gecos: "Alice" }, [
      ROOT,
      NOBODY,
      "alice:x:1000:100:Alice:/:/bin/sh",
    ]],
    [1234, 4321, undefined, [ROOT, NOBODY, "charlie:x:1234:4321:Charlie:/:/bin/sh"]],
    [0, 100, { name: "root", gecos: "root" }, [NOBODY, "root:x:0:100:root:/:/bin/sh"]],
    [65534, 1, { name: "nobody", gecos: "" }, [ROOT, "nobody:x:65534:1::/:/bin/sh"]],
  ] as const
) {
  Deno.test(`formatPasswd() of UID ${uid} known as ${user?.name ?? "nobody"}`, () => {
    assert.deepEqual(decode(formatPasswd(uid, gid, user)), [...lines, ""]);
  });
}

for (
  const [gid, group, lines] of [
    [100, { name: "users" }, ["root:x:0:", "nogroup:x:65534:", "users:x:100:"]],
    [4321, undefined, ["root:x:0:", "nogroup:x:65534:", "charliegroup:x:4321:"]],
    [0, { name: "root" }, ["nogroup:x:65534:", "root:x:0:"]],
    [65534, { name: "nogroup" }, ["root:x:0:", "nogroup:x:65534:"]],
  ] as const
) {
  Deno.test(`formatGroup() of GID ${gid} known as ${group?.name ?? "nothing"}`, () => {
    assert.deepEqual(decode(formatGroup(gid, group)), [...lines, ""]);
  });
}

Deno.test("formatPasswd() keeps bytes that are not UTF-8", () => {
  const text = formatPasswd(5, 5, { name: "x", gecos: "J\udcfcrgen" });
  assert.ok(text.includes(0xfc));
});
