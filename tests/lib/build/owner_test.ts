import { deepStrictEqual, throws } from "node:assert/strict";
import { openRoot } from "../../../ffi/tree.ts";
import { resolveOwner } from "../../../lib/build/owner.ts";
import { Place } from "./files.ts";

const FILES = {
  "etc/real": "root:x:0:0::/root:/bin/sh\nweb:x:33:44::/:/bin/sh\nbad:x:y:z::/:\n9:x:1:2::/:\n",
  "etc/passwd": "-> /etc/real",
  "etc/group": "root:x:0:\nstaff:x:50:web\n",
};

for (
  const [text, uid, gid] of [
    ["web", 33, 44],
    ["web:staff", 33, 50],
    ["web:7", 33, 7],
    ["7", 7, 7],
    ["7:8", 7, 8],
    [":staff", 0, 50],
    [":8", 0, 8],
    ["web:", 33, 44],
    // A number is one, even if somebody is called so.
    ["9", 9, 9],
    ["4294967294", 4294967294, 4294967294],
  ] as const
) {
  Deno.test(`resolveOwner(${JSON.stringify(text)}) is ${uid}:${gid}`, () => {
    using place = new Place();
    using root = openRoot(place.make("image", FILES));
    deepStrictEqual(resolveOwner(text, root.fd), { uid, gid });
  });
}

for (
  const [text, message] of [
    ["", "--chown: not USER[:GROUP]: "],
    [":", "--chown: not USER[:GROUP]: :"],
    ["a:b:c", "--chown: not USER[:GROUP]: a:b:c"],
    ["nobody", "--chown: no such user in the image: nobody"],
    ["bad", "--chown: no such user in the image: bad"],
    ["web:wheel", "--chown: no such group in the image: wheel"],
    ["4294967295", "--chown: no such user in the image: 4294967295"],
  ] as const
) {
  Deno.test(`resolveOwner(${JSON.stringify(text)}) is refused`, () => {
    using place = new Place();
    using root = openRoot(place.make("image", FILES));
    throws(() => resolveOwner(text, root.fd), { message });
  });
}

Deno.test("resolveOwner() of a name in an image without /etc/passwd is refused", () => {
  using place = new Place();
  using root = openRoot(place.make("image", { "etc/passwd/": "" }));
  throws(() => resolveOwner("web", root.fd), { message: /no such user/ });
  deepStrictEqual(resolveOwner("1:2", root.fd), { uid: 1, gid: 2 });
});
