// Checks of building and converting. Their base image is made of a few of the host's own programs, so that neither
// network nor registry is needed.

import type { Check } from "./check.ts";

/** Into the directory $1: programs of the host, the libraries that they are linked with, and mount points. */
const MAKE_ROOT = `
mkdir -p "$1" && cd "$1"
mkdir -p bin usr dev etc proc sys tmp mnt/0 mnt/1 mnt/2
touch etc/passwd etc/group etc/hosts etc/resolv.conf
for name in sh cat chown id ls mkdir mknod mv readlink sleep; do
    path=$(command -v "$name")
    cp -L "$path" "bin/$name"
    # The kernel's own part has no path. Who is linked statically, ldd says in words.
    for library in $(ldd "$path" 2>/dev/null | grep -o '/[^ ]*' || true); do
        mkdir -p ".\${library%/*}"
        [ -e ".$library" ] || cp -L "$library" ".$library"
    done
done`;

export const BUILD_CHECKS: readonly Check[] = [
  {
    scope: "quick",
    name: "ch-image imports a directory of the host's programs",
    script: `(set -- "$PACK_DIR/root"; ${MAKE_ROOT})
ch-image import "$PACK_DIR/root" base
ch-image list | grep -x base`,
  },
  {
    scope: "quick",
    name: "ch-image builds with FROM, ENV, COPY and RUN",
    script: `
echo copied >file
cat >Dockerfile <<'END'
FROM base
ENV FOO=bar
COPY file /copied
RUN echo "$FOO" >/made && cat /copied
END
ch-image build -t check . >out
grep -x copied out
cat "$PACK_DIR/storage/img/check/made" | grep -x bar`,
  },
  {
    scope: "standard",
    name: "a second build takes everything from the build cache",
    script: `
printf 'FROM base\\nRUN echo executed\\n' >Dockerfile
ch-image build -t cached . | grep -x executed
ch-image build -t cached . >out
refuse grep executed out`,
  },
  {
    scope: "standard",
    name: "a build that fails leaves the image of its name alone",
    script: `
printf 'FROM base\\nRUN echo first >/made\\n' >Dockerfile
ch-image build -t kept .
printf 'FROM base\\nRUN echo second >/made && exit 3\\n' >Dockerfile
refuse ch-image build -t kept . 2>out
grep 'RUN command exited with 3' out
grep -x first "$PACK_DIR/storage/img/kept/made"`,
  },
  {
    scope: "standard",
    name: "ch-image builds FROM scratch, and in stages",
    script: `
printf 'FROM base AS one\\nRUN echo 1 >/one\\nFROM scratch\\nCOPY --from=one /one /two\\n' >Dockerfile
ch-image build -t stages .
grep -x 1 "$PACK_DIR/storage/img/stages/two"
refuse [ -e "$PACK_DIR/storage/img/stages/one" ]`,
  },
  {
    scope: "standard",
    name: "deleted images come back from the build cache",
    script: `
ch-image import "$PACK_DIR/root" deleted
ch-image delete deleted
ch-image list >out
refuse grep -x deleted out
ch-image undelete deleted
ch-image list | grep -x deleted`,
  },
  {
    scope: "quick",
    name: "ch-convert packs the image",
    script: `
ch-convert check "$PACKED"
[ -s "$PACKED" ]`,
  },
  {
    scope: "standard",
    name: "an image is the same after it was packed and unpacked in each format",
    script: `
ch-convert check ./directory
for packed in image.sqfs image.tar.gz image.tar.zst; do
    ch-convert ./directory "$packed"
    ch-convert "$packed" ./unpacked
    (cd directory && ls -lR --time-style=+%s . | grep -v ^total) >before
    (cd unpacked && ls -lR --time-style=+%s . | grep -v ^total) >after
    cmp before after
    cmp directory/made unpacked/made
done`,
  },
  {
    scope: "full",
    name: "packing twice makes the same SquashFS file",
    script: `
ch-convert check one.sqfs
ch-convert check two.sqfs
cmp one.sqfs two.sqfs`,
  },
];
