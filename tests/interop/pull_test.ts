// What ch-image pulls of images made by umoci and skopeo, from Debian's docker-registry.

import assert from "node:assert/strict";
import { expect, test } from "../rig.ts";
import { TestRegistry } from "./registry.ts";
import { describeTree, makeSample, pushSample } from "./sample_image.ts";

const YOLO = ["ch-image", "--arch=yolo"];

test("ch-image pull makes of foreign layers what umoci makes of them", async (work) => {
  await using registry = await TestRegistry.start();
  const expected = await makeSample(work);
  await pushSample(work, registry.address, "a/sample:1");
  const reference = `${registry.address}/a/sample:1`;
  expect(await work.run([...YOLO, "pull", reference, "s"]), {
    code: 0,
    stdout: "",
    stderr: new RegExp(
      `^initializing .*\ninitializing .*\npulling image:    ${reference}\ndestination:      s\n` +
        "requesting arch:  yolo\nmanifest: downloading...\nconfig: downloading...\n" +
        "layer 1/4: .{7}: downloading...\n[^]*image arch: amd64\ndone\n$",
    ),
  });
  const image = `${work.path}/storage/img/s`;
  assert.equal(await describeTree(work, image), await describeTree(work, expected));
  const metadata = JSON.parse(Deno.readTextFileSync(`${image}/ch/metadata.json`));
  assert.deepEqual(metadata.env.SAMPLE, "1");
  assert.deepEqual(metadata.env.A, "b=c");
  assert.equal(metadata.cwd, "/opt");
  assert.deepEqual(metadata.labels, { l: "1" });
  assert.deepEqual(metadata.volumes, ["/mnt/data/x"]);
  await work.must('test -d "$1/mnt/data/x"', [image]);
  expect(await work.run(["ch-run", "--set-env", "s", "--", "sh", "-c", "echo $SAMPLE; pwd"]), {
    code: 0,
    stdout: /^1\n/,
  });

  const again = await work.run([...YOLO, "pull", reference, "s"]);
  expect(again, {
    code: 0,
    stderr:
      /config: using existing file\nlayer 1\/4: .{7}: using existing[^]*\npulled image: found in build cache\nimage arch/,
  });
  assert.doesNotMatch(again.stderr, /(config|layer.*): downloading/);
  expect(await work.run([...YOLO, "--always-download", "pull", reference, "s"]), {
    code: 0,
    stderr: /config: downloading\.\.\.\nlayer 1\/4: .{7}: downloading/,
  });
}, "registry");

test("ch-image pull without architecture in the registry", async (work) => {
  await using registry = await TestRegistry.start();
  await makeSample(work, []);
  await pushSample(work, registry.address, "s");
  const reference = `${registry.address}/s`;
  expect(await work.run(["ch-image", "pull", reference]), {
    code: 0,
    stderr:
      /warning: image is architecture-unaware\nwarning: requested arch is amd64; using --arch=yolo\n/,
  });
  expect(await work.run(["ch-image", "pull", "--arch=arm64/v8", reference]), {
    code: 1,
    stderr: /error: image is architecture-unaware\nhint: consider --arch=yolo\n/,
  });
  expect(await work.run(["ch-image", "list"]), { stdout: `${reference}\n` });
}, "registry");

