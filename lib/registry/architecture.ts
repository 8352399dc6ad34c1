// Which of an image's architectures is wanted (spec ch-image §8). Pure.

import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";

/** "host", "yolo" (whatever the registry serves), or a name as registries have them. */
export type WantedArchitecture = string;

const BY_MACHINE: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  i386: "386",
  i686: "386",
  aarch64: "arm64/v8",
  armv8l: "arm64/v8",
  armv7l: "arm/v7",
  aarch32: "arm/v7",
  armv6l: "arm/v6",
  armv5l: "arm/v5",
  ppc64le: "ppc64le",
  s390x: "s390x",
  mips64le: "mips64le",
};

/** The registries' name of what `uname -m` calls MACHINE. Throws a ChError if there is none. */
export function nameArchitecture(machine: string): string {
  const name = BY_MACHINE[machine];
  if (name === undefined) throw new ChError(`unknown host architecture: ${machine}`);
  return name;
}

/** Where an image that is only there without variant will do as well. */
const FALLBACKS: Readonly<Record<string, string>> = { "arm/v7": "arm", "arm64/v8": "arm64" };

/** Which of AVAILABLE to take for WANTED. Throws a ChError that lists what there is. */
export function chooseArchitecture(
  wanted: string,
  available: readonly string[],
  log: Log,
): string {
  if (available.includes(wanted)) return wanted;
  const fallback = FALLBACKS[wanted];
  if (fallback !== undefined && available.includes(fallback)) {
    log.warning(`arch ${wanted} requested but falling back to ${fallback}`);
    return fallback;
  }
  throw new ChError(`requested arch unavailable: ${wanted}`, {
    hint: `available: ${[...available].sort().join(" ")}`,
  });
}

/** Of an image that has only one architecture and does not say which. Throws a ChError unless WANTED is
 * what nearly all such images are for. */
export function acceptUnaware(wanted: string, log: Log): void {
  if (wanted !== "amd64") {
    throw new ChError("image is architecture-unaware", { hint: "consider --arch=yolo" });
  }
  log.warning("image is architecture-unaware");
  log.warning("requested arch is amd64; using --arch=yolo");
}

/** "arm64/v8" → "arm64". */
export function withoutVariant(architecture: string): string {
  return architecture.split("/")[0]!;
}
