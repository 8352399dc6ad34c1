// Several images in one place: under one tag of a registry, for several platforms, and in one OCI layout.

import assert from "node:assert/strict";
import { expect, test, type Workplace } from "../rig.ts";
import { TestRegistry } from "./registry.ts";

/** Images "amd64" and "arm64", each with a file /arch. */
async function makeImages(work: Workplace): Promise<void> {
  for (const arch of ["amd64", "arm64"]) {
    work.image(`image-${arch}`, { arch });
    await work.must(
      'ch-image import "image-$1" "$1" && sed -i "s/\\"amd64\\"/\\"$1\\"/" "storage/img/$1/ch/metadata.json"',
      [arch],
    );
  }
}

test(
  "ch-image push --index makes an image for two platforms, which skopeo and we pull",
  async (work) => {
    await using registry = await TestRegistry.start();
    await makeImages(work);
    const reference = `${registry.address}/a/both:1`;
    const push = (name: string) => work.run(["ch-image", "push", "--index", name, reference]);
    expect(await push("amd64"), {
      code: 0,
      stderr: /manifest: uploading\nindex: linux\/amd64\nindex: uploading\n/,
    });
    expect(await push("arm64"), { code: 0, stderr: /\nindex: linux\/amd64, linux\/arm64\n/ });
    for (const arch of ["amd64", "arm64"]) {
      expect(await work.run(["ch-image", "pull", "--arch", arch, reference, "back"]), { code: 0 });
      assert.equal(Deno.readTextFileSync(`${work.path}/storage/img/back/arch`), arch);
      await work.must(
        'skopeo copy -q --src-tls-verify=false --override-arch "$1" "docker://$2" "oci:out-$1:x"; ' +
          'test "$(skopeo inspect --config "oci:out-$1:x" | tr -d "\\n " | grep -o "architecture.:.$1")"',
        [arch, reference],
        { root: true },
      );
    }
    // The same again changes nothing; another image takes the place of the one for its platform.
    const inspect = async () =>
      await work.must('skopeo inspect --raw --tls-verify=false "docker://$1"', [reference], {
        root: true,
      });
    const before = await inspect();
    expect(await push("amd64"), { code: 0, stderr: /already present/ });
    assert.equal(await inspect(), before);
    work.image("other", { arch: "other" });
    await work.must("ch-image import other other");
    expect(await push("other"), { code: 0 });
    const { manifests } = JSON.parse(await inspect());
    assert.equal(manifests.length, 2);
    assert.notEqual(manifests[0].digest, JSON.parse(before).manifests[0].digest);
    assert.deepEqual(manifests[1], JSON.parse(before).manifests[1]);
  },
  "registry",
);

test(
  "ch-image push adds images to an OCI layout, or replaces the one of the name",
  async (work) => {
    await makeImages(work);
    await work.must("ch-image push amd64 oci:./layout:one");
    const first = Deno.readTextFileSync(`${work.path}/layout/index.json`);
    expect(await work.run(["ch-image", "push", "arm64", "oci:./layout:two"]), {
      code: 0,
      stderr: /adding to layout: \.\/layout\n/,
    });
    const index = () => JSON.parse(Deno.readTextFileSync(`${work.path}/layout/index.json`));
    const names = () =>
      index().manifests.map((entry: { annotations: Record<string, string> }) =>
        entry.annotations["org.opencontainers.image.ref.name"]
      );
    assert.deepEqual(names(), ["one", "two"]);
    assert.deepEqual(index().manifests[0], JSON.parse(first).manifests[0]);
    for (const [name, arch] of [["one", "amd64"], ["two", "arm64"]] as const) {
      await work.must('ch-image --arch=yolo pull "oci:./layout:$1" back', [name]);
      assert.equal(Deno.readTextFileSync(`${work.path}/storage/img/back/arch`), arch);
      await work.must('umoci unpack --rootless --image "layout:$1" "bundle-$1"', [name]);
      assert.equal(Deno.readTextFileSync(`${work.path}/bundle-${name}/rootfs/arch`), arch);
    }
    await work.must("ch-image push arm64 oci:./layout:one");
    assert.deepEqual(names(), ["two", "one"]);
    await work.must("ch-image --arch=yolo pull oci:./layout:one back");
    assert.equal(Deno.readTextFileSync(`${work.path}/storage/img/back/arch`), "arm64");
    await work.must('test -z "$(find layout -name "unfinished-*")"');

    // Several at once: all get in.
    await work.must(
      'for i in 1 2 3 4; do ch-image push arm64 "oci:./layout:at-once-$i" & pids="$pids $!"; done; ' +
        "for pid in $pids; do wait $pid; done",
    );
    assert.deepEqual(names().sort(), [
      "at-once-1",
      "at-once-2",
      "at-once-3",
      "at-once-4",
      "one",
      "two",
    ]);
  },
  "umoci",
);

