// How fast images are pulled and pushed, and in how much memory, beside the peers that are installed: from
// and to registries on this machine, by TLS. Words are filters of rows.
//
// Each run writes to a place of its own, and nothing is removed before the end, when there are some 25 GB:
// for some minutes after files were removed ext4 looks at each of their inodes, one by one, whenever it makes
// a file, which costs seconds. The registries keep what they get in memory if there is enough, so that
// it is not the disk that is measured.
//
// Not to be run under a real-time policy: podman's processes wait for one another by spinning.

import { makeCertificates } from "../../tests/interop/certificates.ts";
import { TestRegistry } from "../../tests/interop/registry.ts";
import {
  bench,
  gitIdentity,
  isWanted,
  type Line,
  place,
  prepareRun,
  rig,
  type Row,
} from "./measure.ts";
import { exists, report, runAsUser, toCommand, type Way } from "./measure.ts";
import { measurePeak } from "./peak_memory.ts";
import { type Image, IMAGES, makeImages } from "./registry_images.ts";

const ROUNDS = 3;
/** Bytes: what the runs leave in the registries, and room for the commands. */
const MEMORY = 6 * 2 ** 30;

const certificates = makeCertificates(place);
// podman and skopeo trust all that is in a directory.
Deno.mkdirSync(`${place}/trusted`);
Deno.copyFileSync(certificates.authority, `${place}/trusted/ca.crt`);
const below = findMemory();
/** Nothing can be taken over from the one to the other. */
await using source = await TestRegistry.start({ tls: certificates.signed, below });
await using target = await TestRegistry.start({ tls: certificates.signed, below });

const trust = { REQUESTS_CA_BUNDLE: certificates.authority };
/** skopeo looks for logins there; elsewhere it may not even look. */
const noLogins = { REGISTRY_AUTH_FILE: `${place}/logins.json` };
const hasPodman = Deno.uid() === 0 && exists("/usr/bin/podman");
const podmanAt = (root: string) =>
  `podman --root=${root} --runroot=${root}.run --storage-driver=overlay`;
const podman = podmanAt(`${place}/podman`);
/** For the shell: what no run before had. */
const unique = "$(cat /proc/sys/kernel/random/uuid)";
const fresh = `${target.address}/bench/${unique}:1`;

await bench(prepare, makeRows, measureMemory);

function prepare(): void {
  Deno.writeTextFileSync(noLogins.REGISTRY_AUTH_FILE, "{}");
  makeImages(place, rig);
  for (const { name } of IMAGES) {
    run(`skopeo copy -q --format=v2s2 --dest-cert-dir=${place}/trusted oci:${place}/layout:${name} \
      docker://${nameOf(name)}`);
  }
  runAsUser([
    "sh",
    "-ec",
    `cd ${place}; ch-image import tree one; ch-image pull ${nameOf("twenty")} twenty`,
  ], {
    ...trust,
    CH_IMAGE_STORAGE: `${place}/kept`,
  });
  if (exists("/usr/bin/umoci")) {
    runAsUser([
      "umoci",
      "unpack",
      "--rootless",
      "--image",
      `${place}/layout:twenty`,
      `${place}/bundle`,
    ]);
  }
}

function nameOf(name: string): string {
  return `${source.address}/bench/${name}:1`;
}

function makeRows(): Row[] {
  return IMAGES.flatMap((image) => [
    { what: `pull ${describe(image)}`, runs: ROUNDS, ways: makePulls(image) },
    { what: `push ${describe(image)}`, runs: ROUNDS, ways: makePushes(image) },
  ]);
}

function describe({ layers }: Image): string {
  return layers === 1 ? "1 layer" : `${layers} layers`;
}

function makePulls({ name }: Image): Way[] {
  const from = nameOf(name);
  const pull = (program: string, ...words: string[]) => [
    "sh",
    "-ec",
    `CH_IMAGE_STORAGE=${place}/pulled.${unique} ${program} pull ${words.join(" ")} ${from} x`,
  ];
  // What others have written is not to be waited for.
  const common = { before: "sync", env: trust };
  const ways: Way[] = [
    { ...common, name: "ch", command: pull(`${rig}/bin/ch-image`) },
    { ...common, name: "ch --no-cache", command: pull(`${rig}/bin/ch-image`, "--no-cache") },
    {
      ...common,
      name: "Debian's charliecloud",
      command: pull("/usr/bin/ch-image", "--cache"),
      env: { ...trust, ...gitIdentity },
      needs: "/usr/bin/ch-image",
    },
    {
      ...common,
      name: "Debian's charliecloud --no-cache",
      command: pull("/usr/bin/ch-image", "--no-cache"),
      needs: "/usr/bin/ch-image",
    },
    {
      ...common,
      name: "skopeo, umoci",
      command: [
        "sh",
        "-ec",
        `out=${place}/pulled.${unique}
         skopeo copy -q --src-cert-dir=${place}/trusted docker://${from} oci:$out:x
         umoci unpack --rootless --image $out:x $out/bundle`,
      ],
      env: noLogins,
      needs: "/usr/bin/umoci",
    },
  ];
  if (!hasPodman) return ways;
  // Its paths may not be long.
  const pullAsRoot = `root=$(mktemp -d ${place}/XXXX)
    ${podmanAt("$root")} pull -q --cert-dir=${place}/trusted ${from}`;
  const command = ["root", "sh", "-ec", pullAsRoot];
  return [...ways, { ...common, name: "podman as root", command }];
}

