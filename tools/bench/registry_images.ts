// Two images for measuring registries, of the same 13,000 files: one with all of them in a layer of some
// 100 MB, as gzip(1) makes it, and one with twenty layers. Made without any of the tools compared.

import { runAsUser } from "./measure.ts";

export interface Image {
  readonly name: "one" | "twenty";
  readonly layers: number;
}
export const IMAGES: readonly Image[] = [{ name: "one", layers: 1 }, {
  name: "twenty",
  layers: 20,
}];

/** Makes PLACE/layout, an OCI layout with them, and PLACE/tree, what is in them, of the Debian in RIG. */
export function makeImages(place: string, rig: string): void {
  must(`cd ${place}; mkdir -p tree/opt/copy layout/blobs/sha256
    for to in tree tree/opt/copy; do tar -xf ${rig}/debian.tar -C $to --exclude='./dev/*'; done
    cd tree; find . -type d | LC_ALL=C sort >../directories; find . ! -type d | LC_ALL=C sort >../files`);
  for (const { name, layers } of IMAGES) {
    must(`cd ${place}; split -n r/${layers} -d -a 2 files ${name}.
      cat ${name}.00 >>directories.0; cat directories ${name}.00 >files.0; mv files.0 ${name}.00; rm directories.0
      ls ${name}.?? | xargs -P 2 -I@ sh -ec 'tar -C tree -cf @.tar --no-recursion --owner=0 --group=0 --numeric-owner \\
        -T @; gzip -6 <@.tar >@.gz; sha256sum <@.tar >@.sum; rm @.tar'`);
  }
  const manifests = IMAGES.map(({ name, layers }) => writeManifest(place, name, layers));
  writeJson(`${place}/layout/index.json`, { schemaVersion: 2, manifests });
  writeJson(`${place}/layout/oci-layout`, { imageLayoutVersion: "1.0.0" });
}

function writeManifest(place: string, name: string, count: number) {
  const numbers = Array.from({ length: count }, (_, at) => String(at).padStart(2, "0"));
  const layers = numbers.map((number) =>
    putBlob(place, `${place}/${name}.${number}.gz`, "application/vnd.oci.image.layer.v1.tar+gzip")
  );
  const config = `${place}/config`;
  writeJson(config, {
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: {
      type: "layers",
      diff_ids: numbers.map((number) => {
        const [sum] = Deno.readTextFileSync(`${place}/${name}.${number}.sum`).split(" ");
        return `sha256:${sum}`;
      }),
    },
    history: numbers.map(() => ({ created_by: "bench" })),
  });
  const manifest = `${place}/manifest`;
  writeJson(manifest, {
    schemaVersion: 2,
    config: putBlob(place, config, "application/vnd.oci.image.config.v1+json"),
    layers,
  });
  return {
    ...putBlob(place, manifest, "application/vnd.oci.image.manifest.v1+json"),
    annotations: { "org.opencontainers.image.ref.name": name },
  };
}

/** The file PATH becomes a blob of the layout. */
function putBlob(place: string, path: string, mediaType: string) {
  const sum = must(`sha256sum <${path}`).slice(0, 64);
  const { size } = Deno.statSync(path);
  Deno.renameSync(path, `${place}/layout/blobs/sha256/${sum}`);
  return { mediaType, digest: `sha256:${sum}`, size };
}

function writeJson(path: string, value: unknown): void {
  Deno.writeTextFileSync(path, JSON.stringify(value));
}

function must(script: string): string {
  const { code, stdout, stderr } = runAsUser(["sh", "-ec", script]);
  if (code === 0) return new TextDecoder().decode(stdout);
  throw new Error(new TextDecoder().decode(stderr));
}
