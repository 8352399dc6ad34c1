// What a test may need of the machine that not every machine has.

import { ask, asUser, exists, rig, setpriv } from "./host.ts";

/** What is missing without it, and how to tell that it is there. */
export const NEEDS = {
  root: { reason: "not root", met: () => rig.isRoot },
  fuse: { reason: "no usable /dev/fuse", met: () => canOpen("/dev/fuse") },
  debian: { reason: "no Debian base image", met: () => exists(rig.debianTar) },
  mksquashfs: { reason: "no mksquashfs", met: () => hasProgram("mksquashfs") },
  unsquashfs: { reason: "no unsquashfs", met: () => hasProgram("unsquashfs") },
  squashfuse: { reason: "no squashfuse", met: () => hasProgram("squashfuse") },
  strace: { reason: "no strace", met: () => hasProgram("strace") },
  setfacl: { reason: "no setfacl", met: () => hasProgram("setfacl") },
  setfattr: { reason: "no setfattr", met: () => hasProgram("setfattr") },
  openmpi: { reason: "no mpirun of Open MPI", met: () => hasProgram("mpirun.openmpi") },
  mpich: { reason: "no mpirun of MPICH", met: () => hasProgram("mpirun.mpich") },
  buildah: { reason: "no buildah", met: () => hasProgram("buildah") },
  network: { reason: "no way to deb.debian.org", met: canReachDebian },
  cc: { reason: "no C compiler", met: () => hasProgram("cc") },
  skopeo: { reason: "no skopeo", met: () => hasProgram("skopeo") },
  umoci: { reason: "no umoci", met: () => hasProgram("umoci") },
  podman: { reason: "no podman that works for the ordinary user", met: () => hasPodman() },
  registry: {
    reason: "not root, or no docker-registry, skopeo, umoci, htpasswd or openssl",
    met: () =>
      rig.isRoot &&
      ["docker-registry", "skopeo", "umoci", "htpasswd", "openssl"].every(hasProgram),
  },
  aarch64: {
    reason: "no executable for arm64, or no qemu-aarch64-static",
    met: () => exists(rig.aarch64) && hasProgram("qemu-aarch64-static"),
  },
  foreign: {
    reason: "no busybox for arm64, no QEMU, or no binfmt_misc in user namespaces (Linux 6.7)",
    met: () => exists(rig.foreignBusybox) && canRegisterQemu(),
  },
  bashCompletion: {
    reason: "no bash-completion",
    met: () => exists("/usr/share/bash-completion/bash_completion"),
  },
  bubblewrap: { reason: "no bubblewrap", met: () => hasProgram("bwrap") },
  zsh: { reason: "no zsh", met: () => hasProgram("zsh") },
  fish: { reason: "no fish", met: () => hasProgram("fish") },
  ssh: { reason: "no OpenSSH client", met: () => hasProgram("ssh-agent") && hasProgram("ssh-add") },
  xvfb: { reason: "no Xvfb or xdpyinfo", met: () => hasProgram("Xvfb") && hasProgram("xdpyinfo") },
  man: { reason: "no man", met: () => hasProgram("man") },
  sshd: { reason: "no SSH server", met: () => hasProgram("sshd") && hasProgram("ssh-keygen") },
  slurm: {
    reason: "not root, no Slurm, or no namespaces for its nodes",
    met: () =>
      rig.isRoot && ["slurmctld", "slurmd", "srun", "munged"].every(hasProgram) && canMakeNodes(),
  },
} as const;
export type Need = keyof typeof NEEDS;

function canReachDebian(): boolean {
  const { code } = new Deno.Command("timeout", {
    args: ["10", "bash", "-c", "exec 3<>/dev/tcp/deb.debian.org/80"],
    stderr: "null",
  }).outputSync();
  return code === 0;
}

function hasProgram(name: string): boolean {
  return ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin"]
    .some((directory) => exists(`${directory}/${name}`));
}

/** Whether it works without root is a matter of IDs in /etc/subuid, and of the kernel. */
function hasPodman(): boolean {
  if (!hasProgram("podman")) return false;
  const home = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "ch-test." });
  Deno.chmodSync(home, 0o777);
  const { code } = new Deno.Command(setpriv, {
    args: [...asUser(), "podman", "image", "ls"],
    env: { HOME: home },
    cwd: home,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).outputSync();
  ask("rm", "-rf", home);
  return code === 0;
}

function canRegisterQemu(): boolean {
  const script =
    "mount -t binfmt_misc none /proc/sys/fs/binfmt_misc && test -e /usr/lib/binfmt.d/qemu-aarch64.conf";
  const { code } = new Deno.Command(setpriv, {
    args: [...asUser(), "unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script],
    stderr: "null",
  }).outputSync();
  return code === 0;
}

function canMakeNodes(): boolean {
  const { success } = new Deno.Command("unshare", {
    args: ["--pid", "--mount", "--uts", "--ipc", "--fork", "--mount-proc", "true"],
    stderr: "null",
  }).outputSync();
  return success;
}

function canOpen(path: string): boolean {
  const { code } = new Deno.Command(setpriv, {
    args: [...asUser(), "sh", "-c", `: <>${path}`],
    stderr: "null",
  }).outputSync();
  return code === 0;
}
