// ch-image list: the images in the storage directory.

import { mangleReference } from "../../lib/reference/reference.ts";
import { defineOptions, isGiven, UsageError } from "../options.ts";
import type { SubCommand } from "./sub_command.ts";

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
    aliases: ["undeleteable"],
    short: "u",
    argument: "none",
    repeat: "idempotent",
    absent: true,
    help: "",
  },
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
    const store = context.openStore();
    const images = store.listImages();
    if (!isGiven(args, "long")) {
      for (const image of images) context.print(image);
      return Promise.resolve(0);
    }
    const width = Math.max(...images.map((image) => mangleReference(image).length));
    for (const image of images) {
      const changed = store.findChangeTime(image);
      const time = changed === undefined ? "unknown" : formatTime(changed);
      context.print(`${image.padEnd(width)} | ${time}`);
    }
    return Promise.resolve(0);
  },
};

/** As ctime(3), in local time: `Sun Nov 22 11:36:48 2026`. */
function formatTime(time: Date): string {
  const [weekday, month] = time.toDateString().split(" ");
  const day = String(time.getDate()).padStart(2);
  const clock = time.toTimeString().slice(0, 8);
  return `${weekday} ${month} ${day} ${clock} ${time.getFullYear()}`;
}