test(
  "ch-image takes the architecture asked for out of an index, and lists what there is",
  async (work) => {
    await using registry = await TestRegistry.start();
    await makeSample(work, ["echo amd > arch"]);
    await pushSample(work, registry.address, "a/s:amd64");
    await work.must(
      "umoci unpack --image oci:sample b; echo arm > b/rootfs/arch; " +
        "umoci repack --image oci:sample b; umoci config --image oci:sample --architecture arm64",
      [],
      { root: true },
    );
    await pushSample(work, registry.address, "a/s:arm64");
    await pushIndex(registry.address, "a/s", ["arm64", "amd64"]);
    const reference = `${registry.address}/a/s`;

    expect(await work.run(["ch-image", "pull", reference]), {
      code: 0,
      stderr: /requesting arch: {2}amd64\nmanifest list: downloading...\nmanifest: downloading.*\n/,
    });
    expect(await work.run(["ch-run", reference, "--", "cat", "/arch"]), { stdout: "amd\n" });
    expect(await work.run(["ch-image", "pull", "-a", "arm64/v8", reference]), {
      code: 0,
      stderr:
        /warning: arch arm64\/v8 requested but falling back to arm64\n[^]*image arch: arm64 \(may not match host amd64\)\n/,
    });
    assert.equal(
      await work.must('cat "storage/img/$1/arch"', [
        reference.replaceAll("/", "%").replace(":", "+"),
      ]),
      "arm\n",
    );
    expect(await work.run(["ch-image", "pull", "-a", "s390x", reference]), {
      code: 1,
      stderr: /error: requested arch unavailable: s390x\nhint: available: amd64 arm64\n/,
    });
    expect(await work.run(["ch-image", "list", reference]), {
      code: 0,
      stdout: new RegExp(
        `^details of image:    ${reference}\nin local storage:    yes \\(arm64\\), modified: .*\n` +
          `in build cache:      yes \\(state ID .{4}, commit .{7}\\)\nfull remote ref:     ${reference}:latest\n` +
          "available remotely:  yes\nremote arch-aware:   yes\nhost architecture:   amd64\n" +
          "archs available:     amd64  [0-9a-f]{11}\n {21}arm64  [0-9a-f]{11}\n$",
      ),
    });
    expect(await work.run(["ch-image", "list", `${registry.address}/nosuch`]), {
      code: 0,
      stdout:
        /available remotely: {2}no \(or you are not authorized\)\nremote arch-aware: {3}n\/a\n.*\narchs available: {5}n\/a\n$/,
    });
    expect(await work.run(["ch-image", "list", "scratch"]), {
      code: 0,
      stdout: /available remotely: {2}yes\n[^]*archs available: {5}amd64 {2}no digest\n$/,
    });
  },
  "registry",
);

test("ch-image build pulls what FROM names", async (work) => {
  await using registry = await TestRegistry.start();
  await makeSample(work, []);
  await pushSample(work, registry.address, "a/s:1");
  work.tree("context", { "Dockerfile": `FROM ${registry.address}/a/s:1\nRUN echo x > /x\n` });
  expect(await work.run(["ch-image", "build", "-t", "built", "context"]), {
    code: 0,
    stderr:
      /^ {2}1\. FROM .*\npulling image: [^]*\ndone\n {2}2\. RUN\.S .*\ncopying image from cache[^]*grown in 2/m,
  });
  await registry[Symbol.asyncDispose]();
  expect(await work.run(["ch-image", "build", "-t", "again", "context"]), { code: 0 });
  expect(await work.run(["ch-image", "pull", `${registry.address}/a/s:1`]), {
    code: 1,
    stderr: /error: GET failed: 127\.0\.0\.1:.*\nhint: is it running, .*https_proxy/,
  });
}, "registry");

/** An index over the tags of a repository, each for the architecture of that name. */
async function pushIndex(address: string, path: string, tags: readonly string[]): Promise<void> {
  const type = "application/vnd.oci.image.manifest.v1+json";
  const manifests = await Promise.all(tags.map(async (architecture) => {
    const response = await fetch(`http://${address}/v2/${path}/manifests/${architecture}`, {
      headers: { Accept: type },
    });
    const digest = response.headers.get("Docker-Content-Digest")!;
    const { length } = await response.bytes();
    return { mediaType: type, digest, size: length, platform: { os: "linux", architecture } };
  }));
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const { status } = await fetch(`http://${address}/v2/${path}/manifests/latest`, {
    method: "PUT",
    headers: { "Content-Type": mediaType },
    body: JSON.stringify({ schemaVersion: 2, mediaType, manifests }),
  });
  assert.equal(status, 201);
}
