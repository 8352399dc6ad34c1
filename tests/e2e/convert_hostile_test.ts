// ch-convert fed with layouts and archives of layers that are damaged, or made to do harm: a clear message,
// and nothing left.

import assert from "node:assert/strict";
import { exists, expect, type Workplace } from "../rig.ts";
import { makeTar, type Member } from "../tar_archive.ts";
import { listNames, test } from "./convert_place.ts";

const OCI = "application/vnd.oci.image";
const ZEROS = `sha256:${"0".repeat(64)}`;
const encoder = new TextEncoder();

interface Blob {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

/** A layout as a directory, whose blobs are right until somebody changes them. */
class HostileLayout {
  readonly path: string;

  constructor(work: Workplace) {
    this.path = work.tree("layout", { "blobs/sha256/": "", "oci-layout": LAYOUT });
  }

  async put(mediaType: string, content: Uint8Array<ArrayBuffer> | object): Promise<Blob> {
    const bytes = content instanceof Uint8Array ? content : encoder.encode(JSON.stringify(content));
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    Deno.writeFileSync(`${this.path}/blobs/sha256/${hash}`, bytes);
    return { mediaType, digest: `sha256:${hash}`, size: bytes.length };
  }

  /** The manifest of an image with LAYERS. */
  async image(layers: readonly Blob[], change: object = {}): Promise<Blob> {
    const config = await this.put(`${OCI}.config.v1+json`, {
      architecture: Deno.build.arch === "x86_64" ? "amd64" : "arm64",
      os: "linux",
      rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
    });
    const type = `${OCI}.manifest.v1+json`;
    return await this.put(type, { schemaVersion: 2, mediaType: type, config, layers, ...change });
  }

  index(manifests: readonly object[]): void {
    const index = { schemaVersion: 2, mediaType: INDEX, manifests };
    Deno.writeTextFileSync(`${this.path}/index.json`, JSON.stringify(index));
  }

