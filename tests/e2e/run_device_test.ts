// ch-run --device: a specification of the host, made by root, and what a container gets by it.

import assert from "node:assert/strict";
import { exists, expect, test } from "../rig.ts";
import { buildSotest, unpackDebian } from "./fromhost_place.ts";

/** Root's file in /etc/cdi for as long as it is in use. */
function installSpec(text: string, name: string): Disposable {
  const hadDirectory = exists("/etc/cdi");
  Deno.mkdirSync("/etc/cdi", { recursive: true });
  Deno.writeTextFileSync(`/etc/cdi/${name}`, text);
  return {
    [Symbol.dispose]() {
      Deno.removeSync(`/etc/cdi/${name}`);
      if (!hadDirectory) Deno.removeSync("/etc/cdi");
    },
  };
}

test(
  "ch-run --device gives the container devices, libraries and variables, and leaves the image alone",
  async (work) => {
    await unpackDebian(work);
    await buildSotest(work);
    const kind = `ch-test.example/x${crypto.randomUUID().slice(0, 8)}`;
    using _ = installSpec(
      `cdiVersion: 0.5.0
kind: ${kind}
containerEdits:
  env:
  - CH_TEST_DEVICE=$x y
  hooks:
  - hookName: createContainer
    path: /usr/bin/nvidia-ctk
    args:
    - nvidia-ctk
    - hook
    - create-symlinks
    - --link
    - libsotest.so.1::/usr/lib/chtest/libsotest.so
  - hookName: createContainer
    path: /usr/bin/nvidia-ctk
    args: [nvidia-ctk, hook, update-ldcache, --folder, /usr/lib/chtest]
  mounts:
  - hostPath: ${work.path}/sotest/lib/libsotest.so.1.0
    containerPath: /usr/lib/chtest/libsotest.so.1.0
    options: [ro, nosuid, nodev, bind]
  - hostPath: ${work.path}/sotest/bin/sotest
    containerPath: /usr/bin/sotest
devices:
- name: "0"
  containerEdits:
    deviceNodes:
    - path: /dev/null
    - path: /opt/null
      hostPath: /dev/null
- name: hooked
  containerEdits:
    hooks:
    - hookName: createContainer
      path: /x
      args: [x, unheard-of]
`,
      `ch-test.${crypto.randomUUID()}.yaml`,
    );
    await work.must("ch-convert -q -i dir base base.sqfs", [], { limit: 300_000 });
    const before = await work.must("cd base; find . -printf '%P %m %s %T@\\n' | sort | md5sum");
    for (const image of ["./base", "base.sqfs"]) {
      const script =
        'sotest; echo "$CH_TEST_DEVICE"; echo x >/opt/null; readlink /usr/lib/chtest/libsotest.so ' +
        "/usr/lib/chtest/libsotest.so.1; echo y 2>/dev/null >>/usr/lib/chtest/libsotest.so.1.0 || echo read-only";
      expect(await work.run(["ch-run", `--device=${kind}=0`, image, "--", "sh", "-c", script]), {
        code: 0,
        stdout: "42\n$x y\nlibsotest.so.1\nlibsotest.so.1.0\nread-only\n",
        stderr: "",
      });
    }
    assert.equal(
      await work.must("cd base; find . -printf '%P %m %s %T@\\n' | sort | md5sum"),
      before,
    );
    assert.deepEqual(work.findMounts(), []);

    // What the user says counts; a hook that is not known is told, and a failing one is, too.
    expect(
      await work.run([
        "ch-run",
        `--device=${kind}=0`,
        "--set-env=CH_TEST_DEVICE=z",
        "./base",
        "--",
        "printenv",
        "CH_TEST_DEVICE",
      ]),
      { code: 0, stdout: "z\n" },
    );
    expect(await work.run(["ch-run", `--device=${kind}=hooked`, "./base", "--", "true"]), {
      code: 0,
      stderr: /warning: --device: hook not run: x unheard-of/,
    });
    const image = work.image("small");
    expect(await work.run(["ch-run", `--device=${kind}=0`, image, "--", "true"]), {
      code: 0,
      stderr: /warning: can't run in the container: \/sbin\/ldconfig/,
    });
    expect(await work.run(["ch-run", `--device=${kind}=9`, image, "--", "true"]), {
      code: 31,
      stderr: new RegExp(`error: --device: no such device: ${kind}=9 .*\\n.*hint: this host has `),
    });
    expect(await work.run(["ch-run", "--device=gpu", image, "--", "true"]), {
      code: 31,
      stderr: /error: --device: not a device name: gpu/,
    });
  },
  "root",
  "debian",
  "cc",
  "fuse",
);
