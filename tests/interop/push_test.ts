// What ch-image pushes, as skopeo and umoci see it, and Debian's docker-registry.

import assert from "node:assert/strict";
import { FakeRegistry } from "../fake_registry.ts";
import { expect, test, type Workplace } from "../rig.ts";
import { makeTar } from "../tar_archive.ts";
import { TestRegistry } from "./registry.ts";
import { describeTree, makeSample, pushSample } from "./sample_image.ts";

test("what ch-image pushes, skopeo and umoci unpack to the same tree", async (work) => {
  await using registry = await TestRegistry.start();
  work.image("image", { "data/file": "x", "data/link": { link: "file" }, "a b/c\\d": "odd" });
  await work.must(
    'cd image/data; ln file hard; chmod 4711 file; touch -d "2001-02-03 04:05:06.5" file; ' +
      'touch "$(printf "n\\377\\n x")"; mkdir -m 1777 tmp',
  );
  await work.must("ch-image import image s");
  const reference = `${registry.address}/p/s:1`;
  expect(await work.run(["ch-image", "push", "s", reference]), { code: 0 });
  await unpackWithUmoci(work, reference);
  assert.equal(
    await describeTree(work, `${work.path}/unpacked/rootfs`),
    await describeTree(work, `${work.path}/storage/img/s`),
  );
  const owners = await work.must('find "$1" -printf "%U:%G %m\\n" | sort -u', [
    `${work.path}/unpacked/rootfs`,
  ], { root: true });
  assert.match(owners, /^(0:0 1?[0-7]{3}\n)+$/);
  expect(await work.run(["ch-image", "push", "s", reference]), {
    code: 0,
    stderr: /layer 1\/1: .{7}: already present\n/,
  });
}, "registry");

test("ch-image push keeps pulled layers and adds one with what was built", async (work) => {
  await using registry = await TestRegistry.start();
  await makeSample(work);
  await pushSample(work, registry.address, "a/sample:1");
  const original = `${registry.address}/a/sample:1`;
  await work.must('ch-image --arch=yolo pull "$1" s', [original]);
  expect(await work.run(["ch-image", "push", "s", `${registry.address}/b/copy:1`]), {
    code: 0,
    stderr: /nothing was built on it: pushing the image as it was pulled\n/,
  });
  const copy = `${registry.address}/b/copy:1`;
  assert.equal(await digestOf(work, copy), await digestOf(work, original));

  work.tree("context", {
    "Dockerfile": "FROM s\nRUN echo two > /etc/one && rm -r /opt/opaque /kind/b && " +
      "mkdir /kind/b && echo in > /kind/b/in && ln /etc/three /etc/four && chmod 700 /opt\n" +
      "COPY new /new\nENV BUILT=1\nLABEL m=2\n",
    "new": "new\n",
  });
  await work.must("ch-image build -t built context");
  const built = `${registry.address}/b/built:1`;
  expect(await work.run(["ch-image", "push", "built", built]), {
    code: 0,
    stderr: /layer 1\/5: .{7}: mounted[^]*layer 5\/5: .{7}: not present, uploading/,
  });
  await unpackWithUmoci(work, built);
  assert.equal(
    await describeTree(work, `${work.path}/unpacked/rootfs`),
    await describeTree(work, `${work.path}/storage/img/built`),
  );
  const layers = async (reference: string) =>
    JSON.parse(
      await work.must('skopeo inspect --tls-verify=false "docker://$1"', [reference], {
        root: true,
      }),
    ).Layers as string[];
  assert.deepEqual((await layers(built)).slice(0, 4), await layers(original));
  const digest = await digestOf(work, built);
  await work.must('ch-image push built "$1"', [`${registry.address}/b/built:2`]);
  assert.equal(await digestOf(work, `${registry.address}/b/built:2`), digest);

  await work.must('ch-image --arch=yolo pull "$1" back', [built]);
  assert.equal(
    await describeTree(work, `${work.path}/storage/img/back`),
    await describeTree(work, `${work.path}/storage/img/built`),
  );
  const metadata = JSON.parse(
    Deno.readTextFileSync(`${work.path}/storage/img/back/ch/metadata.json`),
  );
  assert.equal(metadata.env.BUILT, "1");
  assert.equal(metadata.env.SAMPLE, "1");
  assert.deepEqual(metadata.labels, { l: "1", m: "2" });
  assert.equal(metadata.cwd, "/opt");
  const single = await work.run([
    ...["ch-image", "push", "--single-layer", "built", `${registry.address}/b/single`],
  ]);
  expect(single, { code: 0, stderr: /layer 1\/1: .{7}: not present, uploading/ });
}, "registry");

