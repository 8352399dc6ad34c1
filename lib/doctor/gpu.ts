// GPUs: whether there are any, and how their drivers' libraries get into images.

import { absent, type Finding, lacks, works } from "./finding.ts";
import { type DoctorHost, findText } from "./host.ts";

export function examineGpu(host: DoctorHost): Finding {
  const purpose = "programs that use GPUs";
  const nvidia = host.list("/dev").filter((name) => /^nvidia[0-9]+$/.test(name));
  const hasAmd = host.list("/dev").includes("kfd");
  if (nvidia.length > 0) return examineNvidia(nvidia.length, purpose, host);
  if (hasAmd) {
    return works(
      "gpu",
      purpose,
      "AMD (/dev/kfd); images bring ROCm along, devices are shared with them",
    );
  }
  return absent("gpu", purpose, "no /dev/nvidia*, no /dev/kfd");
}

function examineNvidia(count: number, purpose: string, host: DoctorHost): Finding {
  const version = /Kernel Module\s+(?:for \S+\s+)?([0-9][0-9.]*)/
    .exec(findText("/proc/driver/nvidia/version", host) ?? "")?.[1] ?? "of unknown version";
  const devices = `${count} of NVIDIA, driver ${version}`;
  const specs = ["/etc/cdi", "/var/run/cdi"].flatMap((directory) =>
    host.list(directory).filter((name) => /\.(?:json|ya?ml)$/.test(name)).map((name) =>
      `${directory}/${name}`
    )
  );
  if (specs.length > 0) {
    return works(
      "gpu",
      purpose,
      `${devices}; ch-run --device=nvidia.com/gpu=all, by ${specs.join(" ")}`,
    );
  }
  if (host.findProgram("nvidia-container-cli") !== undefined) {
    return works(
      "gpu",
      purpose,
      `${devices}; inject its libraries with "ch-fromhost --nvidia DIR"`,
    );
  }
  return lacks(
    "gpu",
    purpose,
    `${devices}, but no nvidia-container-cli to list its libraries`,
    'make a specification for "ch-run --device" ("nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml"), ' +
      'install libnvidia-container-tools for "ch-fromhost --nvidia", or list libcuda.so.* and ' +
      'libnvidia-*.so.* yourself for "ch-fromhost --file"',
  );
}
