// How fast images in SquashFS files are: ch-run beside the kernel's own SquashFS (which takes root),
// squashfuse_ll and Debian's ch-run. Each run has a fresh mount; the time is taken inside, by programs
// of the image, so the start of the tools is not in it. Run it as root, by `make bench` or by itself:
//
//   tools/bench/squashfs.ts [-nROUNDS] [--cold] [WORD...]     words are filters of rows
//
// --cold empties the machine's page cache before each run, so that disks are measured, too.

import { makeImages } from "./squashfs_images.ts";
import { serverMemory } from "./server_memory.ts";

interface Way {
  readonly name: string;
  readonly needs: string;
  /** What runs SCRIPT, text of a shell, in IMAGE. */
  readonly command: (image: string, script: string) => readonly string[];
}
interface Row {
  readonly what: string;
  readonly image: "debian" | "small";
  readonly script: string;
}
interface Result {
  readonly milliseconds: number;
  /** Of the server when the work is done, MiB. */
  readonly memory: number | undefined;
}

const projectRoot = new URL("../..", import.meta.url).pathname;
const rig = ask("where"), user = ask("user");
const words = Deno.args.filter((word) => !word.startsWith("-"));
const rounds = Number(Deno.args.find((word) => /^-n\d+$/.test(word))?.slice(2) ?? 3);
const isCold = Deno.args.includes("--cold");

if (Deno.uid() !== 0) {
  console.log("SquashFS: skipped; mounting by the kernel takes root");
  Deno.exit(0);
}
const place = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "ch-bench." });
try {
  const images = makeImages(place, rig, user);
  for (const row of makeRows().filter(isWanted)) measureRow(row, images[row.image]);
} finally {
  new Deno.Command("rm", { args: ["-rf", place] }).outputSync();
}

function ask(word: string): string {
  const { stdout } = new Deno.Command("tools/rig.sh", { args: [word], cwd: projectRoot })
    .outputSync();
  return new TextDecoder().decode(stdout).trim();
}

function makeRows(): Row[] {
  const cat = (files: string, readers: number) =>
    `find ${files} -xdev -type f -print0 | xargs -0 -n 200 -P ${readers} cat`;
  // Each module of the standard library, but those that do something when they are imported.
  const modules =
    "import sys, importlib\nfor name in sorted(sys.stdlib_module_names - {'this', 'antigravity', 'idlelib'}):\n" +
    "  try: importlib.import_module(name)\n  except BaseException: pass\n";
  const hello = "printf 'int main(void) { return 0; }' | gcc -pipe -x c - -c -o /dev/null";
  return [
    { what: "read /usr, one reader", image: "debian", script: cat("/usr", 1) },
    { what: "read /usr, two readers", image: "debian", script: cat("/usr", 2) },
    { what: "find", image: "debian", script: "find / -xdev" },
    { what: "du", image: "debian", script: "du -sx /" },
    { what: "python: import all", image: "debian", script: `python3 -c "${modules}"` },
    { what: "python: import ssl", image: "debian", script: "python3 -c 'import json, ssl'" },
    { what: "gcc -c hello.c", image: "debian", script: hello },
    { what: "small files, one reader", image: "small", script: cat("/small", 1) },
    { what: "small files, two readers", image: "small", script: cat("/small", 2) },
    { what: "small files, find", image: "small", script: "find /small" },
    { what: "small files, du", image: "small", script: "du -s /small" },
  ];
}

function makeWays(): Way[] {
  const drop = ["setpriv", `--reuid=${user}`, `--regid=${user}`, "--clear-groups"];
  const mount = `${place}/mount`;
  // A mount namespace takes the mount along when it ends; squashfuse_ll, which is in it, has to be told.
  const inMount = (how: string) => (image: string, script: string) => [
    ...["unshare", "--mount", "sh", "-c"],
    `${how} "$0" ${mount} && mount --bind /dev ${mount}/dev && { chroot ${mount} sh -c "$1"; umount -l ${mount}; }`,
    ...[image, script],
  ];
  return [
    {
      name: "ch-run",
      needs: `${rig}/bin/ch-run`,
      command: (image, script) => [...drop, `${rig}/bin/ch-run`, image, "--", "sh", "-c", script],
    },
    { name: "kernel, as root", needs: "/usr/bin/mount", command: inMount("mount -o loop,ro") },
    {
      name: "squashfuse_ll",
      needs: "/usr/bin/squashfuse_ll",
      command: inMount("squashfuse_ll -o allow_other,dev"),
    },
    {
      name: "Debian's ch-run",
      needs: "/usr/bin/ch-run",
      command: (image, script) => [
        ...drop,
        ...["/usr/bin/ch-run", "-m", mount, image, "--", "sh", "-c", script],
      ],
    },
  ];
}

function isWanted(row: Row): boolean {
  return words.length === 0 || words.some((word) => row.what.includes(word));
}

/** Alternating, so that what else goes on in the machine hits all alike. */
function measureRow(row: Row, image: string): void {
  const ways = makeWays().filter(({ needs }) => exists(needs));
  const results = ways.map((): Result[] => []);

  for (let round = 0; round < rounds; round++) {
    for (const [index, way] of ways.entries()) {
      if (isCold) Deno.writeTextFileSync("/proc/sys/vm/drop_caches", "3");
      results[index]!.push(measureOnce(way, row, image));
    }
  }
  const own = median(results[0]!);
  for (const [index, way] of ways.entries()) {
    const time = median(results[index]!);
    const memory = results[index]!.at(-1)?.memory;
    console.log(
      [
        (index === 0 ? row.what : "").padEnd(26),
        way.name.padEnd(16),
        `${time.toFixed(0)} ms`.padStart(9),
        index === 0 ? "".padEnd(22) : `ch takes ${(own / time).toFixed(2)} times that`,
        memory === undefined ? "" : `  server: ${memory.toFixed(0)} MiB`,
      ].join("  ").trimEnd(),
    );
  }
}

/** The script tells how long it took and then waits, so that its server can be looked at. */
function measureOnce(way: Way, row: Row, image: string): Result {
  const script = `begin=$(date +%s%N); { ${row.script}; } >/dev/null 2>&1
    end=$(date +%s%N); echo $((end - begin)); read -r until_looked_at`;
  const [program, ...args] = way.command(image, script);
  const fifo = `${place}/fifo`, out = `${place}/out`;
  // Synchronous all the same: the shell around it does the waiting.
  const shell = `rm -f ${fifo} ${out}; mkfifo ${fifo}; "$@" <${fifo} >${out} 2>/dev/null &
    exec 3>${fifo}; until [ -s ${out} ] || ! kill -0 $! 2>/dev/null; do sleep 0.05; done
    cat ${out}; ${serverMemory(image)}; exec 3>&-; wait`;
  const { stdout } = new Deno.Command("sh", {
    args: ["-c", shell, "sh", program!, ...args],
    cwd: place,
    clearEnv: true,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: place, USER: user },
  }).outputSync();
  const [time, memory] = new TextDecoder().decode(stdout).trim().split("\n").map(Number);
  return {
    milliseconds: (time ?? NaN) / 1e6,
    memory: memory === undefined ? undefined : memory / 1024,
  };
}

function median(results: readonly Result[]): number {
  const sorted = results.map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
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
