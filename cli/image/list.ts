// ch-image list: the images in the storage directory.

import { listDeleted } from "../../lib/cache/undelete.ts";
import { mangleReference, unmangleName } from "../../lib/reference/reference.ts";
import { defineOptions, isGiven, UsageError } from "../options.ts";
import type { Context, SubCommand } from "./sub_command.ts";

const OPTIONS = defineOptions([
  {
    long: "long",
    short: "l",
    argument: "none",
    repeat: "idempotent",
    help: "also show when each image was last changed",
  },
  {
    long: "undeletable",
    short: "u",
    argument: "none",
    repeat: "idempotent",
    help:
      "list deleted images that “ch-image undelete” can bring back; with -l, when each was deleted",
  },
  { long: "undeleteable", argument: "none", repeat: "idempotent", hidden: true, help: "" },
]);

export const list: SubCommand<typeof OPTIONS[number]["long"]> = {
  name: "ch-image list",
  summary: "List the images in the storage directory",
  options: OPTIONS,
  positionals: [{ name: "IMAGE_REF", count: "optional" }],
  run(context, args) {
    if (args.positionals.length > 0) {
      throw new UsageError("not in this version yet: details of an image from its registry");
    }
    if (isGiven(args, "undeletable") || isGiven(args, "undeleteable")) {
      listUndeletable(context, isGiven(args, "long"));
      return Promise.resolve(0);
    }
    const store = context.openStore();
    const images = store.listImages();
    if (!isGiven(args, "long")) {
      for (const image of images) context.print(image);
      return Promise.resolve(0);
    }
    printTimes(context, images.map((image) => [image, store.findChangeTime(image)]));
    return Promise.resolve(0);
  },
};

function listUndeletable(context: Context, isLong: boolean): void {
  const deleted = listDeleted(context.openCache()).map(
    ({ name, time }) => [unmangleName(name), time] as const,
  );
  if (isLong) return printTimes(context, deleted);
  for (const [image] of deleted) context.print(image);
}

function printTimes(
  context: Context,
  images: readonly (readonly [string, Date | undefined])[],
): void {
  const width = Math.max(...images.map(([image]) => mangleReference(image).length));
  for (const [image, time] of images) {
    const shown = time === undefined ? "unknown" : formatTime(time);
    context.print(`${image.padEnd(width)} | ${shown}`);
  }
}

/** As ctime(3), in local time: `Sun Nov 22 11:36:48 2026`. */
function formatTime(time: Date): string {
  const [weekday, month] = time.toDateString().split(" ");
  const day = String(time.getDate()).padStart(2);
  const clock = time.toTimeString().slice(0, 8);
  return `${weekday} ${month} ${day} ${clock} ${time.getFullYear()}`;
}
