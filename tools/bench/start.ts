// How fast containers start, alone and many at once, and what they hold in memory while the command runs,
// beside bare Deno and the peers that are installed.

import { measureMemory, SLEEP } from "./memory.ts";
import {
  bench,
  exists,
  isWanted,
  type Line,
  place,
  rig,
  type Row,
  runAsUser,
  shell,
  type Way,
} from "./measure.ts";

const deno = Deno.execPath();
const dir = `${place}/debian`, squash = `${place}/debian.sqfs`;
const AT_ONCE = 64;
const podmanState = [
  `--root=${place}/podman`,
  `--runroot=${place}/podman.run`,
  "--storage-driver=overlay",
];

await bench(prepare, makeRows, measureMemoryHeld);

function prepare(): void {
  Deno.writeTextFileSync(`${place}/empty.js`, "");
  const script = `cd ${place}; mkdir debian; tar -xf ${rig}/debian.tar -C debian --exclude=./dev
     mkdir debian/dev; ${rig}/bin/ch-convert ./debian debian.sqfs`;
  runAsUser(["sh", "-ec", script]);
  if (Deno.uid() === 0 && exists("/usr/bin/podman")) {
    shell(`podman ${podmanState.join(" ")} import ${rig}/debian.tar debian`);
  }
}

/** What runs COMMAND in the Debian image; ours first. */
function makeWays(image: string, command: readonly string[]): Way[] {
  const ways: Way[] = [
    { name: "ch", command: [`${rig}/bin/ch-run`, image, "--", ...command] },
    {
      name: "Debian's charliecloud",
      command: ["/usr/bin/ch-run", image, "--", ...command],
      needs: "/usr/bin/ch-run",
    },
  ];
  if (image === squash) return ways;
  ways.push({
    name: "bubblewrap",
    command: ["/usr/bin/bwrap", "--ro-bind", dir, "/", "--dev-bind", "/dev", "/dev", ...command],
    needs: "/usr/bin/bwrap",
  });
  if (Deno.uid() === 0) {
    const words = [
      "run",
      "--rm",
      "--network=none",
      "--ulimit=nofile=1024:1024",
      "--ulimit=nproc=1024:1024",
      "debian",
    ];
    ways.push({
      name: "podman as root",
      command: ["root", "podman", ...podmanState, ...words, ...command],
      needs: "/usr/bin/podman",
    });
  }
  return ways;
}

function atOnce({ command, ...way }: Way): Way {
  const [asRoot, words] = command[0] === "root" ? [["root"], command.slice(1)] : [[], [...command]];
  const script = `for i in $(seq ${AT_ONCE}); do "$@" & pids="$pids $!"; done;` +
    " for pid in $pids; do wait $pid || exit; done";
  return { ...way, command: [...asRoot, "sh", "-c", script, "sh", ...words] };
}

function makeRows(): Row[] {
  const bare: Way = { name: "bare deno run", command: [deno, "run", `${place}/empty.js`] };
  const directory = [...makeWays(dir, ["/bin/true"]), bare];
  const file = makeWays(squash, ["/bin/true"]);
  return [
    { what: "start, directory image", runs: 20, ways: directory },
    { what: "start, SquashFS image", runs: 20, ways: file },
    { what: `${AT_ONCE} starts at once, directory`, runs: 3, ways: directory.map(atOnce) },
    { what: `${AT_ONCE} starts at once, SquashFS`, runs: 3, ways: file.map(atOnce) },
  ];
}

async function measureMemoryHeld(): Promise<Line[]> {
  const lines: Line[] = [];
  for (const [kind, image] of [["directory", dir], ["SquashFS", squash]] as const) {
    const what = `memory held, ${kind}`;
    if (!isWanted({ what })) continue;
    for (const way of makeWays(image, SLEEP)) {
      if (way.needs !== undefined && !exists(way.needs)) continue;
      const size = await measureMemory(way);
      lines.push([what, way.name, size === undefined ? "failed" : `${size} KiB`, ""]);
    }
  }
  return lines;
}
