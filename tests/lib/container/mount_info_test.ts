import assert from "node:assert/strict";
import { findMount, parseMountInfo } from "../../../lib/container/mount_info.ts";
import { fakeHost } from "./fake_host.ts";

const TEXT = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
23 22 0:21 / /home rw,nosuid,nodev - nfs4 server:/home rw,vers=4.2
24 23 0:22 / /home/my\\040dir ro,noexec shared:2 master:1 - tmpfs - rw
25 22 0:23 / /home rw - xfs /dev/vdb rw
`;

Deno.test("parseMountInfo() reads points, types and options", () => {
  assert.deepEqual(parseMountInfo(TEXT).map(({ mountPoint, type }) => [mountPoint, type]), [
    ["/", "ext4"],
    ["/home", "nfs4"],
    ["/home/my dir", "tmpfs"],
    ["/home", "xfs"],
  ]);
  assert.deepEqual(parseMountInfo(TEXT)[1]!.options, ["rw", "nosuid", "nodev"]);
});

Deno.test("findMount() takes the deepest, and the last of those", () => {
  const host = fakeHost({ files: { "/proc/self/mountinfo": TEXT } });
  const typeOf = (path: string) => findMount(path, host)?.type;
  assert.equal(typeOf("/"), "ext4");
  assert.equal(typeOf("/homes"), "ext4");
  assert.equal(typeOf("/home/x"), "xfs");
  assert.equal(typeOf("/home/my dir"), "tmpfs");
  assert.equal(findMount("/", fakeHost()), undefined);
});
