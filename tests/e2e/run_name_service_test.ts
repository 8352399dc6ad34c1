// Where ch-run, being static, gets the host's users and groups from: the files, and getent(1) for whoever
// the files do not know (c/engine/name_service.c).

import { expect, rig, test, type Workplace } from "../rig.ts";

interface Machine {
  /** Lines of the host's file; the caller is not in it unless this says so. */
  readonly passwd: string;
  readonly nsswitch: string;
  /** What getent does, a shell script; undefined: there is none. */
  readonly getent?: string;
}

/** Runs `ch-run IMAGE -- cat /etc/passwd` on a machine whose name service is made up. */
function runOn(work: Workplace, machine: Machine) {
  const image = work.image();
  work.tree("etc", {
    "passwd": machine.passwd,
    "nsswitch.conf": machine.nsswitch,
    "getent": machine.getent === undefined ? "" : `#!/bin/sh\n${machine.getent}\n`,
  });
  const script = 'chmod 755 "$1/getent"; [ -s "$1/getent" ] || chmod 000 "$1/getent"\n' +
    'for name in passwd nsswitch.conf; do mount --bind "$1/$name" "/etc/$name"; done\n' +
    'mount --bind "$1/getent" /usr/bin/getent\n' +
    'exec setpriv --reuid "$2" --regid "$3" --clear-groups "$4/ch-run" "$5" -- cat /etc/passwd';
  const args = [`${work.path}/etc`, `${rig.uid}`, `${rig.gid}`, rig.bin, image];
  return work.run(["unshare", "-m", "sh", "-ec", script, "sh", ...args], { root: true });
}

const US = `${rig.uid}:${rig.gid}`;
const STRANGER = "root:x:0:0::/root:/bin/sh\n";
const entry = (name: string) => `${name}:x:${US}:Some One,,,:/home/${name}:/bin/zsh\n`;
const asked = (name: string) => `printf '%s' '${entry(name)}'; test "$1 $2" = "passwd ${rig.uid}"`;

const cases: readonly [name: string, machine: Machine, user: string][] = [
  [
    "a user in the file",
    { passwd: STRANGER + entry("filed"), nsswitch: "passwd: files\n" },
    "filed",
  ],
  [
    "a user in the file where the service looks elsewhere first",
    { passwd: entry("filed"), nsswitch: "passwd: sss files\n", getent: asked("served") },
    "served",
  ],
  [
    "a user whom only the service knows",
    { passwd: STRANGER, nsswitch: "passwd: files sss\n", getent: asked("served") },
    "served",
  ],
  [
    "a user whom nobody knows",
    { passwd: STRANGER, nsswitch: "passwd: files sss\n", getent: "exit 2" },
    "charlie",
  ],
  ["no getent", { passwd: STRANGER, nsswitch: "passwd: sss\n" }, "charlie"],
  [
    "lines that are none",
    { passwd: `${rig.uid}\n::::\nx:x:${rig.uid}z:1::/:\n${entry("filed")}`, nsswitch: "" },
    "filed",
  ],
];

for (const [name, machine, user] of cases) {
  test(`ch-run name service: ${name}`, async (work) => {
    const result = await runOn(work, machine);
    expect(result, { code: 0, stdout: new RegExp(`^${user}:x:${US}:`, "m") });
  }, "root");
}