  blobPath({ digest }: Blob): string {
    return `${this.path}/blobs/${digest.replace(":", "/")}`;
  }
}

const LAYOUT = '{"imageLayoutVersion": "1.0.0"}';
const INDEX = `${OCI}.index.v1+json`;
const TAR = `${OCI}.layer.v1.tar`;

type Make = (layout: HostileLayout, layer: Blob) => Promise<void> | void;
const LAYOUTS: readonly (readonly [string, RegExp, Make])[] = [
  [
    "a layer with another content",
    /wrong content: .*: digest is sha256:\w+, not /,
    async (l, layer) => {
      l.index([await l.image([layer])]);
      const bytes = Deno.readFileSync(l.blobPath(layer));
      bytes[600]! ^= 1;
      Deno.writeFileSync(l.blobPath(layer), bytes);
    },
  ],
  ["a layer that is too short", /wrong size: .*: 512 bytes instead of \d+/, async (l, layer) => {
    l.index([await l.image([layer])]);
    Deno.truncateSync(l.blobPath(layer), 512);
  }],
  ["a layer that is too long", /wrong size: .*: more than \d+ bytes/, async (l, layer) => {
    l.index([await l.image([layer])]);
    Deno.writeFileSync(l.blobPath(layer), new Uint8Array(5), { append: true });
  }],
  ["a layer that is not there", /file missing: layout: blobs\/sha256\/\w+/, async (l, layer) => {
    l.index([await l.image([layer])]);
    Deno.removeSync(l.blobPath(layer));
  }],
  ["a layer that is a FIFO", /file missing: layout: blobs\/sha256\/\w+/, async (l, layer) => {
    l.index([await l.image([layer])]);
    Deno.removeSync(l.blobPath(layer));
    new Deno.Command("mkfifo", { args: [l.blobPath(layer)] }).outputSync();
  }],
  ["a configuration that is not there", /file missing: /, async (l, layer) => {
    const config = { mediaType: `${OCI}.config.v1+json`, digest: ZEROS, size: 10 };
    l.index([await l.image([layer], { config })]);
  }],
  ["a manifest with another content", /wrong content: /, async (l, layer) => {
    const manifest = await l.image([layer]);
    l.index([manifest]);
    const text = Deno.readTextFileSync(l.blobPath(manifest));
    Deno.writeTextFileSync(
      l.blobPath(manifest),
      text.replace('"schemaVersion":2', '"schemaVersion":3'),
    );
  }],
  ["a digest that is a path", /digest/, async (l, layer) => {
    l.index([{ ...await l.image([layer]), digest: "sha256:../../../etc/passwd" }]);
  }],
  ["metadata of 1 TiB", /too large: .* bytes of metadata/, async (l, layer) => {
    l.index([{ ...await l.image([layer]), size: 2 ** 40 }]);
  }],
  ["an index of 5 MB", /too large: layout: index\.json/, (l) => {
    Deno.writeTextFileSync(`${l.path}/index.json`, `[${" ".repeat(5_000_000)}]`);
  }],
  ["an index that is nested deeply", /error: /, (l) => {
    Deno.writeTextFileSync(`${l.path}/index.json`, "[".repeat(1_000_000));
  }],
  ["an index that leads to itself", /wrong (content|size): /, (l) => {
    // No digest can be of what holds it, so something has to be wrong.
    const self = { mediaType: INDEX, digest: ZEROS, size: 200 };
    const text = JSON.stringify({ schemaVersion: 2, mediaType: INDEX, manifests: [self] });
    Deno.writeTextFileSync(`${l.path}/blobs/${ZEROS.replace(":", "/")}`, text.padEnd(200));
    l.index([self]);
  }],
  ["indexes in indexes", /too many indexes in indexes: layout$/m, async (l) => {
    let inner: object = { mediaType: INDEX, digest: ZEROS, size: 200 };
    for (let depth = 0; depth < 10; depth++) {
      inner = await l.put(INDEX, { schemaVersion: 2, mediaType: INDEX, manifests: [inner] });
    }
    l.index([inner]);
  }],
  [
    "an index of 15,000 images",
    /no such image|more than one image|no image for/,
    async (l, layer) => {
      const manifest = await l.image([layer]);
      l.index(
        Array.from(
          { length: 15_000 },
          () => ({ ...manifest, platform: { os: "x", architecture: "y" } }),
        ),
      );
    },
  ],
];
for (const [what, message, make] of LAYOUTS) {
  test(`ch-convert refuses an OCI layout with ${what}`, async (work) => {
    const layout = new HostileLayout(work);
    await make(layout, await layout.put(TAR, makeTar([{ name: "a", data: "content" }])));
    await mustRefuse(work, "oci", "layout", message);
    // As one file it is the same.
    if (what.includes("FIFO")) return;
    await work.must("tar -C layout -cf layout.tar . && rm -r layout && mkdir layout");
    const inFile = new RegExp(message.source.replaceAll("layout", "layout\\.tar"), "m");
    await mustRefuse(work, "oci-archive", "layout.tar", inFile);
  });
}

/** To each format: an error that MESSAGE matches, and nothing new. */
async function mustRefuse(work: Workplace, format: string, input: string, message: RegExp) {
  // A storage directory is there as soon as it is looked into.
  const list = () => listNames(work.path).filter((name) => name !== "storage");
  const names = list();
  for (
    const [outFormat, output] of [
      ["dir", "out"],
      ["squash", "out.sqfs"],
      ["tar", "out.tgz"],
      [format === "oci" ? "oci-archive" : "oci", "out.oci"],
      ["ch-image", "stored"],
    ] as const
  ) {
    const result = await work.run(["ch-convert", "-i", format, "-o", outFormat, input, output]);
    expect(result, { code: 1, stderr: message });
    assert.match(result.stderr, /^error: [^\n]{1,400}\n(hint: .*\n)?$/m);
    assert.deepEqual(list(), names, outFormat);
  }
  expect(await work.run(["ch-image", "list"]), { code: 0, stdout: "" });
  assert.ok(!exists(`${work.path}/storage/img/stored`));
}

const LAYERS: readonly (readonly [string, RegExp, readonly Member[]])[] = [
  ["..", /rejecting up-level member: .*\.\.\/escaped/, [{ name: "../escaped", data: "x" }]],
  [".. in the middle", /rejecting up-level member/, [{ name: "a/../../../escaped", data: "x" }]],
  [
    "a hard link out",
    /rejecting too many up-levels/,
    [{ name: "a", type: "1", link: "../../../../etc/passwd" }],
  ],
];
for (const [what, message, members] of LAYERS) {
  test(`ch-convert refuses a layer with ${what}`, async (work) => {
    const layout = new HostileLayout(work);
    layout.index([await layout.image([await layout.put(TAR, makeTar(members))])]);
    for (
      const [format, output] of [["dir", "out"], ["squash", "x.sqfs"], ["tar", "x.tgz"]] as const
    ) {
      expect(await work.run(["ch-convert", "-i", "oci", "-o", format, "layout", output]), {
        code: 1,
        stderr: message,
      });
    }
    assert.deepEqual(listNames(work.path), ["home", "layout"]);
  });
}

test("ch-convert keeps members of layers inside the image", async (work) => {
  work.tree("victim", { "file": "mine" });
  const layout = new HostileLayout(work);
  const victim = `${work.path}/victim`;
  const layers = [
    makeTar([
      { name: "/absolute", data: "inside" },
      { name: "link", type: "2", link: victim },
      { name: "up", type: "2", link: "../../../../../../../.." },
    ]),
    // Through the links that a layer below has put there.
    makeTar([
      { name: "link/file", data: "not yours" },
      { name: "link/.wh.file", data: "" },
      { name: `up${victim}/file`, data: "nor this" },
      { name: "hard", type: "1", link: "link/file" },
    ]),
  ];
  const blobs = [];
  for (const layer of layers) blobs.push(await layout.put(TAR, layer));
  layout.index([await layout.image(blobs)]);
  for (
    const [format, output] of [["dir", "out"], ["squash", "x.sqfs"], ["tar", "x.tgz"]] as const
  ) {
    const { code, stderr } = await work.run([
      "ch-convert",
      "-i",
      "oci",
      "-o",
      format,
      "layout",
      output,
    ]);
    assert.ok(code === 0 || /^error: /m.test(stderr), stderr);
    assert.equal(exists(`${work.path}/${output}`), code === 0);
    assert.deepEqual(listNames(victim), ["file"]);
    assert.equal(Deno.readTextFileSync(`${victim}/file`), "mine");
  }
});

const ARCHIVES: readonly (readonly [string, RegExp, readonly Member[]])[] = [
  ["no manifest", /error: .*saved\.tar.*manifest\.json/, [{ name: "repositories", data: "{}" }]],
  ["a manifest that is no JSON", /error: .*saved\.tar/, [{ name: "manifest.json", data: "{" }]],
  ["no image", /error: .*saved\.tar/, [{ name: "manifest.json", data: "[]" }]],
  [
    "a configuration that is not there",
    /file missing: saved\.tar: \.\.\/\.\.\/etc\/passwd/,
    [{
      name: "manifest.json",
      data: '[{"Config":"../../etc/passwd","RepoTags":["a:b"],"Layers":[]}]',
    }],
  ],
  [
    "another layer than its configuration says",
    /wrong content: saved\.tar: l\.tar: digest is sha256:\w+, not sha256:0+/,
    [
      {
        name: "manifest.json",
        data: '[{"Config":"c.json","RepoTags":["a:b"],"Layers":["l.tar"]}]',
      },
      {
        name: "c.json",
        data:
          `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["${ZEROS}"]}}`,
      },
      { name: "l.tar", data: new TextDecoder().decode(makeTar([{ name: "a", data: "x" }])) },
    ],
  ],
  [
    "a layer that is a link to itself",
    /file missing: saved\.tar: l\.tar/,
    [
      {
        name: "manifest.json",
        data: '[{"Config":"c.json","RepoTags":["a:b"],"Layers":["l.tar"]}]',
      },
      {
        name: "c.json",
        data:
          `{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["${ZEROS}"]}}`,
      },
      { name: "l.tar", type: "2", link: "l.tar" },
    ],
  ],
];
for (const [what, message, members] of ARCHIVES) {
  test(`ch-convert refuses a docker-archive with ${what}`, async (work) => {
    Deno.writeFileSync(`${work.path}/saved.tar`, makeTar(members));
    await mustRefuse(work, "docker-archive", "saved.tar", message);
  });
}

test("ch-convert stops a bomb when the disk is full, and leaves nothing there", async (work) => {
  const layout = new HostileLayout(work);
  // 200 MB that are not zeros, in a few hundred kilobytes.
  await work.must(
    "mkdir bomb; yes bomb | head -c 200000000 > bomb/a; tar -C bomb -czf bomb.tgz .; rm -r bomb",
  );
  const bomb = await layout.put(`${TAR}+gzip`, Deno.readFileSync(`${work.path}/bomb.tgz`));
  layout.index([await layout.image([bomb])]);
  await work.must("tar -C layout -c . | gzip > layout.tar.gz; mkdir full");
  await work.must('mount -t tmpfs -o size=3m,mode=1777 none "$1/full"', [work.path], {
    root: true,
  });
  try {
    const env = { CH_IMAGE_STORAGE: `${work.path}/full/storage` };
    for (
      const [inFormat, input, format, output] of [
        ["oci", "layout", "dir", "out"],
        ["oci-archive", "layout.tar.gz", "dir", "out"],
        ["oci", "layout", "ch-image", "stored"],
        ["dir", "big", "oci", "out.oci"],
        ["dir", "big", "oci-archive", "out.tar"],
        ["dir", "big", "docker-archive", "out.tar"],
      ] as const
    ) {
      if (input === "big") await work.must("mkdir -p big; head -c 9000000 /dev/urandom > big/a");
      const result = await work.run(
        ["ch-convert", "-i", inFormat, "-o", format, `${work.path}/${input}`, output],
        { cwd: `${work.path}/full`, env },
      );
      expect(result, { code: 1, stderr: /^error: [^]*No space left on device/m });
      assert.deepEqual(listNames(`${work.path}/full`).filter((name) => name !== "storage"), []);
    }
    assert.ok(!exists(`${work.path}/full/storage/img/stored`));
  } finally {
    await work.must('umount "$1/full"', [work.path], { root: true });
  }
}, "root");
