// ch-image delete: removes images, and the stages of their builds, from the storage directory.

import { deleteImages } from "../../lib/store/delete.ts";
import type { SubCommand } from "./sub_command.ts";

export const deleteCommand: SubCommand = {
  name: "ch-image delete",
  summary: "Delete images from the storage directory",
  options: [],
  positionals: [{
    name: "IMAGE_GLOB",
    count: "some",
    help:
      "image reference, or shell pattern (* ? [...]) for several; build stages of what matches " +
      "are deleted as well",
  }],
  run(context, args) {
    const cache = context.settings.cacheMode === "disabled" ? undefined : context.openCache();
    deleteImages(context.openStore(), args.positionals, context.log, cache);
    return Promise.resolve(0);
  },
};