test("ch-image push makes the same layers with the build cache and without", async (work) => {
  await using registry = new FakeRegistry();
  const members = ["bin/", "usr/", "srv/", "opt/"].map((name) => ({ name, type: "5" as const }));
  const files = ["usr/one", "usr/two", "srv/gone", "opt/same"].map((name) => ({
    name,
    data: name,
  }));
  const link = { name: "usr/hard", type: "1" as const, link: "usr/one" };
  const busybox = { name: "bin/sh", mode: 0o755, data: "not run" };
  await registry.addImage("1", [makeTar([...members, busybox, ...files, link])]);
  const push = async (name: string, ...words: string[]) => {
    const reference = `${registry.address}/a/b:${name}`;
    const result = await work.run(["ch-image", "--plain-http", ...words, "push", name, reference]);
    expect(result, { code: 0 });
    const { bytes } = registry.manifests.get(name)!;
    return JSON.parse(new TextDecoder().decode(bytes)).layers as readonly { digest: string }[];
  };
  await work.must('ch-image --plain-http -a yolo pull "$1" x 2>&1', [
    `${registry.address}/a/b:1`,
  ]);
  const changes: Readonly<Record<string, string>> = {
    "nothing": "COPY same /opt/same\n",
    "files": "COPY new /usr/two\nCOPY new /new\n",
    "link": "COPY new /usr/one\n",
  };
  work.tree("context", { new: "new", same: "opt/same" });
  await work.must("touch -d @1000000000 context/same; chmod 755 context/same");
  for (const [name, text] of Object.entries(changes)) {
    Deno.writeTextFileSync(`${work.path}/context/Dockerfile`, `FROM x\n${text}`);
    await work.must(`ch-image build -t ${name} context 2>&1`);
    const layers = await push(name);
    assert.deepEqual(await push(name, "--no-cache"), layers, name);
    assert.equal(layers.length, 2, name);
  }
  // What was done to the directory by hand is seen, and so is what every image in storage is given.
  await work.must(
    "cd storage/img/files; rm srv/gone; echo hand >opt/hand; rmdir mnt/3; echo h >etc/hosts",
  );
  const layers = await push("files");
  assert.deepEqual(await push("files", "--no-cache"), layers);
  const last = `${work.path}/layer.tar.gz`;
  Deno.writeFileSync(last, registry.blobs.get(layers[1]!.digest)!);
  const names = await work.must('tar -tzf "$1" | grep -v "^./ch"', [last]);
  assert.deepEqual(
    names.split("\n").filter((name) => !name.endsWith("/")).sort(),
    ["", "./etc/hosts", "./new", "./opt/hand", "./srv/.wh.gone", "./usr/two"],
  );
});

test("what a Dockerfile says of running the image goes through registries", async (work) => {
  await using registry = await TestRegistry.start();
  const reference = `${registry.address}/a/built:1`;
  const settings = {
    User: "5:6",
    ExposedPorts: { "80/tcp": {} },
    Entrypoint: ["/bin/sh", "-c"],
    Cmd: ["echo ran"],
    StopSignal: "SIGINT",
  };
  const lines = [
    "MAINTAINER somebody",
    'ENTRYPOINT ["/bin/sh", "-c"]',
    'CMD ["echo ran"]',
    "USER 5:6",
    "EXPOSE 80",
    "STOPSIGNAL SIGINT",
    "VOLUME /srv",
  ];
  work.tree("context", { Dockerfile: `FROM base\n${lines.join("\n")}\n` });
  await work.must("ch-image import $1 base 2>&1", [work.image()]);
  await work.must("ch-image build -t built context 2>&1");
  await work.must("ch-image push built $1 2>&1", [reference]);
  const config = async () => {
    const show = 'skopeo inspect --tls-verify=false --config --raw "docker://$1"';
    const { author, config: { User, ExposedPorts, Entrypoint, Cmd, StopSignal, Volumes } } = JSON
      .parse(
        await work.must(show, [reference], { env: { REGISTRY_AUTH_FILE: `${work.path}/none` } }),
      );
    assert.deepEqual({ User, ExposedPorts, Entrypoint, Cmd, StopSignal }, settings);
    assert.deepEqual([author, Volumes], ["somebody", { "/srv": {} }]);
  };
  await config();
  await work.must("ch-image reset 2>&1");
  await work.must("ch-image -a yolo pull $1 again 2>&1", [reference]);
  expect(await work.run(["ch-run", "--image-cmd", "again"]), { code: 0, stdout: "ran\n" });
  // Once more, of an image that was pulled: a change of its own replaces what was there.
  work.tree("context", { Dockerfile: 'FROM again\nCMD ["echo changed"]\n' });
  await work.must("ch-image build -t changed context 2>&1");
  await work.must("ch-image push changed $1 2>&1", [reference]);
  settings.Cmd = ["echo changed"];
  await config();
}, "registry");

