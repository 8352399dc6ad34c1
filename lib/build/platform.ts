// Platforms as Docker writes them, `linux/arm64/v8`, and the build arguments that tell them.

import { ChError } from "../error.ts";

export interface Platform {
  /** As registries call it, with variant if there is one: `arm64/v8`. */
  readonly architecture: string;
}

/** `linux/ARCH[/VARIANT]`, or `ARCH[/VARIANT]`. Throws a ChError. */
export function parsePlatform(text: string): Platform {
  const found = /^(?:linux\/)?([a-z0-9_-]+)(\/v\d+)?$/.exec(text);
  if (found === null) {
    throw new ChError(`not a platform: ${text}`, { hint: "e.g. linux/amd64 or linux/arm64/v8" });
  }
  const [, name, variant = ""] = found;
  return { architecture: `${ALIASES[name!] ?? name}${variant}` };
}

export function formatPlatform({ architecture }: Platform): string {
  return `linux/${architecture}`;
}

/** The build arguments that every build knows, ARG or not. */
export function listPlatformArguments(
  build: Platform,
  target: Platform,
  stage: string,
): ReadonlyMap<string, string> {
  const describe = (prefix: string, platform: Platform): [string, string][] => {
    const [name, variant = ""] = platform.architecture.split("/");
    return [
      [`${prefix}PLATFORM`, formatPlatform(platform)],
      [`${prefix}OS`, "linux"],
      [`${prefix}ARCH`, name!],
      [`${prefix}VARIANT`, variant],
    ];
  };
  return new Map([
    ...describe("BUILD", build),
    ...describe("TARGET", target),
    ["TARGETSTAGE", stage],
  ]);
}

const ALIASES: Readonly<Record<string, string>> = {
  x86_64: "amd64",
  "x86-64": "amd64",
  aarch64: "arm64",
  i386: "386",
};
