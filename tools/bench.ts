// How fast ch is, beside bare Deno and the peers that are installed: medians of alternating runs, and
// ratios, all from one machine and one session. Run it by `make bench`; words are filters of rows.

const projectRoot = new URL("..", import.meta.url).pathname;
const deno = Deno.execPath();

/** One thing to measure, in several ways; the first way is ours. */
interface Row {
  readonly what: string;
  readonly runs: number;
  readonly ways: readonly Way[];
}
interface Way {
  readonly name: string;
  readonly command: readonly string[];
  /** Shell command before each run, not measured. */
  readonly before?: string;
  /** Program that must be there. */
  readonly needs?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const rig = ask("tools/rig.sh", "where");
const user = ask("tools/rig.sh", "user");
const place = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "ch-bench." });
try {
  prepare();
  printTable(makeRows().filter(isWanted).flatMap(measureRow));
} finally {
  shell(`chmod -R u+rwx ${place}; rm -rf ${place}`);
}

function ask(command: string, ...args: string[]): string {
  const { code, stdout } = new Deno.Command(command, { args, cwd: projectRoot }).outputSync();
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} failed`);
  return new TextDecoder().decode(stdout).trim();
}

function prepare(): void {
  Deno.chmodSync(place, 0o755);
  Deno.writeTextFileSync(`${place}/empty.js`, "");
  Deno.mkdirSync(`${place}/context`);
  Deno.writeTextFileSync(
    `${place}/context/Dockerfile`,
    "FROM debian\nRUN echo one > /one\nRUN echo two > /two\nRUN cat /one /two > /three\n",
  );
  if (Deno.uid() === 0) shell(`chown -R ${user}: ${place}`);
  runAsUser([
    "sh",
    "-ec",
    `cd ${place}; export CH_IMAGE_STORAGE=${place}/storage
     ch-image import ${rig}/debian.tar debian; ch-convert debian ./debian; ch-convert debian debian.sqfs
     gzip -1 < ${rig}/debian.tar > debian.tar.gz`,
  ]);
}

function makeRows(): Row[] {
  const ours = `${rig}/bin`;
  const peer = "/usr/bin";
  const dir = `${place}/debian`, squash = `${place}/debian.sqfs`;
  const out = `${place}/out`;
  const clean = `chmod -R u+rwx ${out}* 2>/dev/null; rm -rf ${out}*`;
  const read = "find /usr -xdev -type f -exec cat {} + > /dev/null";
  // Its build cache is a Git repository, and Git wants to know who commits.
  const oldStorage = {
    CH_IMAGE_STORAGE: `${place}/old`,
    ...Object.fromEntries(
      ["AUTHOR", "COMMITTER"].flatMap((role) => [
        [`GIT_${role}_NAME`, "bench"],
        [`GIT_${role}_EMAIL`, "bench@localhost"],
      ]),
    ),
  };
  const inStorage = { CH_IMAGE_STORAGE: `${place}/storage` };
  const old = "Debian's charliecloud";

  return [
    {
      what: "start, directory image",
      runs: 40,
      ways: [
        { name: "ch", command: [`${ours}/ch-run`, dir, "--", "/bin/true"] },
        { name: "bare deno run", command: [deno, "run", `${place}/empty.js`] },
        { name: old, command: [`${peer}/ch-run`, dir, "--", "/bin/true"], needs: `${peer}/ch-run` },
        {
          name: "bubblewrap",
          command: [
            "/usr/bin/bwrap",
            "--ro-bind",
            dir,
            "/",
            "--dev-bind",
            "/dev",
            "/dev",
            "/bin/true",
          ],
          needs: "/usr/bin/bwrap",
        },
      ],
    },
    {
      what: "start, SquashFS image",
      runs: 20,
      ways: [
        { name: "ch", command: [`${ours}/ch-run`, squash, "--", "/bin/true"] },
        {
          name: old,
          command: [`${peer}/ch-run`, squash, "--", "/bin/true"],
          needs: `${peer}/ch-run`,
        },
      ],
    },
    {
      what: "read /usr of a SquashFS image",
      runs: 5,
      ways: [
        { name: "ch", command: [`${ours}/ch-run`, squash, "--", "sh", "-c", read] },
        {
          name: old,
          command: [`${peer}/ch-run`, squash, "--", "sh", "-c", read],
          needs: `${peer}/ch-run`,
        },
        { name: "ch, directory image", command: [`${ours}/ch-run`, dir, "--", "sh", "-c", read] },
      ],
    },
    {
      what: "import a tar.gz",
      runs: 3,
      ways: [
        {
          name: "ch",
          command: [`${ours}/ch-image`, "import", `${place}/debian.tar.gz`, "x"],
          env: inStorage,
        },
        {
          name: old,
          command: [`${peer}/ch-image`, "import", `${place}/debian.tar.gz`, "x"],
          env: oldStorage,
          needs: `${peer}/ch-image`,
        },
        {
          name: "tar -xzf",
          before: `${clean}; mkdir ${out}`,
          command: ["tar", "-xzf", `${place}/debian.tar.gz`, "-C", out],
        },
      ],
    },
    {
      what: "directory to SquashFS",
      runs: 3,
      ways: [
        { name: "ch", before: clean, command: [`${ours}/ch-convert`, dir, `${out}.sqfs`] },
        {
          name: "mksquashfs (gzip)",
          before: clean,
          command: [
            "mksquashfs",
            dir,
            `${out}.sqfs`,
            "-b",
            "65536",
            "-all-root",
            "-quiet",
            "-no-progress",
          ],
          needs: "/usr/bin/mksquashfs",
        },
        {
          name: "mksquashfs (zstd)",
          before: clean,
          command: [
            "mksquashfs",
            dir,
            `${out}.sqfs`,
            "-b",
            "65536",
            "-all-root",
            "-comp",
            "zstd",
            "-quiet",
            "-no-progress",
          ],
          needs: "/usr/bin/mksquashfs",
        },
      ],
    },
    {
      what: "SquashFS to directory",
      runs: 3,
      ways: [
        { name: "ch", before: clean, command: [`${ours}/ch-convert`, squash, out] },
        {
          name: "unsquashfs",
          before: clean,
          command: ["unsquashfs", "-quiet", "-no-progress", "-d", out, squash],
          needs: "/usr/bin/unsquashfs",
        },
      ],
    },
    {
      what: "build FROM debian, three RUN",
      runs: 3,
      ways: [
        {
          name: "ch",
          command: [`${ours}/ch-image`, "build", "-t", "b", `${place}/context`],
          env: inStorage,
        },
        {
          name: old,
          // Without its cache it executes everything, as ch does.
          before: `test -e ${place}/old/img/debian || ` +
            `${peer}/ch-image import --no-cache ${rig}/debian.tar debian`,
          command: [`${peer}/ch-image`, "build", "--no-cache", "-t", "b", `${place}/context`],
          env: oldStorage,
          needs: `${peer}/ch-image`,
        },
        ...makeRootBuilders(),
      ],
    },
  ];
}

/** podman and buildah want subordinate ids as ordinary users; they are measured as root. */
function makeRootBuilders(): Way[] {
  if (Deno.uid() !== 0) return [];
  return ["podman", "buildah"].map((name) => {
    const state = `--root=${place}/${name} --runroot=${place}/${name}.run --storage-driver=overlay`;
    const load = `/usr/bin/${name} ${state} images -q debian | grep -q . || ` +
      (name === "podman"
        ? `podman ${state} import ${rig}/debian.tar debian`
        : `{ c=$(buildah ${state} from scratch); buildah ${state} add $c ${rig}/debian.tar /; buildah ${state} commit $c debian; buildah ${state} rm $c; }`);
    return {
      name: `${name} as root, --isolation chroot`,
      needs: `/usr/bin/${name}`,
      before: load,
      command: [
        "root",
        name,
        ...state.split(" "),
        "build",
        "--isolation=chroot",
        "--no-cache",
        "-t",
        "b",
        `${place}/context`,
      ],
    };
  });
}

function isWanted(row: Row): boolean {
  return Deno.args.length === 0 || Deno.args.some((word) => row.what.includes(word));
}

type Line = readonly [what: string, way: string, time: string, ratio: string];

function measureRow(row: Row): Line[] {
  const missing = row.ways.filter(({ needs }) => needs !== undefined && !exists(needs));
  const ways = row.ways.filter((way) => !missing.includes(way));
  const times = ways.map((): number[] => []);
  const failures = new Map<Way, string>();

  // Alternating, so that what else goes on in the machine hits all alike; the first round warms up.
  for (let run = 0; run <= row.runs; run++) {
    for (const [index, way] of ways.entries()) {
      if (failures.has(way)) continue;
      const result = measureOnce(way);
      if (typeof result === "string") failures.set(way, result);
      else if (run > 0) times[index]?.push(result);
    }
  }

  const own = median(times[0] ?? []);
  return [
    ...ways.map((way, index): Line => {
      const failure = failures.get(way);
      if (failure !== undefined) return [row.what, way.name, "failed", failure];
      const time = median(times[index] ?? []);
      return [
        row.what,
        way.name,
        format(time),
        index === 0 ? "" : `ch takes ${(own / time).toFixed(2)} times that`,
      ];
    }),
    ...missing.map((way): Line => [row.what, way.name, "missing", ""]),
  ];
}

/** Milliseconds, or why it failed. */
function measureOnce(way: Way): number | string {
  if (way.before !== undefined) {
    const [first] = way.command;
    if (first === "root") shell(way.before);
    else runAsUser(["sh", "-c", way.before], way.env);
  }
  const begin = performance.now();
  const { code, stderr } = way.command[0] === "root"
    ? run(way.command.slice(1))
    : runAsUser(way.command, way.env);
  const time = performance.now() - begin;
  return code === 0 ? time : (new TextDecoder().decode(stderr).trim().split("\n").at(-1) ?? "");
}

function runAsUser(command: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const drop = Deno.uid() === 0
    ? ["setpriv", `--reuid=${user}`, `--regid=${ask("id", "-g", user)}`, "--clear-groups"]
    : [];
  return run([...drop, ...command], { HOME: place, USER: user, ...env });
}

function run(command: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return new Deno.Command(command[0] as string, {
    args: command.slice(1),
    cwd: place,
    env: { PATH: `${rig}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin`, ...env },
    stdin: "null",
  }).outputSync();
}

function shell(script: string): void {
  run(["sh", "-c", script]);
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2;
}

function format(milliseconds: number): string {
  return milliseconds < 1000
    ? `${milliseconds.toFixed(1)} ms`
    : `${(milliseconds / 1000).toFixed(2)} s`;
}

function printTable(lines: readonly Line[]): void {
  const widths = [0, 1, 2].map((column) =>
    Math.max(...lines.map((line) => (line[column] as string).length))
  );
  let last = "";
  for (const [what, way, time, ratio] of lines) {
    const head = what === last ? "" : what;
    last = what;
    console.log(
      [
        head.padEnd(widths[0] as number),
        way.padEnd(widths[1] as number),
        time.padStart(widths[2] as number),
        ratio,
      ]
        .join("  ").trimEnd(),
    );
  }
}