test(
  "ch-image push compresses new layers with zstd or at another level, and leaves the others",
  async (work) => {
    await using registry = await TestRegistry.start();
    await work.must("ch-image import $1 s 2>&1", [
      work.image("image", { "data/file": "x".repeat(5000) }),
    ]);
    const reference = (name: string) => `${registry.address}/z/${name}:1`;
    const push = (name: string, to: string, ...words: string[]) =>
      work.must('name=$1 to=$2; shift 2; ch-image push "$@" "$name" "$to" 2>&1', [
        ...[name, reference(to), ...words],
      ]);
    const zstd = ["--compression-format=zstd"];
    await push("s", "single", ...zstd);
    await push("s", "tight", ...zstd, "--compression-level=19");
    await push("s", "gzip", "--compression-level=9");
    const types = async (name: string) => {
      const { mediaType, layers } = JSON.parse(
        await work.must(
          'skopeo inspect --tls-verify=false --raw "docker://$1"',
          [reference(name)],
          {
            root: true,
          },
        ),
      );
      return [mediaType, ...layers.map((layer: { mediaType: string }) => layer.mediaType)];
    };
    const layer = "application/vnd.oci.image.layer.v1.tar";
    const manifest = "application/vnd.oci.image.manifest.v1+json";
    assert.deepEqual(await types("single"), [manifest, `${layer}+zstd`]);
    assert.deepEqual(await types("tight"), [manifest, `${layer}+zstd`]);
    assert.deepEqual(await types("gzip"), [
      "application/vnd.docker.distribution.manifest.v2+json",
      "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ]);
    // On layers of Docker's: all becomes OCI's, and what was pulled stays as it is.
    await work.must('ch-image pull "$1" base 2>&1', [reference("gzip")]);
    work.tree("context", { Dockerfile: "FROM base\nCOPY new /new\n", new: "new\n" });
    await work.must("ch-image build -t built context 2>&1");
    await push("built", "built", ...zstd);
    assert.deepEqual(await types("built"), [manifest, `${layer}+gzip`, `${layer}+zstd`]);
    for (const [name, image] of [["single", "s"], ["tight", "s"], ["built", "built"]]) {
      await work.must('ch-image pull "$1" back 2>&1', [reference(name!)]);
      assert.equal(
        await describeTree(work, `${work.path}/storage/img/back`),
        await describeTree(work, `${work.path}/storage/img/${image}`),
      );
    }
    const refusals: readonly [string, RegExp][] = [
      ["--compression-format=lz4", /compression-format.*gzip.*zstd/],
      ["--compression-level=13", /not a level of compression gzip: 13\n.*levels are 0 to 12/s],
      ["--compression-level=x", /not a whole number: --compression-level=x/],
    ];
    for (const [word, stderr] of refusals) {
      const refused = await work.run(["ch-image", "push", word, "s", reference("none")]);
      expect(refused, { stderr });
      assert.notEqual(refused.code, 0);
    }
  },
  "registry",
);

test("ch-image push refuses what cannot be pushed", async (work) => {
  await using registry = await TestRegistry.start();
  const push = (...words: string[]) => work.run(["ch-image", "push", ...words]);
  expect(await push("nosuch", `${registry.address}/x`), {
    code: 1,
    stderr: /error: can.t push: no image nosuch\n/,
  });
  expect(await push("--image", "/etc/passwd", `${registry.address}/x`), {
    code: 1,
    stderr: /error: can.t push: \/etc\/passwd does not appear to be an image/,
  });
  work.image();
  expect(await push("--image", "image", `${registry.address}/x@sha256:${"0".repeat(64)}`), {
    code: 1,
    stderr: /error: can.t push to a digest/,
  });
  await work.must("mkfifo image/fifo");
  expect(await push("--image", "image", `${registry.address}/x`), {
    code: 1,
    stderr: /error: invalid file type: \.\/fifo\n/,
  });
  await work.must("rm image/fifo");
  expect(await push("--image", "image", `${registry.address}/x`), {
    code: 0,
    stderr: /warning: no metadata to load; using defaults\n[^]*done\n/,
  });
  await work.must('test -z "$(ls storage/ulcache)"');
}, "registry");

async function unpackWithUmoci(work: Workplace, reference: string): Promise<void> {
  await work.must(
    'rm -rf foreign unpacked; skopeo copy -q --src-tls-verify=false "docker://$1" oci:foreign:x; ' +
      "umoci unpack --image foreign:x unpacked",
    [reference],
    { root: true },
  );
}

async function digestOf(work: Workplace, reference: string): Promise<string> {
  const text = await work.must('skopeo inspect --tls-verify=false "docker://$1"', [reference], {
    root: true,
  });
  return JSON.parse(text).Digest;
}
