// Images between ch-image and podman, buildah and skopeo, through a registry and through layouts.

import assert from "node:assert/strict";
import { expect, test, type Workplace } from "../rig.ts";
import { TestRegistry } from "./registry.ts";
import { describeTree, makeSample, pushSample } from "./sample_image.ts";

const ROOT = { root: true } as const;
/** Storage of their own; limits are those of the caller, which a container may not raise everywhere. */
const STORAGE = '--root "$PWD/peer" --runroot "$PWD/peer.run" --storage-driver vfs';
const PODMAN = `podman ${STORAGE} --cgroup-manager cgroupfs`;
const RUN = `${PODMAN} run --rm --pull never --network none ` +
  "--ulimit nofile=1024:1024 --ulimit nproc=1000:1000";
const BUILDAH = `buildah ${STORAGE}`;

/** An image built on one that was pulled: files added, changed, removed, of all types. */
async function buildOnSample(work: Workplace, address: string): Promise<void> {
  work.tree("context", {
    Dockerfile: `FROM ${address}/a/sample:1
RUN echo new > /etc/new && rm /etc/three && echo changed > /etc/one && ln -s /etc/new /opt/link
RUN mkdir -p /opt/deep/er && ln /etc/new /opt/deep/er/hard && chmod 0750 /opt/deep
ENV BUILT=yes
`,
  });
  expect(await work.run(["ch-image", "--arch=yolo", "build", "-t", "built", "context"]), {
    code: 0,
  });
}

test(
  "podman pulls and runs what ch-image pushes, file by file the same",
  async (work) => {
    await using registry = await TestRegistry.start();
    const { address } = registry;
    await makeSample(work);
    await pushSample(work, address, "a/sample:1");
    await buildOnSample(work, address);
    const image = `${work.path}/storage/img/built`;
    const zstd = "--compression-format=zstd";
    const pushes = [
      ["1", []],
      ["single", ["--single-layer"]],
      ["zstd", [zstd]],
      ["small", [zstd, "--compression-level=19", "--single-layer"]],
    ] as const;
    for (const [tag, options] of pushes) {
      const reference = `${address}/b/built:${tag}`;
      expect(await work.run(["ch-image", "push", ...options, "built", reference]), { code: 0 });
      await work.must(`${PODMAN} pull -q --tls-verify=false "$1"`, [reference], ROOT);
      const mounted = await work.must(`${PODMAN} image mount "$1"`, [reference], ROOT);
      assert.equal(await describeTree(work, mounted.trim()), await describeTree(work, image), tag);
      const script = 'cat /etc/one /etc/new /opt/link; echo "$BUILT $SAMPLE"; test ! -e /etc/three';
      const said = await work.must(`${RUN} "$1" sh -c "$2"`, [reference, script], ROOT);
      assert.equal(said, "changed\nnew\nnew\nyes 1\n");
    }
  },
  "registry",
  "podman",
);

test(
  "ch-image pulls and runs what buildah commits and podman pushes",
  async (work) => {
    await using registry = await TestRegistry.start();
    const { address } = registry;
    await makeSample(work, []);
    await pushSample(work, address, "a/sample:1");
    const script =
      "echo by buildah > /etc/by; rm /bin/awk; mkdir -p /opt/x; ln -s /etc/by /opt/x/l";
    await work.must(
      `c=$(${BUILDAH} from --tls-verify=false "$1/a/sample:1")
     ${BUILDAH} run --isolation chroot "$c" -- sh -c "$2"
     ${BUILDAH} config --env BY=buildah --workingdir /opt "$c"
     for format in oci docker; do
       ${BUILDAH} commit -q --format "$format" "$c" "$format"
       ${PODMAN} push -q --tls-verify=false "$format" "$1/c/by:$format"
     done`,
      [address, script],
      ROOT,
    );
    for (const format of ["oci", "docker"]) {
      const reference = `${address}/c/by:${format}`;
      expect(await work.run(["ch-image", "--arch=yolo", "pull", reference, format]), { code: 0 });
      const mounted = await work.must(`${PODMAN} image mount "$1"`, [format], ROOT);
      assert.equal(
        await describeTree(work, `${work.path}/storage/img/${format}`),
        await describeTree(work, mounted.trim()),
      );
      const command = [
        "ch-run",
        "--set-env",
        format,
        "--",
        "sh",
        "-c",
        "cat /opt/x/l; echo $BY",
      ];
      expect(await work.run(command), { code: 0, stdout: "by buildah\nbuildah\n" });
    }
  },
  "registry",
  "podman",
  "buildah",
);

