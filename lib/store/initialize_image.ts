// What every image in storage has, because containers need it (spec ch-image §7.1).

import { IMAGE_SKELETON, makeSkeleton } from "../layer/image_skeleton.ts";

/** Makes what is missing in the image whose root directory is ROOT_FD. What exists stays. */
export function initializeImage(rootFd: number): void {
  makeSkeleton(rootFd, IMAGE_SKELETON);
}
