// `ch-run --feature`: what this build and this kernel can do (spec ch-run §9.7).

import { ChError } from "../lib/error.ts";

/** Exit status that says whether FEATURE is there. KERNELRELEASE as uname(1) `-r` prints it. */
export function checkFeature(feature: string, kernelRelease: string): number {
  switch (feature) {
    case "extglob":
    case "seccomp":
    case "squash":
      return 0;
    case "overlayfs":
      return isAtLeast(kernelRelease, 5, 11) ? 0 : 1;
    case "tmpfs-xattrs":
      return isAtLeast(kernelRelease, 6, 6) ? 0 : 1;
    default:
      throw new ChError(`unknown feature: ${feature}`, {
        hint: "known are extglob, seccomp, squash, overlayfs, tmpfs-xattrs",
      });
  }
}

function isAtLeast(release: string, major: number, minor: number): boolean {
  const [, x, y] = /^(\d+)\.(\d+)/.exec(release) ?? [];
  return Number(x) > major || (Number(x) === major && Number(y) >= minor);
}
