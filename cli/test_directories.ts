// The directories of ch-test: making room for a phase, what its checks find there, cleaning up.

import { ChError } from "../lib/error.ts";
import type { CheckedPhase } from "../lib/selftest/check.ts";
import { recreateDataDirectory } from "../lib/selftest/data_directory.ts";
import type { TestSettings } from "./test_settings.ts";
import { linkTools, type Tools } from "./test_tools.ts";

/** Each phase has a directory of its own to fill; root emulation is tried on what was built. */
export function makeRoom(phase: CheckedPhase, settings: TestSettings): void {
  switch (phase) {
    case "build":
      return recreateDataDirectory(settings.packDirectory);
    case "rootemu":
      return;
    case "run":
      requirePackedImage(settings);
      return recreateDataDirectory(settings.imageDirectory);
    default:
      phase satisfies never;
  }
}

function requirePackedImage(settings: TestSettings): void {
  const path = packedImage(settings);
  try {
    Deno.statSync(path);
  } catch (cause) {
    throw new ChError(`no packed image: ${path}`, { hint: "phase “build” makes it", cause });
  }
}

function packedImage({ packDirectory, packFormat }: TestSettings): string {
  return `${packDirectory}/check.${packFormat === "tar-unpack" ? "tar.gz" : "sqfs"}`;
}

/** Makes the scratch directory; returns what checks have in their environment (lib/selftest/check.ts). */
export function prepareChecks(
  settings: TestSettings,
  tools: Tools,
  environment: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const { packDirectory, imageDirectory, scratchDirectory, packFormat } = settings;
  recreateDataDirectory(scratchDirectory);
  linkTools(tools, `${scratchDirectory}/bin`);
  const packed = packedImage(settings);
  return new Map([
    // What users have set for themselves is not what is to be checked.
    ...[...environment].filter(([name]) => !name.startsWith("CH_")),
    ["PATH", `${scratchDirectory}/bin:${environment.get("PATH") ?? "/usr/bin:/bin"}`],
    ["CH_IMAGE_STORAGE", `${packDirectory}/storage`],
    ["PACK_DIR", packDirectory],
    ["IMG_DIR", imageDirectory],
    ["PACKED", packed],
    ["IMAGE", packFormat === "squash-mount" ? packed : `${imageDirectory}/check`],
  ]);
}

/** All that ch-test may have left. */
export function listDirectories(settings: TestSettings): readonly string[] {
  return [settings.packDirectory, settings.imageDirectory, settings.scratchDirectory];
}
