// What a RUN costs beside the command itself, and how long builds of many trivial RUNs take without
// anything cached, beside the peers that are installed. Words are filters of rows.

import { bench, exists, place, rig, type Row, shell, user, type Way } from "./measure.ts";

/** Whether the build cache is on: without it Debian's ch-image does less than with it. */
const MODES = ["--rebuild", "--no-cache"] as const;

const COUNTS = [3, 129] as const;
const podman = [
  "podman",
  `--root=${place}/podman`,
  `--runroot=${place}/podman.run`,
  "--storage-driver=vfs",
];
const hasPodman = Deno.uid() === 0 && exists("/usr/bin/podman");

await bench(prepare, makeRows);

function prepare(): void {
  const lines = (count: number) =>
    Array.from({ length: count }, (_, index) => `RUN ["/bin/true", "${index}"]\n`).join("");
  for (const count of [0, ...COUNTS]) {
    Deno.mkdirSync(`${place}/${count}`);
    Deno.writeTextFileSync(`${place}/${count}/Dockerfile`, `FROM base\n${lines(count)}`);
  }
  shell(`cd ${place}; mkdir -p base/bin base/dev base/proc base/sys base/tmp base/etc base/root
    cp "$(command -v busybox)" base/bin/busybox
    for name in sh true; do ln -s busybox base/bin/$name; done
    : >base/etc/passwd; : >base/etc/group; : >base/etc/hosts; : >base/etc/resolv.conf
    tar -cf base.tar -C base .
    chown -R ${user}: .
    ${hasPodman ? `${podman.join(" ")} import base.tar base` : ":"}`);
}

function makeRows(): Row[] {
  return [
    ...[0, ...COUNTS].flatMap((count) =>
      MODES.map((mode): Row => ({
        what: `build of ${count} RUNs, ${mode}`,
        runs: count > 100 ? 3 : 7,
        ways: makeWays(count, mode),
      }))
    ),
    { what: "3 RUNs in ch-run alone", runs: 7, ways: [makeBare()] },
  ];
}

function makeWays(count: number, mode: typeof MODES[number]): Way[] {
  const own = storage("own");
  const debian = {
    ...storage("debian"),
    // Its build cache is a Git repository, and Git wants to know who writes to it.
    ...{ GIT_AUTHOR_NAME: "bench", GIT_AUTHOR_EMAIL: "bench@localhost" },
    ...{ GIT_COMMITTER_NAME: "bench", GIT_COMMITTER_EMAIL: "bench@localhost" },
  };
  const ways: Way[] = [
    {
      name: "ch",
      command: [`${rig}/bin/ch-image`, "build", mode, "-t", "t", `${place}/${count}`],
      before:
        `test -d ${own.CH_IMAGE_STORAGE} || ${rig}/bin/ch-image import ${place}/base.tar base`,
      env: own,
    },
    {
      name: "Debian's charliecloud",
      command: [
        "/usr/bin/ch-image",
        "build",
        ...mode === "--rebuild" ? ["--rebuild"] : [],
        "-t",
        "t",
        `${place}/${count}`,
      ],
      before:
        `test -d ${debian.CH_IMAGE_STORAGE} || /usr/bin/ch-image import ${place}/base.tar base`,
      needs: "/usr/bin/ch-image",
      env: mode === "--rebuild" ? debian : { ...debian, CH_IMAGE_CACHE: "disabled" },
    },
  ];
  if (!hasPodman || mode === "--rebuild") return ways;
  const words = ["build", "-q", "--isolation=chroot", "--no-cache", "--layers=false"];
  return [
    ...ways,
    {
      name: "podman, chroot",
      command: ["root", ...podman, ...words, "--pull=never", "-t", "t", `${place}/${count}`],
      needs: "/usr/bin/podman",
    },
  ];
}

function storage(name: string): Readonly<Record<"CH_IMAGE_STORAGE", string>> {
  return { CH_IMAGE_STORAGE: `${place}/storage.${name}` };
}

/** The commands themselves in the same image. */
function makeBare(): Way {
  const script = `for i in 1 2 3; do ${rig}/bin/ch-run ${place}/base -- /bin/true $i; done`;
  return { name: "ch", command: ["sh", "-ec", script] };
}
