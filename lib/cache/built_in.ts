// The image that no registry is needed for: an empty one. FROM makes it and `ch-image pull`, and it is the
// same to the build cache, whoever did.

import type { Log } from "../log/log.ts";
import { initializeImage } from "../store/initialize_image.ts";
import { defaultMetadata } from "../store/metadata.ts";
import { writeMetadata } from "../store/metadata_files.ts";
import type { NewImage } from "./state_store.ts";

export const BUILT_IN = "scratch";

/** Known by a manifest without content. */
export const BUILT_IN_ORIGIN: NewImage = {
  label: `PULL ${BUILT_IN}`,
  key: { text: "PULL", inputs: ["{}"] },
};

/** Makes it of the empty directory ROOT_FD. */
export function fillBuiltIn(rootFd: number, log: Log): void {
  initializeImage(rootFd);
  writeMetadata(rootFd, defaultMetadata(), log);
}
