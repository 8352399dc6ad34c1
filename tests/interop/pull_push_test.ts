// ch-image against Debian's docker-registry, in all ways of letting people in, with images made by skopeo
// and umoci, and the other way round.

import assert from "node:assert/strict";
import { expect, test, type Workplace } from "../rig.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { TestRegistry } from "./registry.ts";
import { describeTree, makeSample, pushSample } from "./sample_image.ts";
import { TokenServer } from "./token_server.ts";

const LOGIN = { CH_IMAGE_USERNAME: "alice", CH_IMAGE_PASSWORD: "pass:wörd" };
const USERS = { alice: "pass:wörd" };
const CREDS = "--dest-creds 'alice:pass:wörd'";
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

test("ch-image pull asks a registry with passwords only when told to", async (work) => {
  await using registry = await TestRegistry.start({ users: USERS });
  await makeSample(work, []);
  await pushSample(work, registry.address, "s", CREDS);
  const reference = `${registry.address}/s`;
  expect(await work.run(["ch-image", "pull", reference], { env: LOGIN }), {
    code: 1,
    stderr: new RegExp(
      `error: unauthorized or not in registry: ${reference}:latest\n` +
        "hint: if your registry needs authentication, use --auth\n$",
    ),
  });
  for (const [words, env] of [[["--auth"], {}], [[], { CH_IMAGE_AUTH: "yes" }]] as const) {
    expect(
      await work.run([...YOLO, ...words, "pull", reference], { env: { ...LOGIN, ...env } }),
      { code: 0 },
    );
  }
  expect(await work.run([...YOLO, "--auth", "pull", reference]), {
    code: 1,
    stderr: /error: no credentials for registry: .*\nhint: /,
  });
  const wrong = { ...LOGIN, CH_IMAGE_PASSWORD: "wrong" };
  expect(await work.run([...YOLO, "--auth", "pull", reference], { env: wrong }), {
    code: 1,
    stderr: /error: no further authentication possible, giving up\n/,
  });
  assert.deepEqual(await listCache(work), []);
}, "registry");

test("ch-image login saves what works, and pull uses it", async (work) => {
  await using registry = await TestRegistry.start({ users: USERS });
  await makeSample(work, []);
  await pushSample(work, registry.address, "s", CREDS);
  const login = ["ch-image", "login", "-u", "alice", "--password-stdin", registry.address];
  expect(await work.run(login, { stdin: "wrong\n" }), { code: 1, stderr: /error: login refused/ });
  expect(await work.run(login, { stdin: "pass:wörd\n" }), {
    code: 0,
    stderr: /^login for .* saved: .*\/home\/\.docker\/config\.json\n/,
  });
  await work.must('test "$(stat -c %a home/.docker/config.json)" = 600');
  const reference = `${registry.address}/s`;
  expect(await work.run([...YOLO, "pull", reference]), { code: 0 });
  expect(await work.run([...YOLO, "pull", reference], { env: { CH_IMAGE_AUTH: "no" } }), {
    code: 1,
    stderr: /unauthorized or not in registry/,
  });
  // podman and skopeo keep theirs in another place, and read this one.
  await work.must(`skopeo inspect --tls-verify=false docker://${reference}`, [], {
    env: { REGISTRY_AUTH_FILE: `${work.path}/home/.docker/config.json` },
  });
  expect(await work.run(["ch-image", "logout", registry.address]), {
    code: 0,
    stderr: /removed: .*config\.json/,
  });
  expect(await work.run([...YOLO, "pull", reference]), { code: 1 });
  const env = { XDG_RUNTIME_DIR: `${work.path}/home` };
  await work.must(
    `printf %s 'pass:wörd' | skopeo login --tls-verify=false -u alice --password-stdin ${registry.address}`,
    [],
    { env },
  );
  expect(await work.run([...YOLO, "pull", reference], { env }), { code: 0 });
}, "registry");

