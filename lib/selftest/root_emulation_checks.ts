// Checks of root emulation in builds: commands that only root may execute.

import type { Check } from "./check.ts";

const build = (options: string, command: string, wrap = "") =>
  `printf '%s\\n' 'FROM base' 'RUN ${command}' >Dockerfile; ${wrap}ch-image build ${options} -t emulated .`;

export const ROOT_EMULATION_CHECKS: readonly Check[] = [
  {
    scope: "quick",
    name: "chown to another user succeeds in RUN",
    script: build("", "chown 1:1 /etc/passwd"),
  },
  {
    scope: "quick",
    name: "without root emulation it does not",
    script: `${build("--force=none", "chown 1:1 /etc/passwd", "refuse ")} 2>out
grep 'RUN command exited with' out`,
  },
  {
    scope: "standard",
    name: "mknod seems to make a device",
    script: build("", "mknod /device c 1 3"),
  },
  {
    scope: "standard",
    name: "RUN sees the user and the group 0",
    script: `${build("", "id -u; id -g")} | grep -cx 0 | grep -x 2`,
  },
];
