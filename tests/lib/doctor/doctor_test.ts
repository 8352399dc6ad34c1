import assert from "node:assert/strict";
import type { Finding } from "../../../lib/doctor/finding.ts";
import { examineGpu } from "../../../lib/doctor/gpu.ts";
import { examineImage } from "../../../lib/doctor/image.ts";
import { examineKernel } from "../../../lib/doctor/kernel.ts";
import { describeMpi, examineNetwork, listPlugins } from "../../../lib/doctor/network.ts";
import { fakeHost } from "../container/fake_host.ts";
import { doctorHost, type DoctorHostOptions } from "./doctor_host.ts";

/** `state: what is said`, by name. */
function say(findings: readonly Finding[]): Record<string, string> {
  return Object.fromEntries(findings.map((finding) => {
    const text = finding.state === "missing"
      ? `${finding.reason} | ${finding.remedy}`
      : finding.state === "untried"
      ? ""
      : finding.detail;
    return [finding.name, `${finding.state}: ${text}`];
  }));
}

const kernel = (files: DoctorHostOptions["files"]) =>
  say(examineKernel(doctorHost({ files: files! })));

Deno.test("examineKernel() tells limits that are too low from others", () => {
  const limits = (user: string, mount: string) =>
    kernel({
      "/proc/sys/user/max_user_namespaces": `${user}\n`,
      "/proc/sys/user/max_mnt_namespaces": `${mount}\n`,
    })["limits"];
  assert.equal(
    limits("63000", "63000"),
    "ok: user.max_user_namespaces 63000, user.max_mnt_namespaces 63000",
  );
  assert.match(limits("0", "63000")!, /^missing: .* \| .*sysctl user\.max_user_namespaces=65536/);
  assert.match(limits("63000", "10")!, /^missing: /);
  assert.equal(kernel({})["limits"], "none: the kernel does not tell");
});

Deno.test("examineKernel() knows AppArmor's restriction, and its profiles", () => {
  const apparmor = (restriction: string, profile: string) =>
    kernel({
      "/sys/module/apparmor/parameters/enabled": "Y\n",
      "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": restriction,
      "/proc/self/attr/current": profile,
    })["apparmor"];
  assert.match(apparmor("0", "unconfined")!, /^ok: in use, does not restrict/);
  assert.match(apparmor("1", "unconfined\n")!, /^missing: .* \| .*"AppArmor" of ch-run\(1\)/);
  assert.match(apparmor("1", "ch (unconfined)\n")!, /^ok: .* profile ch \(unconfined\)$/);
  assert.equal(kernel({})["apparmor"], "none: not in use");
});

Deno.test("examineKernel() reads the cgroup and its limit, and who may attach to whom", () => {
  const mount = "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
  assert.equal(
    kernel({
      "/proc/self/mountinfo": mount,
      "/proc/self/cgroup": "0::/job\n",
      "/sys/fs/cgroup/job/memory.max": "1024\n",
    })["cgroups"],
    "ok: version 2, group /job, memory limit 1024 bytes",
  );
  assert.equal(
    kernel({ "/proc/self/mountinfo": mount.replaceAll("cgroup2", "cgroup") })["cgroups"],
    "ok: version 1",
  );
  assert.match(
    kernel({ "/proc/sys/kernel/yama/ptrace_scope": "1\n" })["cma"]!,
    /^missing: .*ptrace_scope is 1/,
  );
  assert.match(kernel({})["cma"]!, /^ok: /);
});

Deno.test("describeMpi() knows the flavours by what they print", () => {
  for (
    const [text, flavour] of [
      ["mpirun (Open MPI) 4.1.4\n\nReport bugs to …", "Open MPI 4.1.4"],
      ["mpirun (OpenRTE) 2.0", "of unknown kind"],
      ["HYDRA build details:\n    Version:                                 4.0.2\n", "MPICH 4.0.2"],
      ["Intel(R) MPI Library for Linux* OS, Version 2021.9 Build 2023", "Intel MPI 2021.9"],
      ["", "of unknown kind"],
    ] as const
  ) assert.equal(describeMpi(text), flavour);
});

