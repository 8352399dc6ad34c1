// MPI, its process managers, and the fabric below: what of it the host has.

import { findVariable } from "../container/variables.ts";
import { absent, type Finding, lacks, works } from "./finding.ts";
import { type DoctorHost, findLibrary, isThere } from "./host.ts";

export async function examineNetwork(host: DoctorHost): Promise<Finding[]> {
  return [await examineMpi(host), await examinePmi(host), examineFabric(host)];
}

async function examineMpi(host: DoctorHost): Promise<Finding> {
  const purpose = "starting ranks by the host's mpirun or mpiexec";
  for (const name of ["mpirun", "mpiexec"]) {
    const program = host.findProgram(name);
    if (program === undefined) continue;
    const flavour = describeMpi(await host.run(program, ["--version"]) ?? "");
    return works("mpi", purpose, `${flavour} (${program}); the image's MPI must be compatible`);
  }
  return absent("mpi", purpose, "no mpirun or mpiexec in PATH");
}

/** Name and version out of what `mpirun --version` prints. */
export function describeMpi(text: string): string {
  const openMpi = /\(Open ?MPI\)\s+([0-9][\w.]*)/i.exec(text);
  if (openMpi !== null) return `Open MPI ${openMpi[1]}`;
  const intel = /Intel\(R\) MPI Library.*?Version\s+([0-9][\w.]*)/is.exec(text);
  if (intel !== null) return `Intel MPI ${intel[1]}`;
  const hydra = /HYDRA[^]*?Version:\s+([0-9][\w.]*)/.exec(text);
  if (hydra !== null) return `MPICH ${hydra[1]}`;
  const mvapich = /MVAPICH2?\s*(?:Version:?)?\s*([0-9][\w.]*)/i.exec(text);
  return mvapich === null ? "of unknown kind" : `MVAPICH ${mvapich[1]}`;
}

async function examinePmi(host: DoctorHost): Promise<Finding> {
  const purpose = "starting ranks by Slurm (srun --mpi)";
  const srun = host.findProgram("srun");
  const here = ["PMIX_RANK", "PMI_RANK", "PMI_FD"].find((name) =>
    findVariable(host.environment, name) !== undefined
  );
  const running = here === undefined ? "" : `; started as a rank (${here} is set)`;
  if (srun !== undefined) {
    const kinds = listPlugins(await host.run(srun, ["--mpi=list"]) ?? "");
    if (kinds.length > 0) return works("pmi", purpose, `${kinds.join(", ")}${running}`);
    return lacks(
      "pmi",
      purpose,
      "srun does not say which kinds of PMI it has",
      'ask "srun --mpi=list" on the login node, and start ranks by mpirun until then',
    );
  }
  const libraries = ["libpmix.so", "libpmi2.so", "libpmi.so"].flatMap((name) =>
    findLibrary(name, host) ?? []
  );
  const detail = libraries.length === 0 ? "no Slurm" : `no Slurm; ${libraries.join(", ")}`;
  return absent("pmi", purpose, detail + running);
}

/** Out of what `srun --mpi=list` prints: a kind on each line, or on one line behind a colon. */
export function listPlugins(text: string): string[] {
  const words = text.split(/[\s,]+/).filter((word) =>
    /^(?:pmi2?|pmix(?:_v[0-9]+)?|cray_shasta|none)$/.test(word)
  );
  return [...new Set(words)].sort();
}

function examineFabric(host: DoctorHost): Finding {
  const purpose = "fast networks through libfabric";
  const cray = host.list("/opt/cray/libfabric").map((version) =>
    `/opt/cray/libfabric/${version}/lib64/libfabric.so.1`
  ).findLast((path) => isThere(path, host));
  const hasCxi = host.list("/dev").some((name) => /^cxi[0-9]/.test(name));
  const hasVerbs = host.list("/dev/infiniband").some((name) => name.startsWith("uverbs"));
  const devices = [
    ...hasCxi ? ["Slingshot (/dev/cxi*)"] : [],
    ...hasVerbs ? ["InfiniBand (/dev/infiniband)"] : [],
  ];
  const library = cray ?? findLibrary("libfabric.so", host);
  const detail = [...devices, ...library === undefined ? [] : [library]].join(", ");
  if (hasCxi && library !== undefined) {
    return works(
      "libfabric",
      purpose,
      `${detail}; for images: CH_FROMHOST_OFI_CXI=${library} ch-fromhost --cray-cxi DIR`,
    );
  }
  if (devices.length > 0 && library === undefined) {
    return lacks(
      "libfabric",
      purpose,
      `${devices.join(", ")}, but no libfabric.so in the usual places`,
      "load the module that has it; images need one of their own in any case",
    );
  }
  return detail === ""
    ? absent("libfabric", purpose, "no such network, no libfabric.so")
    : works("libfabric", purpose, detail);
}
