// A small image of several layers made by umoci, put into a registry by skopeo: foreign work that ours
// must understand.

import type { Workplace } from "../rig.ts";

/** Layer for layer, what shell commands do in the root directory. */
export const LAYERS: readonly string[] = [
  "echo one > etc/one; echo gone > etc/gone; mkdir -p opt/full opt/opaque; echo x > opt/full/x; " +
  "echo low > opt/opaque/low; ln -s /etc/one opt/absolute; ln etc/one opt/hard; " +
  "printf abc > opt/abc; mkdir kind; echo file > kind/a; mkdir kind/b; ln -s a kind/c",
  "rm -r etc/gone opt/full; rm -r opt/opaque; mkdir opt/opaque; echo high > opt/opaque/high; " +
  "rm -r kind/*; mkdir kind/a; echo file > kind/b; mkdir kind/c; echo in > kind/c/in",
  "chmod 4755 opt/abc; mkdir -m 0 opt/closed; echo three > etc/three",
];

/** Makes an OCI layout `oci` with the image `sample`; returns the path of the last root directory. */
export async function makeSample(work: Workplace, layers = LAYERS): Promise<string> {
  work.image("base");
  await work.must("umoci init --layout oci; umoci new --image oci:sample", [], { root: true });
  for (const [index, script] of ["cp -a ../../base/. .", ...layers].entries()) {
    await work.must(
      `umoci unpack --image oci:sample bundle${index}; (cd bundle${index}/rootfs; ${script}); ` +
        `umoci repack --image oci:sample bundle${index}; rm -rf bundle${index}`,
      [],
      { root: true },
    );
  }
  await work.must(
    "umoci config --image oci:sample --config.env SAMPLE=1 --config.env A=b=c " +
      "--config.workingdir /opt --config.label l=1 --config.volume /mnt/data/x --config.cmd /bin/true",
    [],
    { root: true },
  );
  await work.must("umoci unpack --image oci:sample result", [], { root: true });
  return `${work.path}/result/rootfs`;
}

/** Puts the sample into the registry at ADDRESS as REFERENCE. */
export async function pushSample(
  work: Workplace,
  address: string,
  reference: string,
  options = "",
): Promise<void> {
  await work.must(
    `skopeo copy -q --dest-tls-verify=false ${options} oci:oci:sample "docker://$1/$2"`,
    [address, reference],
    { root: true },
  );
}

/** Names, types, modes, sizes and contents below DIRECTORY, but for what ch-image adds or changes: its
 * own directory, mount points, set-user-ID bits, and modes that would shut the user out. */
export async function describeTree(work: Workplace, directory: string): Promise<string> {
  return await work.must(
    // A copy, for images in storage share files.
    'd=$(mktemp -d); cp -a "$1/." "$d"; cd "$d"; find . -mindepth 1 ! -path "./ch*" ! -path "./mnt*" ! -path "./dev/*" ' +
      "! -path ./etc/hosts ! -path ./etc/resolv.conf | LC_ALL=C sort | " +
      'while IFS= read -r f; do if [ -L "$f" ]; then t=$(readlink "$f"); ' +
      'case $t in /*) ;; *) t="/$(dirname "$f")/$t";; esac; echo "$f -> $(realpath -sm "$t")"; ' +
      'elif [ -d "$f" ]; then echo "$f/ $(stat -c %a "$f" | sed s/^0$/700/)"; ' +
      'else echo "$f $(stat -c "%a %s %h %Y" "$f" | sed "s/^4\\(...\\) /\\1 /") $(md5sum < "$f")"; fi; done; rm -rf "$d"',
    [directory],
    { root: true },
  );
}
