// What the kernel and its security modules allow, as far as trying out containers does not tell.

import { parseMountInfo } from "../container/mount_info.ts";
import { absent, type Finding, lacks, works } from "./finding.ts";
import { type DoctorHost, findText } from "./host.ts";

export function examineKernel(host: DoctorHost): Finding[] {
  return [examineLimits(host), examineAppArmor(host), examineCgroups(host), examineCma(host)];
}

function examineLimits(host: DoctorHost): Finding {
  const purpose = "how many containers at the same time";
  const read = (name: string) =>
    Number(findText(`/proc/sys/user/max_${name}_namespaces`, host) ?? NaN);
  const user = read("user"), mount = read("mnt");
  const detail = `user.max_user_namespaces ${user}, user.max_mnt_namespaces ${mount}`;
  if (Number.isNaN(user)) return absent("limits", purpose, "the kernel does not tell");
  if (Math.min(user, mount) >= FEW) return works("limits", purpose, detail);
  return lacks(
    "limits",
    purpose,
    detail,
    `an administrator can type "sysctl user.max_user_namespaces=65536 user.max_mnt_namespaces=65536"`,
  );
}

/** A container takes two; a large node has some hundred processors. */
const FEW = 1024;

function examineAppArmor(host: DoctorHost): Finding {
  const purpose = "a security module that may restrict containers";
  if (findText("/sys/module/apparmor/parameters/enabled", host) !== "Y") {
    return absent("apparmor", purpose, "not in use");
  }
  const restriction = findText("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", host);
  if (restriction !== "1") {
    return works("apparmor", purpose, "in use, does not restrict user namespaces");
  }
  const profile = findText("/proc/self/attr/apparmor/current", host) ??
    findText("/proc/self/attr/current", host) ?? "unconfined";
  if (profile !== "unconfined") {
    return works(
      "apparmor",
      purpose,
      `restricts user namespaces; this program has profile ${profile}`,
    );
  }
  return lacks(
    "apparmor",
    purpose,
    "restricts user namespaces, and this program has no profile that allows them",
    'install the profile in section "AppArmor" of ch-run(1), or an administrator can type ' +
      '"sysctl kernel.apparmor_restrict_unprivileged_userns=0"',
  );
}

function examineCgroups(host: DoctorHost): Finding {
  const purpose = "limits of batch systems; containers stay in the caller's group";
  const mounts = parseMountInfo(findText("/proc/self/mountinfo", host) ?? "");
  const unified = mounts.find(({ type }) => type === "cgroup2");
  const isLegacy = mounts.some(({ type }) => type === "cgroup");
  if (unified === undefined && !isLegacy) return absent("cgroups", purpose, "not mounted");
  if (unified === undefined || isLegacy) return works("cgroups", purpose, "version 1");
  const group = /^0::(.*)$/m.exec(findText("/proc/self/cgroup", host) ?? "")?.[1] ?? "/";
  const limit = findText(`${unified.mountPoint}${group}/memory.max`, host);
  const memory = limit === undefined || limit === "max" ? "" : `, memory limit ${limit} bytes`;
  return works("cgroups", purpose, `version 2, group ${group}${memory}`);
}

/** Yama's ptrace_scope decides who may read another process's memory. */
function examineCma(host: DoctorHost): Finding {
  const purpose = "fast messages between ranks on a node (with ch-run --join)";
  const scope = findText("/proc/sys/kernel/yama/ptrace_scope", host) ?? "0";
  if (scope === "0") return works("cma", purpose, "cross-memory attach is allowed");
  return lacks(
    "cma",
    purpose,
    `kernel.yama.ptrace_scope is ${scope}: ranks may not attach to one another's memory`,
    'MPI copies through shared memory instead; an administrator can type "sysctl kernel.yama.ptrace_scope=0"',
  );
}