Deno.test("listPlugins() reads what srun prints, old and new", () => {
  assert.deepEqual(
    listPlugins(
      "MPI plugin types are...\n\tnone\n\tpmi2\n\tpmix\nspecific pmix plugin versions available: pmix_v4\n",
    ),
    ["none", "pmi2", "pmix", "pmix_v4"],
  );
  assert.deepEqual(listPlugins("srun: MPI types are...\nsrun: pmi2\nsrun: cray_shasta\n"), [
    "cray_shasta",
    "pmi2",
  ]);
});

Deno.test("examineNetwork() says what to do about each fabric", async () => {
  const network = async (options: DoctorHostOptions) =>
    say(await examineNetwork(doctorHost(options)));
  const bare = await network({});
  assert.match(bare["mpi"]!, /^none: /);
  assert.match(bare["pmi"]!, /^none: no Slurm$/);
  assert.match(bare["libfabric"]!, /^none: /);

  const cray = await network({
    files: { "/dev/cxi0": "", "/opt/cray/libfabric/1.15/lib64/libfabric.so.1": "" },
    programs: { srun: "none\npmi2\n", mpiexec: "HYDRA\n Version: 4.1\n" },
    environment: ["PMI_RANK=3", "PATH=/usr/bin"],
  });
  assert.match(
    cray["libfabric"]!,
    /^ok: Slingshot .*CH_FROMHOST_OFI_CXI=\/opt\/cray\/libfabric\/1\.15\/lib64\/libfabric\.so\.1 ch-fromhost --cray-cxi/,
  );
  assert.equal(cray["pmi"], "ok: none, pmi2; started as a rank (PMI_RANK is set)");
  assert.match(cray["mpi"]!, /^ok: MPICH 4\.1 \(\/usr\/bin\/mpiexec\)/);
  assert.match(
    (await network({ files: { "/dev/infiniband/uverbs0": "" } }))["libfabric"]!,
    /^missing: InfiniBand/,
  );
  assert.match((await network({ programs: { srun: "" } }))["pmi"]!, /^missing: .*srun --mpi=list/);
});

Deno.test("examineGpu() says how drivers get into images", () => {
  const gpu = (options: DoctorHostOptions) => say([examineGpu(doctorHost(options))])["gpu"];
  const files = {
    "/dev/nvidia0": "",
    "/dev/nvidia1": "",
    "/dev/nvidiactl": "",
    "/proc/driver/nvidia/version":
      "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat",
  };
  assert.match(gpu({})!, /^none: /);
  assert.match(gpu({ files: { "/dev/kfd": "" } })!, /^ok: AMD/);
  assert.match(
    gpu({ files })!,
    /^missing: 2 of NVIDIA, driver 535\.104\.05, .* \| .*ch-fromhost --file/,
  );
  assert.match(
    gpu({ files: { ...files, "/etc/cdi/nvidia.yaml": "" } })!,
    /^ok: .*ch-run --device=nvidia\.com\/gpu=all/,
  );
  assert.match(
    gpu({ files, programs: { "nvidia-container-cli": "" } })!,
    /^ok: .*"ch-fromhost --nvidia DIR"/,
  );
});

Deno.test("examineImage() looks for what running needs, within the image", () => {
  const sh = Deno.readFileSync("/bin/sh");
  const other = sh.slice();
  other[18] = 183;
  const host = fakeHost({
    files: {
      "/bin/sh": sh,
      "/good/dev": null,
      "/good/proc": null,
      "/good/sys": null,
      "/good/tmp": null,
      "/good/etc/passwd": "",
      "/good/etc/group": "",
      "/good/usr/bin/sh": sh,
      "/good/bin": { to: "usr/bin" },
      "/good/sbin/ldconfig": "",
      "/bad/bin/sh": other,
      "/bad/dev": null,
      "/empty/x": "",
    },
  });
  const examine = (root: string) => say(examineImage({ files: host.imageFiles, root }, host));
  assert.deepEqual(examine("/good"), {
    "image-mounts": "ok: has all mount points",
    "image-cpu": "ok: x86-64",
    "image-glibc": "none: the image has no glibc",
    "image-ldconfig": "ok: has ldconfig",
  });
  assert.match(
    examine("/bad")["image-cpu"]!,
    /^missing: the image is for aarch64, this machine is x86-64 \| /,
  );
  assert.match(
    examine("/bad")["image-mounts"]!,
    /^missing: it has no \/proc, \/sys, \/tmp, \/etc\/passwd/,
  );
  assert.match(examine("/empty")["image-cpu"]!, /^none: /);
});
