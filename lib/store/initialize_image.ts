// What every image in storage has, because containers need it (spec ch-image §7.1).

import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../error.ts";
import { IMAGE_SKELETON, makeSkeleton } from "../layer/image_skeleton.ts";

/**
 * Makes what is missing in the image whose root directory is ROOT_FD. What exists stays. Throws a ChError
 * if that is in the way.
 */
export function initializeImage(rootFd: number): void {
  try {
    makeSkeleton(rootFd, IMAGE_SKELETON);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new ChError("can’t initialize image", { cause: error });
  }
}
