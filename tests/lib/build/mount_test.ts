import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { checkSecurity, parseMounts, parseNetwork } from "../../../lib/build/mount.ts";

const option = (name: string, ...values: string[]) =>
  values.map((value) => ({ name, value, key: undefined }));

function parse(value: string, cwd = "/w") {
  return parseMounts(option("mount", value), cwd, (text) => text.replace("$V", "val"))[0];
}

const BIND = { type: "bind", from: undefined, source: "/", isWritable: false };
const CACHE = {
  type: "cache",
  sharing: "shared",
  isReadOnly: false,
  from: undefined,
  source: "/",
  mode: 0o755,
};
const SECRET = { type: "secret", variable: undefined, isRequired: false, mode: 0o400 };
const SSH = { type: "ssh", id: "default", target: undefined, isRequired: false };

for (
  const [text, mount] of [
    // A mount without a type is a bind.
    ["target=/t", { ...BIND, target: "/t" }],
    ["type=bind,dst=t,from=stage,src=a/b", {
      ...BIND,
      target: "/w/t",
      from: "stage",
      source: "a/b",
    }],
    ["type=bind,destination=/t,rw", { ...BIND, target: "/t", isWritable: true }],
    ["type=bind,target=/t,readwrite=false", { ...BIND, target: "/t" }],
    ["type=bind,target=/t,readonly", { ...BIND, target: "/t" }],
    ["TYPE=bind,Target=/$V", { ...BIND, target: "/val" }],
    ["type=cache,target=/c", { ...CACHE, target: "/c", id: "/c" }],
    ["type=cache,target=c,id=x,sharing=locked,mode=0700,ro,uid=1,gid=2", {
      ...CACHE,
      target: "/w/c",
      id: "x",
      sharing: "locked",
      mode: 0o700,
      isReadOnly: true,
    }],
    ["type=cache,target=/c,from=img,source=/s,sharing=private", {
      ...CACHE,
      target: "/c",
      id: "/c",
      from: "img",
      source: "/s",
      sharing: "private",
    }],
    ["type=tmpfs,target=/t", { type: "tmpfs", target: "/t", size: undefined }],
    ["type=tmpfs,target=/t,size=64m", { type: "tmpfs", target: "/t", size: "64m" }],
    ["type=tmpfs,target=/t,size=1GB", { type: "tmpfs", target: "/t", size: "1G" }],
    ["type=secret,id=s", { ...SECRET, id: "s", target: "/run/secrets/s" }],
    ["type=secret,target=/etc/key", { ...SECRET, id: "key", target: "/etc/key" }],
    ["type=secret,id=s,env=TOKEN", { ...SECRET, id: "s", target: undefined, variable: "TOKEN" }],
    ["type=secret,id=s,env=TOKEN,target=f,required,mode=444", {
      ...SECRET,
      id: "s",
      target: "/w/f",
      variable: "TOKEN",
      isRequired: true,
      mode: 0o444,
    }],
    ["type=ssh", SSH],
    ["type=ssh,id=x,required=true,target=/s,mode=0600", {
      ...SSH,
      id: "x",
      target: "/s",
      isRequired: true,
    }],
  ] as const
) {
  Deno.test(`parseMounts() of ${text}`, () => deepStrictEqual(parse(text), mount));
}

for (
  const [text, reason] of [
    ["type=bind", "target is missing"],
    ["type=bind,target=/t,size=1", "unknown: size"],
    ["type=bind,target=/t,rw=maybe", "not true or false: maybe"],
    ["type=cache,target=/c,sharing=none", "sharing is shared, private or locked, not none"],
    ["type=cache,target=/c,mode=9", "not a mode: 9"],
    ["type=tmpfs,target=/t,size=big", "not a size: big"],
    ["type=tmpfs", "target is missing"],
    ["type=secret", "id is missing"],
    ["type=ssh,sharing=locked", "unknown: sharing"],
    ["type=volume,target=/v", "unknown type: volume"],
  ] as const
) {
  Deno.test(`parseMounts() refuses ${text}`, () => {
    throws(() => parse(text), { message: `RUN: --mount=${text}: ${reason}` });
  });
}

Deno.test("parseMounts() keeps the order, and leaves other options alone", () => {
  const options = [
    ...option("mount", "type=tmpfs,target=/a"),
    ...option("network", "none"),
    ...option("mount", "type=tmpfs,target=b"),
  ];
  const mounts = parseMounts(options, "/", (text) => text);
  deepStrictEqual(mounts.map(({ target }) => target), ["/a", "/b"]);
});

Deno.test("parseNetwork() knows three words, of which the last counts", () => {
  strictEqual(parseNetwork([]), "host");
  strictEqual(parseNetwork(option("network", "default")), "host");
  strictEqual(parseNetwork(option("network", "none", "host")), "host");
  strictEqual(parseNetwork(option("network", "none")), "none");
  throws(() => parseNetwork(option("network", "bridge")), /not default, host or none: bridge/);
});

Deno.test("checkSecurity() lets nothing through that needs privilege", () => {
  checkSecurity([]);
  checkSecurity(option("security", "sandbox"));
  throws(() => checkSecurity(option("security", "insecure")), /needs privilege/);
  throws(() => checkSecurity(option("security", "x")), /not sandbox or insecure: x/);
});