function makePushes(image: Image): Way[] {
  const { name } = image;
  const ways: Way[] = [
    {
      name: "ch",
      command: ["sh", "-ec", `${rig}/bin/ch-image push ${name} ${fresh}`],
      env: { ...trust, CH_IMAGE_STORAGE: `${place}/kept` },
    },
    ...makeLayoutPushes(image),
  ];
  // It knows of no layers, and wants an image with a history.
  if (name === "one") {
    ways.push({
      name: "Debian's charliecloud",
      command: ["sh", "-ec", `/usr/bin/ch-image push --no-cache one ${fresh}`],
      before: `test -e ${place}/old.kept/img/one || ` +
        `/usr/bin/ch-image pull --no-cache ${nameOf(name)} one`,
      env: { ...trust, CH_IMAGE_STORAGE: `${place}/old.kept` },
      needs: "/usr/bin/ch-image",
      isSlow: true,
    });
  }
  if (!hasPodman) return ways;
  return [...ways, {
    name: "podman as root",
    command: [
      "root",
      ...withoutMemory(`${podman} push -q --cert-dir=${place}/trusted ${nameOf(name)} ${fresh}`),
    ],
    before: `${podman} image exists ${
      nameOf(name)
    } || ${podman} pull -q --cert-dir=${place}/trusted ${nameOf(name)}`,
  }];
}

/** By umoci and skopeo. Of the tree of twenty layers umoci tells what was built on them, as ch has to; what
 * skopeo takes for sending the layers alone is the registry's share. */
function makeLayoutPushes({ name }: Image): Way[] {
  const push = (layout: string) =>
    `skopeo copy -q --dest-cert-dir=${place}/trusted oci:${layout} docker://${fresh}`;
  const common = { before: `rm -rf ${place}/.local`, env: noLogins, needs: "/usr/bin/umoci" };
  if (name === "twenty") {
    const repack = `umoci repack --image ${place}/layout:again ${place}/bundle`;
    return [
      {
        ...common,
        name: "umoci, skopeo",
        command: ["sh", "-ec", `${repack}; ${push(`${place}/layout:again`)}`],
      },
      {
        ...common,
        name: "skopeo alone, from a layout",
        command: ["sh", "-ec", push(`${place}/layout:${name}`)],
      },
    ];
  }
  const layout = `${place}/made`;
  return [{
    ...common,
    name: "umoci, skopeo",
    command: [
      "sh",
      "-ec",
      `umoci init --layout ${layout}; umoci new --image ${layout}:x
       umoci insert --rootless --image ${layout}:x ${place}/tree /; ${push(`${layout}:x`)}`,
    ],
    before: `rm -rf ${layout} ${place}/.local`,
  }];
}

/** podman remembers what it has sent where, and would not send it again. */
function withoutMemory(script: string): string[] {
  const cache = "/var/lib/containers/cache";
  return [
    "unshare",
    "-m",
    "sh",
    "-ec",
    `mkdir -p ${cache}; mount -t tmpfs none ${cache}; ${script}`,
  ];
}

async function measureMemory(): Promise<Line[]> {
  const lines: Line[] = [];
  for (const { what, ways } of makeRows()) {
    const row = `memory, ${what}`;
    if (!isWanted({ what: row })) continue;
    for (const way of ways.filter(({ needs }) => needs === undefined || exists(needs))) {
      prepareRun(way);
      const peak = await measurePeak(toCommand(way, "null"));
      const size = peak === undefined ? "failed" : `${Math.round(peak / 1024)} MiB`;
      lines.push(...report([[row, way.name, size, ""]]));
    }
  }
  return lines;
}

/** Where files are in memory; undefined if there is too little of it. */
function findMemory(): string | undefined {
  return Deno.systemMemoryInfo().available > MEMORY ? "/dev/shm" : undefined;
}

function run(script: string): void {
  const { success, stderr } = new Deno.Command("sh", { args: ["-ec", script], stdin: "null" })
    .outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