for (const kind of ["oci", "oci-archive"]) {
  test(
    `ch-image push --index puts images for platforms under one name: ${kind}`,
    async (work) => {
      await makeImages(work);
      // An archive must not be there yet: it has an index of one.
      const names = kind === "oci" ? ["amd64", "arm64", "amd64"] : ["amd64"];
      const place = `${kind}:./layout:many`;
      const outputs: string[] = [];
      for (const name of names) {
        const result = await work.run(["ch-image", "push", "--index", name, place]);
        expect(result, { code: 0 });
        outputs.push(/^index: .*$/m.exec(result.stderr)?.[0] ?? "");
      }
      const both = "index: linux/amd64, linux/arm64";
      assert.deepEqual(outputs, ["index: linux/amd64", both, both].slice(0, names.length));
      for (const arch of new Set(names)) {
        await work.must('ch-image --arch "$1" pull "$2" back', [arch, place]);
        assert.equal(Deno.readTextFileSync(`${work.path}/storage/img/back/arch`), arch);
        await work.must(
          'skopeo copy -q --override-arch "$1" --insecure-policy "$2" "oci:./one-$1:x"',
          [arch, place],
        );
        await work.must('umoci unpack --rootless --image "one-$1:x" "bundle-$1"', [arch]);
        assert.equal(Deno.readTextFileSync(`${work.path}/bundle-${arch}/rootfs/arch`), arch);
      }
      if (kind !== "oci") return;
      // What had the name becomes one of them.
      await work.must("ch-image push amd64 oci:./layout:one");
      await work.must("ch-image push --index arm64 oci:./layout:one");
      await work.must("ch-image --arch amd64 pull oci:./layout:one back");
      assert.equal(Deno.readTextFileSync(`${work.path}/storage/img/back/arch`), "amd64");
    },
    "umoci",
    "skopeo",
  );
}

test("ch-image push leaves an OCI layout as it was when it fails", async (work) => {
  await makeImages(work);
  await work.must("ch-image push amd64 oci:./layout:one");
  const describe = () => work.must("cd layout; find . -type f | LC_ALL=C sort | xargs sha256sum");
  const before = await describe();
  const index = await work.must("cat layout/index.json");
  await work.must("echo {} > layout/index.json");
  expect(await work.run(["ch-image", "push", "arm64", "oci:./layout:two"]), {
    code: 1,
    stderr: /index\.json/,
  });
  await work.must('printf %s "$1" > layout/index.json', [index]);
  assert.equal(await describe(), before);
  await work.must("chmod a-w layout");
  expect(await work.run(["ch-image", "push", "arm64", "oci:./layout:two"]), {
    code: 1,
    stderr: /error: /,
  });
  await work.must("chmod u+w layout");
  assert.equal(await describe(), before);
  await work.must("ch-image push arm64 oci:./layout:two");
});

test("ch-image push says what is wrong with a layout's place, and pull what was no layout", async (work) => {
  work.image("image");
  await work.must("ch-image import image s && ch-image push s oci-archive:./there.tar");
  const push = (to: string) => work.run(["ch-image", "push", "s", to]);
  expect(await push("oci-archive:./there.tar"), {
    code: 1,
    stderr: /^error: exists already: \.\/there\.tar\nhint: remove it/m,
  });
  expect(await push("oci-archive:./none/a.tar"), { code: 1, stderr: /^error: not a directory: /m });
  // Nobody answers there.
  work.environment.CH_REGY_DEFAULT_HOST = "127.0.0.1";
  work.environment.CH_REGY_DEFAULT_PORT = "9";
  const warning = /^warning: oci:d is an image called oci\nhint: .*, as in oci:\.\/d$/m;
  expect(await push("oci:d"), { code: 1, stderr: warning });
  expect(await work.run(["ch-image", "pull", "oci:d", "x"]), { code: 1, stderr: warning });
});
