// What a RUN costs beside the command itself, and how long builds of many trivial RUNs take without
// anything cached, beside the peers that are installed. Words are filters of rows.

import * as measure from "./measure.ts";
import { exists, gitIdentity, place, rig, type Row, shell, user, type Way } from "./measure.ts";

/** Whether the build cache is on: without it Debian's ch-image does less than with it. */
const MODES = ["--rebuild", "--no-cache"] as const;

const COUNTS = [3, 129] as const;
const REPEATS = 3;
// Under a real-time policy it spins for ever, waiting for threads that do not get the processor.
const podman = [
  ...["chrt", "-o", "0"],
  "podman",
  `--root=${place}/podman`,
  `--runroot=${place}/podman.run`,
  "--storage-driver=vfs",
];
const hasPodman = Deno.uid() === 0 && exists("/usr/bin/podman");

await measure.bench(prepare, makeRows, measureOverhead);

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
        runs: count > 100 ? 3 : 5,
        ways: makeWays(count, mode),
      }))
    ),
    { what: "3 RUNs in ch-run alone", runs: 5, ways: [makeBare(3)] },
  ];
}

function makeWays(count: number, mode: typeof MODES[number]): Way[] {
  const own = storage("own");
  const debian = { ...storage("debian"), ...gitIdentity };
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
      command: ["/usr/bin/ch-image", "build", "-t", "t", `${place}/${count}`],
      // Its --rebuild gets the base image anew, from a registry: a new storage it is.
      before: `rm -rf ${debian.CH_IMAGE_STORAGE}; /usr/bin/ch-image import ${place}/base.tar base`,
      needs: "/usr/bin/ch-image",
      isSlow: count > 100,
      env: mode === "--rebuild" ? debian : { ...debian, CH_IMAGE_CACHE: "disabled" },
    },
  ];
  if (!hasPodman || mode === "--rebuild") return ways;
  const words = ["build", "-q", "--isolation=chroot", "--no-cache", "--layers=false"];
  return [
    ...ways,
    {
      name: "podman, chroot",
      // Under a real-time policy it waits for children of its own that do not get the processor.
      command: [
        "root",
        "chrt",
        "-o",
        "0",
        ...podman,
        ...words,
        "--pull=never",
        "-t",
        "t",
        `${place}/${count}`,
      ],
      needs: "/usr/bin/podman",
      isSlow: true,
    },
  ];
}

function storage(name: string): Readonly<Record<"CH_IMAGE_STORAGE", string>> {
  return { CH_IMAGE_STORAGE: `${place}/storage.${name}` };
}

/** COUNT commands by themselves in the same image. */
function makeBare(count: number): Way {
  const script =
    `for i in $(seq ${count}); do ${rig}/bin/ch-run ${place}/base -- /bin/true $i; done`;
  return { name: "ch", command: ["sh", "-ec", script] };
}

/** What RUN takes longer than ch-run: from builds that differ in nothing but the number of RUNs. */
function measureOverhead(): Promise<measure.Line[]> {
  const [few, many] = COUNTS;
  const what = "one RUN, less its command in ch-run";
  if (!measure.isWanted({ what })) return Promise.resolve([]);
  const number = (way: Way) => {
    const time = measure.measureOnce(way);
    if (typeof time === "string") throw new Error(time);
    return time;
  };
  return Promise.resolve(MODES.map((mode): measure.Line => {
    const times = Array.from({ length: REPEATS }, () => {
      const [short, long] = [few, many].map((count) => number(makeWays(count, mode)[0]!));
      const bare = number(makeBare(many)) / many;
      return (long! - short!) / (many - few) - bare;
    });
    return [`${what}, ${mode}`, "ch", measure.format(measure.median(times)), "goal: 15 ms"];
  }));
}