test("ch-image pull gets tokens without saying who it is", async (work) => {
  await using tokens = await TokenServer.start({ users: USERS });
  await using registry = await TestRegistry.start({ tokens });
  await makeSample(work, []);
  await pushSample(work, registry.address, "a/s", CREDS);
  tokens.requests.length = 0;
  expect(await work.run([...YOLO, "pull", `${registry.address}/a/s`], { env: LOGIN }), { code: 0 });
  assert.deepEqual(tokens.requests, [
    { method: "GET", scopes: ["repository:a/s:pull"], credentials: undefined },
  ]);
  tokens.requests.length = 0;
  expect(await work.run([...YOLO, "--auth", "pull", `${registry.address}/a/s`], { env: LOGIN }), {
    code: 0,
  });
  assert.deepEqual(tokens.requests.map(({ credentials }) => credentials), ["alice:pass:wörd"]);
}, "registry");

test(
  "ch-image push asks for wider scopes when they are needed, and renews tokens",
  async (work) => {
    await using tokens = await TokenServer.start({
      users: USERS,
      lifetime: 2,
      member: "access_token",
    });
    await using registry = await TestRegistry.start({ tokens });
    await work.must("ch-image import $1 s", [work.image()]);
    expect(await work.run(["ch-image", "push", "s", `${registry.address}/a/s`], { env: LOGIN }), {
      code: 0,
      stderr: /layer 1\/1: .{7}: not present, uploading[^]*done\n$/,
    });
    assert.ok(tokens.requests.some(({ scopes }) => scopes.includes("repository:a/s:pull,push")));
    expect(await work.run(["ch-image", "push", "s", `${registry.address}/a/s`]), {
      code: 1,
      stderr: /error: no credentials for registry/,
    });
    expect(
      await work.run(["ch-image", "push", "s", `${registry.address}/a/s`], {
        env: { ...LOGIN, CH_IMAGE_PASSWORD: "wrong" },
      }),
      { code: 1, stderr: /error: unhandled authentication failure/ },
    );
  },
  "registry",
);

test("ch-image talks TLS with authorities it is told to trust, or any", async (work) => {
  const { authority, signed, selfSigned } = prepareCertificates(work);
  await work.must("ch-image import $1 s 2>&1", [work.image()]);
  for (const tls of [signed, selfSigned]) {
    await using registry = await TestRegistry.start({ tls });
    const reference = `${registry.address}/a/s`;
    expect(await work.run(["ch-image", "push", "s", reference]), {
      code: 1,
      stderr: /error: GET failed: .*certificate verify failed: .*\nhint: REQUESTS_CA_BUNDLE/,
    });
    const env = { REQUESTS_CA_BUNDLE: authority };
    expect(await work.run(["ch-image", "--tls-no-verify", "push", "s", reference], { env }), {
      code: 0,
    });
    expect(await work.run([...YOLO, "--tls-no-verify", "pull", reference], { env }), { code: 0 });
    if (tls === selfSigned) continue;
    for (const name of ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]) {
      expect(await work.run([...YOLO, "pull", reference], { env: { [name]: authority } }), {
        code: 0,
      });
    }
    expect(await work.run(["ch-image", "push", "s", reference], { env }), {
      code: 0,
      stderr: /already present/,
    });
  }
}, "registry");

test("ch-image with a CA bundle that is none", async (work) => {
  await using registry = await TestRegistry.start({ tls: prepareCertificates(work).signed });
  const pull = ["ch-image", "pull", `${registry.address}/s`];
  expect(await work.run(pull, { env: { REQUESTS_CA_BUNDLE: "/nonexistent" } }), {
    code: 1,
    stderr: /error: can.t read CA bundle: \/nonexistent/,
  });
  work.tree("other", { "text": "no certificate\n" });
  expect(await work.run(pull, { env: { REQUESTS_CA_BUNDLE: `${work.path}/other/text` } }), {
    code: 1,
    stderr: /error: no certificate in CA bundle: .*text/,
  });
}, "registry");

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
    await pushIndex(registry.address, "a/s", ["amd64", "arm64"]);
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
    stderr: /error: GET failed: 127\.0\.0\.1:/,
  });
}, "registry");

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

function prepareCertificates(work: Workplace): Certificates {
  const directory = work.tree("certificates", {});
  return makeCertificates(directory);
}

async function listCache(work: Workplace): Promise<string[]> {
  return (await work.must("ls storage/dlcache")).split("\n")
    .filter((name) => /^(part|lock)_/.test(name));
}

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
