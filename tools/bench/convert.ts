// How long an image in storage takes to become a SquashFS file, with defaults: ch-convert beside Debian's
// charliecloud, which calls mksquashfs. Storages differ, images are the same. Run it by `make bench` or by
// itself:
//
//   tools/bench/convert.ts [-nROUNDS] [WORD...]     words are filters of rows

const projectRoot = new URL("../..", import.meta.url).pathname;
const rig = ask("where"), user = ask("user");
const rounds = Number(Deno.args.find((word) => /^-n\d+$/.test(word))?.slice(2) ?? 3);
const PEER = "/usr/bin/ch-convert";

const WHAT = "storage to SquashFS";
const words = Deno.args.filter((word) => !word.startsWith("-"));
if (words.length > 0 && !words.some((word) => WHAT.includes(word))) Deno.exit(0);

const place = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "ch-bench." });
try {
  measure();
} finally {
  shell(`chmod -R u+rwx ${place}; rm -rf ${place}`);
}

function measure(): void {
  Deno.chmodSync(place, 0o755);
  if (Deno.uid() === 0) shell(`chown ${user}: ${place}`);
  asUser(`${rig}/bin/ch-image -s ${place}/new import ${rig}/debian.tar debian`);
  // The peer is given the same tree, in the place it looks for one.
  asUser(`mkdir -p ${place}/old/img ${place}/old/dlcache ${place}/old/ulcache ${place}/old/bularge
    cp -a ${place}/new/img/debian ${place}/old/img/debian; echo 6 > ${place}/old/version`);
  const ways = [
    { name: "ch", program: `${rig}/bin/ch-convert`, storage: "new" },
    { name: "Debian's charliecloud", program: PEER, storage: "old" },
  ].filter(({ program }) => exists(program));
  const times = ways.map((): number[] => []);
  // Alternating, so that what else goes on in the machine hits all alike; the first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const [index, { program, storage }] of ways.entries()) {
      asUser(`rm -f ${place}/out.sqfs`);
      const begin = performance.now();
      asUser(
        `CH_IMAGE_STORAGE=${place}/${storage} ${program} -i ch-image debian ${place}/out.sqfs`,
      );
      if (round > 0) times[index]!.push(performance.now() - begin);
    }
  }
  const own = median(times[0]!);
  for (const [index, { name }] of ways.entries()) {
    const time = median(times[index]!);
    const what = index === 0 ? WHAT : "";
    const ratio = index === 0 ? "" : `ch takes ${(own / time).toFixed(2)} times that`;
    console.log(
      `${what.padEnd(26)}  ${name.padEnd(24)}  ${time.toFixed(0)} ms  ${ratio}`.trimEnd(),
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
