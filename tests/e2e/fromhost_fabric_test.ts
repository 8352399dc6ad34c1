// ch-fromhost with libfabric: providers, and Cray's own libfabric (spec ch-fromhost §6, §12).

import assert from "node:assert/strict";
import { exists, expect, test, type Workplace } from "../rig.ts";
import { buildLibrary, freshImage, unpackDebian } from "./fromhost_place.ts";

const read = (work: Workplace, path: string) => Deno.readTextFileSync(`${work.path}/${path}`);

async function addFabric(work: Workplace): Promise<void> {
  await freshImage(work);
  await work.must("mkdir -p D/opt/fab/lib; echo image >D/opt/fab/lib/libfabric.so");
}

test(
  "ch-fromhost injects a libfabric provider [37-39, 42]",
  async (work) => {
    await unpackDebian(work);
    await addFabric(work);
    await buildLibrary(work, "prov/libfake-fi.so", ["libfakedep.so.1"]);
    const inject = ["ch-fromhost", "--path", "prov/libfake-fi.so", "D"];
    expect(await work.run(["ch-fromhost", "--print-cray-fi", "--print-fi", "D"]), {
      code: 0,
      stdout: "/opt/fab/lib/libfabric\n/opt/fab/lib\n",
      stderr: "",
    });
    assert(!exists(`${work.path}/D/opt/fab/lib/libfabric`));

    expect(await work.run(inject), { code: 0, stderr: "done\n" });
    assert(exists(`${work.path}/D/opt/fab/lib/libfabric/libfake-fi.so`));
    const directories = read(work, "D/etc/ld.so.conf.d/ch-ofi.conf").split("\n");
    assert(directories.includes(`${work.path}/prov`), directories.join(" "));
    assert.match(read(work, "D/etc/ld.so.conf"), /^include .*ld\.so\.conf\.d\/\*\.conf$/m);
    // What it wrote there does not mislead the next one.
    expect(await work.run(["ch-fromhost", "--print-lib", "D"]), {
      code: 0,
      stdout: "/usr/local/lib\n",
    });
    expect(await work.run(inject), { code: 0, stderr: "done\n" });

    const elsewhere = { env: { FI_PROVIDER_PATH: "/x" } };
    expect(await work.run(inject, elsewhere), {
      code: 1,
      stderr: /^error: FI_PROVIDER_PATH set; missing --dest\n/,
    });
    expect(await work.run(["ch-fromhost", "--dest", "/usr/lib", ...inject.slice(1)], elsewhere), {
      code: 0,
    });
    assert(exists(`${work.path}/D/usr/lib/libfake-fi.so`));

    await work.must("mkdir -p D/ch; echo FI_PROVIDER_PATH=/y >D/ch/environment");
    expect(await work.run(inject), {
      code: 0,
      stderr: "warning: FI_PROVIDER_PATH in D/ch/environment; consider --dest\ndone\n",
    });

    // An image without the file that includes others, and with two libfabrics.
    await addFabric(work);
    await work.must(
      "rm -r D/etc/ld.so.conf*; mkdir -p D/opt/a; cp D/opt/fab/lib/libfabric.so D/opt/a",
    );
    expect(await work.run(inject), {
      code: 0,
      stderr: "warning: found more than one libfabric.so; using /opt/a/libfabric.so\ndone\n",
    });
    assert(exists(`${work.path}/D/opt/a/libfabric/libfake-fi.so`));
    assert.equal(read(work, "D/etc/ld.so.conf"), "include ld.so.conf.d/*.conf\n");

    await freshImage(work);
    for (const args of [inject.slice(1), ["--print-fi", "D"]]) {
      expect(await work.run(["ch-fromhost", ...args]), {
        code: 1,
        stdout: "",
        stderr: /^error: libfabric\.so not found in D\n/,
      });
    }
  },
  "debian",
  "cc",
);

test(
  "ch-fromhost --cray-cxi replaces the image's libfabric [40, 41]",
  async (work) => {
    await unpackDebian(work);
    await buildLibrary(work, "cray/libfabric.so", ["libcxi.so.1"]);
    await buildLibrary(work, "plain/libfabric.so");
    const env = { CH_FROMHOST_OFI_CXI: `${work.path}/cray/libfabric.so` };
    await addFabric(work);
    expect(await work.run(["ch-fromhost", "--cray-cxi", "D"], { env }), {
      code: 0,
      stderr: "done\n",
    });
    await work.must(
      "cmp cray/libfabric.so D/opt/fab/lib/libfabric.so; test -f D/usr/local/lib/libcxi.so.1",
    );
    assert.match(read(work, "D/etc/ld.so.conf.d/ch-ofi.conf"), /\/cray$/m);

    await addFabric(work);
    await work.must("mkdir D/opt/own; echo own >D/opt/own/libcxi.so.1");
    const result = await work.run(["ch-fromhost", "-vv", "--cray-cxi", "D"], {
      env: { ...env, FI_PROVIDER: "cxi" },
    });
    expect(result, {
      code: 0,
      stderr:
        /^warning: FI_PROVIDER=cxi set; this will be preferred provider at runtime\.$[^]*^cray libfabric: .*$[^]*^skipping .*\/libcxi\.so\.1$/m,
    });
    assert.equal(read(work, "D/opt/own/libcxi.so.1"), "own\n");
    assert(!exists(`${work.path}/D/usr/local/lib/libcxi.so.1`));

    // One that is not Cray's is a library like others.
    await addFabric(work);
    await work.must(
      "ch-fromhost -p plain/libfabric.so D; cmp plain/libfabric.so D/usr/local/lib/libfabric.so",
    );
    assert.equal(read(work, "D/opt/fab/lib/libfabric.so"), "image\n");

    await freshImage(work);
    expect(await work.run(["ch-fromhost", "--cray-cxi", "D"], { env }), {
      code: 1,
      stderr: /^error: libfabric\.so not found in D\n/,
    });
  },
  "debian",
  "cc",
);
