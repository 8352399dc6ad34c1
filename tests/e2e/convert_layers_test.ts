// ch-convert from and to images in layers, held against skopeo(1), umoci(1) and podman(1).

import assert from "node:assert/strict";
import { exists, expect, type Need, rig, type Workplace } from "../rig.ts";
import { LIST, listFiles, test } from "./convert_place.ts";

/** What must come along through every format that has room for it. */
const ENVIRONMENT = "GREETING=hello world\nPATH=/bin\n";
const METADATA = JSON.stringify({
  arch: "amd64",
  cwd: "/work",
  env: { GREETING: "hello world", PATH: "/bin" },
  labels: { "org.example.label": "yes" },
  config: { Entrypoint: ["/bin/sh", "-c"], Cmd: ["echo ran"] },
  history: [{ created_by: "once upon a time" }],
});

function makeImage(work: Workplace): void {
  work.image("image", {
    "ch/environment": ENVIRONMENT,
    "ch/metadata.json": METADATA,
    "usr/a file": "text\n",
    "usr/link": { link: "a file" },
    "usr/script": { content: "#!/bin/sh\n", mode: 0o750 },
    "work/": "",
  });
}

interface Format {
  readonly name: string;
  /** Descriptor as output, and as input. */
  readonly out: string;
  readonly in?: string;
  readonly needs?: readonly Need[];
}

const FORMATS: readonly Format[] = [
  { name: "oci", out: "./layout" },
  { name: "oci", out: "./layout:1.0" },
  { name: "oci-archive", out: "layout.tar" },
  { name: "oci-archive", out: "layout.tar:some/name" },
  { name: "docker-archive", out: "saved.tar" },
  { name: "docker-archive", out: "saved.tar:example.com/some/name:1.0" },
  { name: "podman", out: "ch-test/image", needs: ["podman"] },
  { name: "podman", out: "ch-test:1.0", needs: ["podman"] },
];

for (const { name, out, needs = [] } of FORMATS) {
  test(`ch-convert to ${name} ${out} and back keeps files and configuration`, async (work) => {
    makeImage(work);
    const before = await listFiles(work, "image");
    expect(await work.run(["ch-convert", "-o", name, "./image", out]), { code: 0, stdout: "" });
    expect(await work.run(["ch-convert", "-q", "-i", name, out, "./back"]), {
      code: 0,
      stdout: "",
      stderr: "",
    });
    if (name === "podman") await work.run(["podman", "image", "rm", "--", out]);
    assert.equal(await listFiles(work, "back"), before);
    assert.equal(Deno.readTextFileSync(`${work.path}/back/ch/environment`), ENVIRONMENT);
    const metadata = JSON.parse(Deno.readTextFileSync(`${work.path}/back/ch/metadata.json`));
    assert.equal(metadata.cwd, "/work");
    assert.deepEqual(metadata.labels, { "org.example.label": "yes" });
    const pulled = JSON.parse(Deno.readTextFileSync(`${work.path}/back/ch/config.pulled.json`));
    assert.deepEqual(pulled.config.Entrypoint, ["/bin/sh", "-c"]);
    assert.deepEqual(pulled.config.Cmd, ["echo ran"]);
    // In a container they are there as well.
    const ran = await work.run(["ch-run", "--image-env", "--image-cmd", "./back"]);
    expect(ran, { code: 0, stdout: "ran\n" });
    const command = ["--set-env", "./back", "--", "sh", "-c", 'echo "$GREETING"'];
    expect(await work.run(["ch-run", ...command]), { code: 0, stdout: "hello world\n" });
  }, ...needs);
}

test(
  "what ch-convert writes is read by skopeo and umoci",
  async (work) => {
    makeImage(work);
    await work.must("ch-convert -q -o oci ./image layout:1.0");
    await work.must("ch-convert -q -o oci-archive ./image layout.tar:1.0");
    await work.must("ch-convert -q -o docker-archive ./image saved.tar:example.com/a:1.0");
    await work.must("ch-convert -q -o oci --comp=zstd ./image zstd:1.0");
    for (
      const place of [
        "oci:layout:1.0",
        "oci-archive:layout.tar:1.0",
        "docker-archive:saved.tar:example.com/a:1.0",
        "oci:zstd:1.0",
      ]
    ) {
      const config = JSON.parse(await work.must('skopeo inspect --config "$1"', [place]));
      assert.deepEqual(config.config, {
        Env: ["GREETING=hello world", "PATH=/bin"],
        Entrypoint: ["/bin/sh", "-c"],
        Cmd: ["echo ran"],
        WorkingDir: "/work",
        Labels: { "org.example.label": "yes" },
      });
      const copied = `copied.${place.replaceAll(/[^a-z]/g, "")}`;
      await work.must('skopeo copy -q "$1" "dir:$2"', [place, copied]);
    }
    await work.must("umoci unpack --rootless --image layout:1.0 bundle");
    assert.equal(await listFiles(work, "bundle/rootfs"), await listFiles(work, "image"));
  },
  "skopeo",
  "umoci",
);

