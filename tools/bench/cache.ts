// How fast the build cache is and how much disk it uses, beside Debian's ch-image, whose cache is a Git
// repository, and podman.

import {
  bench,
  exists,
  gitIdentity,
  isWanted,
  type Line,
  place,
  rig,
  type Row,
  runAsUser,
  type Way,
} from "./measure.ts";

const TOOLS: readonly Tool[] = [
  {
    name: "ch",
    program: `${rig}/bin/ch-image`,
    env: { CH_IMAGE_STORAGE: `${place}/storage` },
    rebuild: "--rebuild",
  },
  {
    name: "Debian's charliecloud",
    program: "/usr/bin/ch-image",
    needs: "/usr/bin/ch-image",
    env: { CH_IMAGE_STORAGE: `${place}/old`, ...gitIdentity },
    rebuild: "--rebuild",
  },
];
/** As root, which it needs the least preparation for. */
const PODMAN = [
  "podman",
  `--root=${place}/podman`,
  `--runroot=${place}/podman.run`,
  "--storage-driver=overlay",
] as const;
const RELATED = 10;
/** Files of an image in which one RUN changes one file; Debian's charliecloud takes too long for the larger. */
const SIZES = [{ files: 10_000, ours: false }, { files: 100_000, ours: true }] as const;

interface Tool {
  readonly name: string;
  readonly program: string;
  readonly needs?: string;
  readonly env: Readonly<Record<string, string>>;
  /** Option of `build`: execute all, store the results. */
  readonly rebuild: string;
}

/** A directory $2 that is an image of $1 files. */
const MAKE_IMAGE = `
mkdir -p "$2/bin" "$2/usr" "$2/dev" "$2/proc" "$2/sys" "$2/tmp" "$2/etc" "$2/root" "$2/mnt"
cd "$2"
cp "$(command -v busybox)" bin/busybox
ln -s busybox bin/sh
touch etc/passwd etc/group etc/hosts etc/resolv.conf
cd usr
awk -v n="$1" 'BEGIN { for (i = 0; i < n / 50; i++) print int(i / 100) "/" i }' | xargs mkdir -p
awk -v n="$1" 'BEGIN {
  for (i = 0; i < n; i++) { f = int(i / 5000) "/" int(i / 50) "/" i; print i > f; close(f) }
}'
`;

await bench(prepare, makeRows, measureDisk);

/** RUN instructions, COUNT of them; WORD makes those of one file different from those of others. */
function dockerfile(count: number, word: string): string {
  const runs = Array.from({ length: count }, (_, i) => `RUN echo ${word}${i} >/${word}${i}\n`);
  return `FROM debian\n${runs.join("")}`;
}

function prepare(): void {
  const files = {
    three: dockerfile(3, "a"),
    other: dockerfile(3, "b"),
    many: dockerfile(129, "c"),
  };
  Deno.mkdirSync(`${place}/context`);
  for (const [name, text] of Object.entries(files)) {
    Deno.writeTextFileSync(`${place}/context/${name}`, text);
  }
  for (let i = 0; i < RELATED; i++) {
    Deno.writeTextFileSync(`${place}/context/related${i}`, dockerfile(3, `r${i}x`));
  }
  for (const { program, env } of TOOLS.filter(isThere)) {
    runAsUser([program, "import", `${rig}/debian.tar`, "debian"], env);
  }
  if (exists("/usr/bin/podman")) {
    runAsRoot([...PODMAN, "import", `${rig}/debian.tar`, "debian"]);
  }
  for (const { files, ours } of SIZES) {
    if (isWanted({ what: nameSize(files) })) prepareSize(files, ours ? TOOLS.slice(0, 1) : TOOLS);
  }
}

function nameSize(files: number): string {
  return `one RUN in an image of ${files} files`;
}

