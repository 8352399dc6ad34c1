// The images that tools/bench/squashfs.ts measures with, and where they come from.

/** Paths of the images, packed by ch-convert with its defaults. */
export interface Images {
  /** Debian with Python and gcc: 11,000 entries, 400 MB. */
  readonly debian: string;
  /** 100,000 files of 3 KB on average, 100 in each directory, below /small of a Debian. */
  readonly small: string;
}

/** Makes them in PLACE as USER. The tar archive of the Debian is kept in the rig. */
export function makeImages(place: string, rig: string, user: string): Images {
  Deno.chmodSync(place, 0o755);
  shell(`[ -e ${rig}/debian-dev.tar ] || {
    debootstrap --variant=minbase --include=python3,gcc,libc6-dev bookworm ${place}/new >&2
    rm -rf ${place}/new/var/cache/apt/archives/*.deb ${place}/new/var/lib/apt/lists/*
    tar -C ${place}/new --numeric-owner --exclude='./dev/*' -cf ${rig}/debian-dev.tar.new .
    mv ${rig}/debian-dev.tar.new ${rig}/debian-dev.tar
    rm -rf ${place}/new; }
  mkdir -p ${place}/debian ${place}/small ${place}/mount
  tar -C ${place}/debian -xf ${rig}/debian-dev.tar
  tar -C ${place}/small -xf ${rig}/debian.tar`);
  makeSmallFiles(`${place}/small/small`);
  shell(`chown -R ${user}: ${place}
  for name in debian small; do
    setpriv --reuid=${user} --regid=${user} --clear-groups env HOME=${place} \\
      CH_IMAGE_STORAGE=${place}/storage ${rig}/bin/ch-convert -i dir -o squash ${place}/$name ${place}/$name.sqfs
  done >&2`);
  return { debian: `${place}/debian.sqfs`, small: `${place}/small.sqfs` };
}

/** Text of letters, by a generator that gives the same in every run. */
function makeSmallFiles(top: string): void {
  let state = 4;
  const random = () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
  const word = () => Array.from({ length: 6 }, () => "etaoinsh rdlu\n"[random() * 14 | 0]).join("");
  const words = Array.from({ length: 4000 }, word);

  for (let directory = 0; directory < 1000; directory++) {
    const path = `${top}/${directory % 10}/${directory}`;
    Deno.mkdirSync(path, { recursive: true });
    for (let file = 0; file < 100; file++) {
      const count = Math.ceil(-500 * Math.log(1 - random()));
      const text = Array.from({ length: count }, () => words[random() * words.length | 0]).join("");
      Deno.writeTextFileSync(`${path}/file${file}`, text);
    }
  }
}

function shell(script: string): void {
  const { success } = new Deno.Command("sh", { args: ["-ec", script], stdin: "null" })
    .outputSync();
  if (!success) throw new Error(`failed: ${script}`);
}