test(
  "what skopeo and umoci write is read by ch-convert",
  async (work) => {
    makeImage(work);
    // A second layer by umoci, with a whiteout.
    await work.must(`
    ch-convert -q -o oci ./image layout:1.0
    umoci unpack --rootless --image layout:1.0 bundle
    rm -r "bundle/rootfs/usr/a file" bundle/rootfs/work
    mkdir bundle/rootfs/work
    echo new > bundle/rootfs/usr/new
    umoci repack --image layout:2.0 bundle
    umoci config --image layout:2.0 --config.env ADDED=later
    skopeo copy -q oci:layout:2.0 oci-archive:two.tar:2.0
    skopeo copy -q oci:layout:2.0 docker-archive:two-docker.tar:a:2.0
    gzip -k two.tar two-docker.tar`);
    const after = (await listFiles(work, "image")).split("\n")
      .filter((line) => !/ (.\/)?usr\/a file ?$/.test(line));
    const inputs = [
      ["oci", "layout:2.0"],
      ["oci-archive", "two.tar"],
      ["oci-archive", "two.tar.gz"],
      ["docker-archive", "two-docker.tar"],
      ["docker-archive", "two-docker.tar.gz"],
    ];
    for (const [at, [format, descriptor]] of inputs.entries()) {
      await work.must('ch-convert -q -i "$1" "$2" "./$3"', [format!, descriptor!, `out${at}`]);
      const lines = (await listFiles(work, `out${at}`)).split("\n");
      assert.deepEqual(lines.filter((line) => !/ (.\/)?usr\/new ?$/.test(line)), after, descriptor);
      assert.equal(Deno.readTextFileSync(`${work.path}/out${at}/usr/new`), "new\n");
      const environment = Deno.readTextFileSync(`${work.path}/out${at}/ch/environment`);
      assert.equal(environment, `ADDED=later\n${ENVIRONMENT}`);
      // Without a tree in between it is the same.
      await work.must('ch-convert -q -i "$1" "$2" "$3.sqfs"', [format!, descriptor!, `out${at}`]);
      await work.must('ch-convert -q "$1.sqfs" "./$1.back"', [`out${at}`]);
      assert.equal(await listFiles(work, `out${at}.back`), await listFiles(work, `out${at}`));
    }
    const refused = await work.run(["ch-convert", "-i", "oci", "layout", "./x"]);
    expect(refused, { code: 1, stderr: /more than one image: layout: 1\.0, 2\.0/ });
  },
  "skopeo",
  "umoci",
);

test("from layers to layers digests stay", async (work) => {
  makeImage(work);
  await work.must(`
    ch-convert -q -o oci ./image a:1
    ch-convert -q -i oci -o oci-archive a b.tar:1
    ch-convert -q -i oci-archive -o docker-archive b.tar c.tar:x:1
    ch-convert -q -i docker-archive -o oci c.tar d:1`);
  const digest = async (place: string) =>
    JSON.parse(await work.must('skopeo inspect --raw "$1"', [place]));
  const [a, b, d] = [
    await digest("oci:a:1"),
    await digest("oci-archive:b.tar:1"),
    await digest("oci:d:1"),
  ];
  assert.deepEqual(a, b);
  assert.equal(d.config.digest, a.config.digest);
}, "skopeo");

test(
  "with SOURCE_DATE_EPOCH images are the same each time, by any number of cores",
  async (work) => {
    makeImage(work);
    for (const [at, cores] of ["0", "0,1"].entries()) {
      await work.must(
        `
      export SOURCE_DATE_EPOCH=1000000000
      touch image/usr/script
      for format in oci-archive docker-archive; do
        taskset -c ${cores} ch-convert -q -o $format ./image $1.$format
      done
      taskset -c ${cores} ch-convert -q ./image $1.sqfs
      taskset -c ${cores} ch-convert -q ./image $1.tar.gz
      taskset -c ${cores} ch-convert -q ./image $1.tar.zst`,
        [`${at}`],
      );
    }
    for (const suffix of ["oci-archive", "docker-archive", "sqfs", "tar.gz", "tar.zst"]) {
      await work.must('cmp "0.$1" "1.$1"', [suffix]);
    }
    const config = JSON.parse(await work.must("skopeo inspect --config oci-archive:0.oci-archive"));
    assert.equal(config.created, "2001-09-09T01:46:40Z");
    const times = await work.must("tar -tvf 0.tar.gz --utc --full-time | grep -c ' 2001-09-09 '");
    assert.ok(Number(times) > 10, times);
  },
  "skopeo",
);

