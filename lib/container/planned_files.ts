// What a container will have in certain places, looked up while it is planned: by the image, and the
// steps planned so far that mount something over it.

import type { Step } from "../../ffi/plan.ts";
import type { Bind } from "./binds.ts";
import { cannotRead, failMissing, orFail } from "./failure.ts";
import type { Host } from "./host.ts";
import type { FindImageFile } from "./image_config.ts";
import { overlayFiles } from "./overlay_files.ts";
import type { PlanImage } from "./plan_image.ts";
import { findPlace, type Mount } from "./view.ts";

/** Whether the container will have a /root, of whatever kind. */
export function hasRootHome(steps: readonly Step[], image: PlanImage, host: Host): boolean {
  const mounts = listMounts(steps, image, host);
  return orFail("can't stat: /root", () => findPlace("/root", mounts)) !== undefined;
}

/** Content of the container's file PATH; undefined if there will be none. */
export function findImageFile(
  path: string,
  steps: readonly Step[],
  image: PlanImage,
  host: Host,
): Uint8Array | undefined {
  return orFail(cannotRead(path), () => {
    const place = findPlace(path, listMounts(steps, image, host));
    return place?.files.readFile(place.path);
  });
}

/** The same of a file that must be there. */
export function readImageFile(path: string, find: FindImageFile): Uint8Array {
  return orFail(
    cannotRead(path),
    () => find(path) ?? failMissing("open", path),
    "the image has no variables of its own; --image-env does not mind, and --set-env can name a file",
  );
}

/** What STEPS mount for certain in the container, for lib/container/view.ts. */
function listMounts(steps: readonly Step[], image: PlanImage, host: Host): Mount[] {
  const joined = steps.find((step) => step.op === "join_pid");
  if (joined !== undefined) {
    return [{ files: host, source: `/proc/${joined.pid}/root`, target: "/" }];
  }
  const lower: Mount = image.type === "squash"
    ? { files: image.files, source: "/", target: "/" }
    : { files: host.imageFiles, source: image.root, target: "/" };
  const root = withOverlay(lower, steps, host);
  const binds = steps.filter((step) =>
    step.op === "bind" && step.missing !== "skip"
  ) as readonly (Step & Bind)[];
  return [root, ...binds.map(({ source, target }) => ({ files: host, source, target }))];
}

/** The root with what a layer that stays has from earlier runs; one in memory starts empty. */
function withOverlay(root: Mount, steps: readonly Step[], host: Host): Mount {
  const overlay = steps.find((step) => step.op === "overlay");
  if (overlay === undefined || !("directory" in overlay)) return root;
  const lowerRoot = root.source === "/" ? "" : root.source;
  const files = overlayFiles(`${overlay.directory}/upper`, root.files, lowerRoot, host);
  return { files, source: "/", target: "/" };
}
