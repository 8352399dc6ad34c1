// Programs of this machine in a small image, for stories about programs that busybox does not have.

import type { Workplace } from "../rig.ts";

/** Copies programs and the libraries that they are linked with into the image directory IMAGE. */
export async function addHostPrograms(
  work: Workplace,
  image: string,
  names: readonly string[],
): Promise<void> {
  await work.must(
    `cd "$1"; shift
for name; do
  path=$(command -v "$name")
  cp -L "$path" "bin/$name"
  for library in $(ldd "$path" | grep -o '/[^ ]*'); do
    mkdir -p ".\${library%/*}"
    cp -L "$library" ".$library"
  done
done`,
    [image, ...names],
  );
}
