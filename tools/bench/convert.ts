// How long conversions to and from SquashFS take: ch-convert beside Debian's charliecloud, mksquashfs and
// unsquashfs, on a debootstrapped Debian. Run it by `make bench` or by itself:
//
//   tools/bench/convert.ts [-nROUNDS] [WORD...]     words are filters of rows

interface Way {
  readonly name: string;
  readonly command: string;
}
interface Row {
  readonly what: string;
  /** What is made; its size is shown if it is a file. */
  readonly output: string;
  /** Ours first. */
  readonly ways: readonly Way[];
}

const projectRoot = new URL("../..", import.meta.url).pathname;
const rig = ask("where"), user = ask("user");
const rounds = Number(Deno.args.find((word) => /^-n\d+$/.test(word))?.slice(2) ?? 3);
const words = Deno.args.filter((word) => !word.startsWith("-"));

const place = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "ch-bench." });
const image = `${place}/image`, stored = `${place}/image.sqfs`;
try {
  const rows = makeRows().filter(({ what }) =>
    words.length === 0 || words.some((word) => what.includes(word))
  );
  if (rows.length > 0) prepare();
  for (const row of rows) measureRow(row);
} finally {
  shell(`chmod -R u+rwx ${place}; rm -rf ${place}`);
}

function prepare(): void {
  Deno.chmodSync(place, 0o755);
  if (Deno.uid() === 0) shell(`chown ${user}: ${place}`);
  asUser(`${rig}/bin/ch-image -s ${place}/new import ${rig}/debian.tar debian`);
  // The peer is given the same tree, in the place it looks for one.
  asUser(`mkdir -p ${place}/old/img ${place}/old/dlcache ${place}/old/ulcache ${place}/old/bularge
    cp -a ${place}/new/img/debian ${place}/old/img/debian; echo 6 > ${place}/old/version
    cp -a ${place}/new/img/debian ${image}; ${rig}/bin/ch-convert -q ${image} ${stored}`);
}

function makeRows(): Row[] {
  const squash = `${place}/out.sqfs`, directory = `${place}/out`;
  const ours = `${rig}/bin/ch-convert`, peer = "/usr/bin/ch-convert";
  const from = (storage: string) => `CH_IMAGE_STORAGE=${place}/${storage} `;
  return [
    {
      what: "storage to SquashFS",
      output: squash,
      ways: [
        { name: "ch", command: `${from("new")}${ours} -i ch-image debian ${squash}` },
        {
          name: "Debian's charliecloud",
          command: `${from("old")}${peer} -i ch-image debian ${squash}`,
        },
      ],
    },
    // The same compressor, level and size of blocks on both sides.
    ...[["zstd", "--level=6", "-Xcompression-level 6"], ["gzip", "", ""], ["xz", "", ""]].map(
      ([compressor, own, theirs]) => ({
        what: `directory to SquashFS, ${compressor}`,
        output: squash,
        ways: [
          {
            name: "ch",
            command: `${ours} --comp=${compressor} ${own} --block-size=64K ${image} ${squash}`,
          },
          {
            name: "mksquashfs",
            command:
              `/usr/bin/mksquashfs ${image} ${squash} -comp ${compressor} ${theirs} -b 64K -all-root -quiet -no-progress`,
          },
        ],
      }),
    ),
    {
      what: "SquashFS to directory",
      output: directory,
      ways: [
        { name: "ch", command: `${ours} ${stored} ${directory}` },
        {
          name: "unsquashfs",
          command: `/usr/bin/unsquashfs -quiet -no-progress -d ${directory} ${stored}`,
        },
      ],
    },
  ];
}

/** Alternating, so that what else goes on in the machine hits all alike; the first round warms up. */
function measureRow({ what, output, ways: all }: Row): void {
  const ways = all.filter(({ command }) => exists(command.match(/\/\S*bin\/\S+/)![0]));
  const times = ways.map((): number[] => []), sizes = ways.map(() => 0);
  for (let round = 0; round <= rounds; round++) {
    for (const [index, { command }] of ways.entries()) {
      asUser(`rm -rf ${output}`);
      const begin = performance.now();
      asUser(command);
      if (round > 0) times[index]!.push(performance.now() - begin);
      sizes[index] = Deno.statSync(output).size;
    }
  }
  const own = median(times[0]!), isFile = Deno.statSync(output).isFile;
  for (const [index, { name }] of ways.entries()) {
    const time = median(times[index]!);
    console.log(
      [
        (index === 0 ? what : "").padEnd(26),
        name.padEnd(24),
        `${time.toFixed(0)} ms`.padStart(9),
        (index === 0 ? "" : `ch takes ${(own / time).toFixed(2)} times that`).padEnd(24),
        isFile ? `${(sizes[index]! / 2 ** 20).toFixed(1)} MiB` : "",
      ].join("  ").trimEnd(),
    );
  }
}

function ask(word: string): string {
  const { stdout } = new Deno.Command("tools/rig.sh", { args: [word], cwd: projectRoot })
    .outputSync();
  return new TextDecoder().decode(stdout).trim();
}

function asUser(script: string): void {
  const drop = Deno.uid() === 0 ? `setpriv --reuid=${user} --regid=${user} --clear-groups` : "";
  shell(`${drop} env -i HOME=${place} USER=${user} PATH=/usr/bin:/bin sh -ec '${script}'`);
}

function shell(script: string): void {
  const { success, stderr } = new Deno.Command("sh", {
    args: ["-ec", script],
    cwd: "/",
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).outputSync();
  if (!success) throw new Error(`failed: ${script}\n${new TextDecoder().decode(stderr)}`);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2;
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