/** An image of FILES files, and another of its descendants for each tool to begin with. */
function prepareSize(files: number, tools: readonly Tool[]): void {
  runAsUser(["sh", "-ec", MAKE_IMAGE, "sh", String(files), `${place}/size${files}`]);
  Deno.writeTextFileSync(
    `${place}/context/size${files}`,
    `FROM size${files}\nRUN echo one >/one\n`,
  );
  for (const { program, env, rebuild } of tools.filter(isThere)) {
    runAsUser([program, "import", `${place}/size${files}`, `size${files}`], env);
    for (const options of [[], [rebuild]]) {
      runAsUser([program, ...buildWords(`size${files}`, ...options)], env);
    }
  }
}

function buildWords(name: string, ...options: string[]): string[] {
  return ["build", ...options, "-t", "t", "-f", `${place}/context/${name}`, `${place}/context`];
}

function makeRows(): Row[] {
  const row = (
    what: string,
    runs: number,
    words: (tool: Tool) => readonly string[],
    { podman, before, cold, tools = TOOLS }: RowOptions = {},
  ): Row => ({
    what,
    runs,
    ...cold === undefined ? {} : { cold },
    ways: [
      ...tools.map((tool): Way => ({
        name: tool.name,
        command: [tool.program, ...words(tool)],
        env: tool.env,
        ...tool.needs === undefined ? {} : { needs: tool.needs },
        ...before === undefined ? {} : { before: before(tool) },
      })),
      ...podman === undefined ? [] : [{
        name: "podman, as root",
        command: ["root", ...PODMAN, ...podman],
        needs: "/usr/bin/podman",
      }],
    ],
  });
  const podman = (
    name: string,
    ...options: string[]
  ) => ["build", "--isolation=chroot", "--layers", ...options, ...buildWords(name).slice(1)];
  return [
    row("import a tar archive", 2, () => ["import", `${rig}/debian.tar`, "x"]),
    row("3 RUNs, cold", 3, ({ rebuild }) => buildWords("three", rebuild), {
      podman: podman("three", "--no-cache"),
    }),
    row("3 RUNs, cached", 5, () => buildWords("three"), { podman: podman("three") }),
    row("switch to another state", 3, () => buildWords("three"), {
      before: ({ program }) => [program, ...buildWords("other")].join(" "),
    }),
    row("129 RUNs, cold", 1, ({ rebuild }) => buildWords("many", rebuild), { cold: true }),
    row("129 RUNs, cached", 3, () => buildWords("many")),
    ...SIZES.map(({ files, ours }) =>
      row(nameSize(files), 3, ({ rebuild }) => buildWords(`size${files}`, rebuild), {
        ...ours ? { tools: TOOLS.slice(0, 1) } : {},
      })
    ),
    row("garbage collection", 1, () => ["build-cache", "--gc"], { cold: true }),
  ];
}

interface RowOptions {
  readonly podman?: readonly string[];
  /** Shell command before each run. */
  readonly before?: (tool: Tool) => string;
  readonly cold?: boolean;
  readonly tools?: readonly Tool[];
}

/** Of a base image and images built on it, in storage and cache together. */
function measureDisk(): Promise<readonly Line[]> {
  const what = `disk use of ${RELATED} related images`;
  if (!isWanted({ what })) return Promise.resolve([]);
  return Promise.resolve(
    TOOLS.filter(isThere).map(({ name, program, env }): Line => {
      runAsUser([program, "reset"], env);
      runAsUser([program, "import", `${rig}/debian.tar`, "debian"], env);
      for (let i = 0; i < RELATED; i++) {
        const file = `${place}/context/related${i}`;
        runAsUser([program, "build", "-t", `r${i}`, "-f", file, `${place}/context`], env);
      }
      const storage = env.CH_IMAGE_STORAGE!;
      const [size] = ask(["du", "-sm", storage]).split("\t");
      const [inodes] = ask(["du", "-s", "--inodes", storage]).split("\t");
      return [what, name, `${size} MiB`, `${inodes} inodes`];
    }),
  );
}

function isThere({ needs }: Tool): boolean {
  return needs === undefined || exists(needs);
}

function ask(command: readonly string[]): string {
  return new TextDecoder().decode(runAsUser(command).stdout).trim();
}

function runAsRoot(command: readonly string[]): void {
  new Deno.Command(command[0]!, {
    args: command.slice(1),
    stdin: "null",
    stdout: "null",
    stderr: "null",
  })
    .outputSync();
}