test("podman runs what ch-convert put into its storage", async (work) => {
  makeImage(work);
  await work.must("ch-convert -q -o podman ./image ch-test-run");
  const { stdout } = await work.run(["podman", "image", "inspect", "ch-test-run"]);
  await work.run(["podman", "image", "rm", "-f", "ch-test-run"]);
  const [{ Config, Architecture }] = JSON.parse(stdout);
  assert.equal(Architecture, "amd64");
  assert.deepEqual(Config.Env, ["GREETING=hello world", "PATH=/bin"]);
  assert.deepEqual(Config.Cmd, ["echo ran"]);
}, "podman");

test("podman: --no-clobber means the very name", async (work) => {
  makeImage(work);
  await work.must("ch-convert -q -o podman ./image ch-test-foo");
  const again = await work.run([
    "ch-convert",
    "--no-clobber",
    "-o",
    "podman",
    "./image",
    "ch-test-foo",
  ]);
  const part = await work.run([
    "ch-convert",
    "--no-clobber",
    "-o",
    "podman",
    "./image",
    "ch-test-fo",
  ]);
  const tag = await work.run([
    "ch-convert",
    "--no-clobber",
    "-o",
    "podman",
    "./image",
    "ch-test-foo:1",
  ]);
  const missing = await work.run(["ch-convert", "-i", "podman", "ch-test-nosuch", "./x"]);
  await work.run(["podman", "image", "rm", "-f", "ch-test-foo", "ch-test-fo", "ch-test-foo:1"]);
  expect(again, {
    code: 1,
    stderr: /error: exists in Podman storage, not deleting per --no-clobber: ch-test-foo$/m,
  });
  expect(part, { code: 0 });
  expect(tag, { code: 0 });
  expect(missing, {
    code: 1,
    stderr: /error: source not found in Podman storage: ch-test-nosuch$/m,
  });
}, "podman");

test(
  "an image of podman's that has an environment file already gets one, not two",
  async (work) => {
    makeImage(work);
    await work.must("ch-convert -q -o podman ./image ch-test-twice");
    const result = await work.run([
      "ch-convert",
      "-q",
      "-i",
      "podman",
      "ch-test-twice",
      "t.tar.gz",
    ]);
    await work.run(["podman", "image", "rm", "-f", "ch-test-twice"]);
    expect(result, { code: 0 });
    assert.equal(await work.must("tar -tzf t.tar.gz | grep -c ch/environment"), "1\n");
  },
  "podman",
);

test("a debootstrapped Debian comes through all formats, file by file", async (work) => {
  const script = `
    ch-convert -q "$1" ./a
    ch-convert -q -o oci ./a layout:1
    ch-convert -q -i oci -o docker-archive layout b.tar:x:1
    ch-convert -q -i docker-archive b.tar b.sqfs
    ch-convert -q b.sqfs b.tar.zst
    ch-convert -q b.tar.zst stored
    ch-convert -q -o oci-archive stored c.tar
    ch-convert -q -i oci-archive c.tar ./z`;
  await work.must(script, [rig.debianTar], { limit: 600_000 });
  const list = async (path: string) => {
    const text = await work.must(LIST, [path]);
    // Storage makes absolute links relative when it takes an archive, and takes set-user-ID bits away.
    return text.split("\n").filter((line) => !line.startsWith("l "))
      .map((line) => line.replace(/^([df]) [2-7](\d{3}) /, "$1 $2 ")).sort();
  };
  assert.deepEqual(await list("z"), await list("a"));
  assert.ok((await list("a")).length > 3000);
  expect(await work.run(["ch-run", "./z", "--", "dpkg", "--version"]), { code: 0 });
}, "debian");

test("a directory that is no layout is not replaced by one", async (work) => {
  makeImage(work);
  work.tree(".", { "other/file": "mine" });
  const refused = await work.run(["ch-convert", "-o", "oci", "./image", "other"]);
  expect(refused, {
    code: 1,
    stderr: /exists but does not appear to be an OCI layout and is not empty: other$/m,
  });
  assert.ok(exists(`${work.path}/other/file`));
  await work.must("ch-convert -q -o oci ./image layout");
  await work.must("ch-convert -q -o oci ./image layout:2");
  const clobber = await work.run(["ch-convert", "--no-clobber", "-o", "oci", "./image", "layout"]);
  expect(clobber, { code: 1, stderr: /error: exists, not deleting per --no-clobber: layout$/m });
});
