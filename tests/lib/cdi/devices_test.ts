import assert from "node:assert/strict";
import { findDevices } from "../../../lib/cdi/find_devices.ts";
import { planDevices } from "../../../lib/cdi/plan_devices.ts";
import { ChError } from "../../../lib/error.ts";

const OLD = `cdiVersion: 0.5.0
kind: a.com/gpu
devices:
- name: "0"
  containerEdits:
    env: [OLD=1]
- name: "1"
  containerEdits:
    env: [ONE=1]
`;
const NEW = {
  cdiVersion: "0.6.0",
  kind: "a.com/gpu",
  containerEdits: {
    env: ["COMMON=1"],
    mounts: [
      {
        hostPath: "/lib/libx.so.1",
        containerPath: "/usr/lib/libx.so.1",
        options: ["ro", "nosuid"],
      },
      { hostPath: "/share", containerPath: "/opt/share", type: "bind" },
    ],
    hooks: [
      {
        hookName: "createContainer",
        path: "/h",
        args: ["h", "update-ldcache", "--folder", "/usr/lib", "--folder=/b,/c"],
      },
      {
        hookName: "createContainer",
        path: "/h",
        args: ["h", "create-symlinks", "--link", "x::/y"],
      },
      { hookName: "createContainer", path: "/h", args: ["h", "chmod", "--path", "/dev/dri"] },
      { hookName: "poststop", path: "/h", args: ["h", "x"] },
    ],
  },
  devices: [
    {
      name: "0",
      containerEdits: {
        env: ["NEW=1"],
        deviceNodes: [{ path: "/dev/a0" }, { path: "/dev/c", hostPath: "/dev/a0" }, {
          path: "/x/a0",
          hostPath: "/dev/a0",
        }],
      },
    },
    { name: "gone", containerEdits: { deviceNodes: [{ path: "/dev/gone" }] } },
  ],
};

function find(names: readonly string[], changes: Record<string, string> = {}) {
  const files: Record<string, string> = {
    "/etc/cdi/a.yaml": OLD,
    "/etc/cdi/README": "ignored",
    "/var/run/cdi/b.json": JSON.stringify(NEW),
    ...changes,
  };
  return findDevices(names, {
    listNames(path) {
      const names = Object.keys(files).filter((file) => file.startsWith(`${path}/`));
      return names.length === 0
        ? undefined
        : names.map((file) => file.slice(path.length + 1)).sort();
    },
    readFile: (path) => new TextEncoder().encode(files[path]),
  });
}

const KINDS: Record<string, "file" | "directory" | "char"> = {
  "/lib/libx.so.1": "file",
  "/share": "directory",
  "/dev/a0": "char",
};
const plan = (names: readonly string[]) => planDevices(find(names), (path) => KINDS[path]);

Deno.test("findDevices() prefers what is newer, and takes what is common once", () => {
  const variables = (...names: string[]) => plan(names).variables;
  assert.deepEqual(variables("a.com/gpu=0"), ["COMMON=1", "NEW=1"]);
  assert.deepEqual(variables("a.com/gpu=1"), ["ONE=1"]);
  assert.deepEqual(variables("a.com/gpu=1", "a.com/gpu=0", "a.com/gpu=0"), [
    "ONE=1",
    "COMMON=1",
    "NEW=1",
    "NEW=1",
  ]);
  assert.deepEqual(find([]), []);
});

Deno.test("findDevices() names what is wrong, and what there is", () => {
  const refused = (
    names: readonly string[],
    changes: Record<string, string>,
    message: RegExp,
    hint = /(?:)/,
  ) =>
    assert.throws(() => find(names, changes), (error) => {
      assert(error instanceof ChError);
      assert.match(error.message, message);
      assert.match(error.hint ?? "", hint);
      return true;
    });
  refused(["gpu"], {}, /^--device: not a device name: gpu$/, /nvidia\.com\/gpu=0/);
  refused(["../x/y=0"], {}, /not a device name/);
  refused(
    ["a.com/gpu=7"],
    {},
    /^--device: no such device: a\.com\/gpu=7$/,
    /a\.com\/gpu=0 a\.com\/gpu=1 a\.com\/gpu=gone/,
  );
  const bad = (text: string) => ({ "/etc/cdi/z.json": text });
  refused(["a.com/gpu=0"], bad("{"), /^\/etc\/cdi\/z\.json: not JSON/);
  refused(["a.com/gpu=0"], bad("{}"), /^\/etc\/cdi\/z\.json: cdiVersion: missing/);
  refused(["a.com/gpu=0"], bad('{"cdiVersion": "2.0.0"}'), /unsupported CDI version: 2\.0\.0/);
  const mount = (edit: object) =>
    bad(JSON.stringify({ ...NEW, devices: [], containerEdits: { mounts: [edit] } }));
  refused(
    ["a.com/gpu=0"],
    mount({ hostPath: "x", containerPath: "/y" }),
    /hostPath: not an absolute path: x/,
  );
  refused(["a.com/gpu=0"], mount({ hostPath: "/x", containerPath: "/y", type: "tmpfs" }), /tmpfs/);
});

Deno.test("planDevices() binds what is not in the host's /dev, and runs what hooks would do", () => {
  const { binds, programs, ignored } = plan(["a.com/gpu=0"]);
  const bind = { op: "bind", ranch: true, readOnly: false };
  assert.deepEqual(binds, [
    { ...bind, source: "/dev/a0", target: "/dev/c", missing: "make-file" },
    { ...bind, source: "/dev/a0", target: "/x/a0", missing: "make-file" },
    {
      ...bind,
      source: "/lib/libx.so.1",
      target: "/usr/lib/libx.so.1",
      missing: "make-file",
      readOnly: true,
    },
    { ...bind, source: "/share", target: "/opt/share", missing: "make" },
  ]);
  assert.deepEqual(
    programs.map((step) => step.op === "run" && step.argv.filter((word) => !word.includes(" "))),
    [
      ["/sbin/ldconfig", "/usr/lib", "/b", "/c"],
      ["/bin/sh", "-c", "sh", "x", "/y"],
    ],
  );
  assert.deepEqual(ignored, ["h chmod --path /dev/dri"]);
  assert.throws(() => plan(["a.com/gpu=gone"]), /not on this host: \/dev\/gone/);
});
