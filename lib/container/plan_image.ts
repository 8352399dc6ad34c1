// The image, as planning needs it.

import type { Files } from "./host.ts";

export type PlanImage =
  | { readonly type: "directory"; readonly root: string }
  | {
    readonly type: "squash";
    readonly file: string;
    readonly mountPoint: string;
    /** Directories to make first, parents first, so that there is a mount point. */
    readonly missing: readonly string[];
    /** What is in it; its root is "/". */
    readonly files: Files;
  };
