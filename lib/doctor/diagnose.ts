// All that `ch doctor` looks at: what of containers works, and what host and image have for parallel programs.

import { listAbilities } from "../container/abilities.ts";
import { findVariable } from "../container/variables.ts";
import type { Finding } from "./finding.ts";
import { examineGpu } from "./gpu.ts";
import type { DoctorHost } from "./host.ts";
import { examineImage, type ImageFiles } from "./image.ts";
import { examineKernel } from "./kernel.ts";
import { examineNetwork } from "./network.ts";
import { examineStorage } from "./storage.ts";

/** The first finding is what everything rests on. PROGRAM is what messages of trials call us. */
export async function diagnose(
  program: string,
  host: DoctorHost,
  image: ImageFiles | undefined,
): Promise<Finding[]> {
  const storage = findStorage(host);
  const home = findVariable(host.environment, "HOME");
  const places = { storage, ...home !== undefined && { home } };
  const abilities = await listAbilities(program, places, host);
  return [
    ...abilities,
    ...abilities[0]?.state === "ok" ? await examineStorage(storage, host) : [],
    ...examineKernel(host),
    ...await examineNetwork(host),
    examineGpu(host),
    ...image === undefined ? [] : examineImage(image, host),
  ];
}

/** Where people have images. */
export function findStorage({ environment }: Pick<DoctorHost, "environment">): string {
  const user = findVariable(environment, "USER");
  return findVariable(environment, "CH_IMAGE_STORAGE") ??
    (user === undefined ? "/var/tmp" : `/var/tmp/${user}.ch`);
}
