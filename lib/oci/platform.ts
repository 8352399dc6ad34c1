// Choosing an image of an index by what it is to run on. Pure.

import { ChError } from "../error.ts";
import { displayOsString } from "../../ffi/os_string.ts";
import type { Descriptor, Index, Platform } from "./model.ts";

/** What Linux images for this machine are said to be for. */
export function hostPlatform(): Platform {
  switch (Deno.build.arch) {
    case "x86_64":
      return { os: "linux", architecture: "amd64" };
    case "aarch64":
      return { os: "linux", architecture: "arm64" };
    default:
      return Deno.build.arch satisfies never;
  }
}

/**
 * The entry for WANTED. Without a variant in WANTED the first of its architecture will do; an entry that
 * does not say what it is for will do if it is the only one. Throws a ChError that lists what there is.
 */
export function choosePlatform(index: Index, wanted: Platform, name: string): Descriptor {
  const { manifests } = index;
  const [only] = manifests;
  if (only !== undefined && manifests.length === 1 && only.platform === undefined) return only;
  const found = manifests.find(({ platform }) => platform !== undefined && suits(platform, wanted));
  if (found !== undefined) return found;
  const there = manifests.map(({ platform }) => platform ? formatPlatform(platform) : "unknown");
  throw new ChError(
    `no image for ${formatPlatform(wanted)}: ${displayOsString(name)}: there is ${
      there.length === 0 ? "none" : there.join(", ")
    }`,
  );
}

export function formatPlatform({ os, architecture, variant }: Platform): string {
  return [os, architecture, ...variant === undefined ? [] : [variant]].join("/");
}

function suits(platform: Platform, wanted: Platform): boolean {
  return platform.os === wanted.os && platform.architecture === wanted.architecture &&
    (wanted.variant === undefined || platform.variant === wanted.variant);
}