test(
  "ch-image pushes into OCI layouts and pulls from them, with the layers of the registry",
  async (work) => {
    await using registry = await TestRegistry.start();
    const { address } = registry;
    await makeSample(work);
    await pushSample(work, address, "a/sample:1");
    await buildOnSample(work, address);
    const built = await describeTree(work, `${work.path}/storage/img/built`);
    for (const [kind, place] of [["oci", "./layout"], ["oci-archive", "./file.tar"]] as const) {
      const target = `${kind}:${place}:built`;
      expect(await work.run(["ch-image", "push", "built", target]), { code: 0, stderr: /done\n$/ });
      const inspected = await work.must('skopeo inspect --raw "$1"', [target], ROOT);
      const theirs = await work.must("skopeo inspect --raw oci:oci:sample", [], ROOT);
      const digests = (text: string) =>
        (JSON.parse(text) as { layers: { digest: string }[] }).layers.map(({ digest }) => digest);
      assert.deepEqual(digests(inspected).slice(0, -1), digests(theirs), kind);
      expect(await work.run(["ch-image", "--arch=yolo", "pull", target, `back-${kind}`]), {
        code: 0,
        stderr: /^pulling image: .*\ndestination: .*\n[^]*image arch: amd64\ndone\n$/,
      });
      const back = `${work.path}/storage/img/back-${kind}`;
      assert.equal(await describeTree(work, back), built);
      // A layout takes any number of images, and one tag twice; an archive is complete.
      expect(
        await work.run(["ch-image", "push", "built", target]),
        kind === "oci" ? { code: 0, stderr: /done\n$/ } : { code: 1, stderr: /error: exists/ },
      );
    }
    const index = JSON.parse(await work.must("cat layout/index.json")) as { manifests: unknown[] };
    assert.equal(index.manifests.length, 1);
    // Byte for byte as it was pulled, if nothing was built on it.
    const copy = ["ch-image", "push", "back-oci", `${address}/d/back:1`];
    expect(await work.run(copy), { code: 0, stderr: /nothing was built on it/ });
    const digestOf = (place: string) =>
      work.must('skopeo inspect --raw --tls-verify=false "$1" | sha256sum', [place], ROOT);
    assert.equal(
      await digestOf(`docker://${address}/d/back:1`),
      await digestOf("oci:layout:built"),
    );
  },
  "registry",
);

test("ch-image pull says what is wrong with a layout, and has no image then", async (work) => {
  await makeSample(work, []);
  await work.must("chmod -R a+rX oci; cp -r oci bad", [], ROOT);
  const pull = (place: string, ...rest: string[]) =>
    work.run(["ch-image", "--arch=yolo", "pull", place, ...rest]);
  expect(await pull("oci:./none", "x"), { code: 1, stderr: /error: not an OCI layout: \.\/none/ });
  expect(await pull("oci:./oci:other", "x"), { code: 1, stderr: /error: no such image: .*sample/ });
  expect(await pull("oci:./oci"), { code: 1, stderr: /error: no name for the image/ });
  await work.must(
    'for f in bad/blobs/sha256/*; do [ "$(head -c 1 "$f")" = "{" ] || echo x >>"$f"; done',
    [],
    ROOT,
  );
  expect(await pull("oci:./bad", "x"), {
    code: 1,
    stderr: /error: wrong size: \.\/bad: sha256:[0-9a-f]{64}: more than \d+ bytes/,
  });
  expect(await work.run(["ch-image", "list"]), { code: 0, stdout: "" });
  const left = await work.must("ls storage/dlcache storage/ulcache", [], ROOT);
  assert.doesNotMatch(left, /part_|lock_|ch-convert/);
}, "registry");
