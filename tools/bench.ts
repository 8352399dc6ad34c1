// How fast images are imported, converted and built, beside the peers that are installed. Run it by `make
// bench`; words are filters of rows.

import { bench, place, rig, type Row, runAsUser, type Way } from "./bench/measure.ts";

await bench(prepare, makeRows);

function prepare(): void {
  Deno.mkdirSync(`${place}/context`);
  Deno.writeTextFileSync(
    `${place}/context/Dockerfile`,
    "FROM debian\nRUN echo one > /one\nRUN echo two > /two\nRUN cat /one /two > /three\n",
  );
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
