// ch-image list: the images in the storage directory, or all that is known of one image.

import { openRoot } from "../../ffi/tree.ts";
import { describeCached } from "../../lib/cache/cached_image.ts";
import { summarizeImage } from "../../lib/cache/inspect_image.ts";
import { listDeleted } from "../../lib/cache/undelete.ts";
import {
  type ImageReference,
  mangleReference,
  parseReference,
  unmangleName,
} from "../../lib/reference/reference.ts";
import { describeRemote, findDetails } from "../../lib/registry/details.ts";
import type { PullSettings } from "../../lib/registry/pull.ts";
import { readMetadata } from "../../lib/store/metadata_files.ts";
import type { Store } from "../../lib/store/store.ts";
import { defineOptions, isGiven } from "../options.ts";
import { readPullSettings } from "./registry_settings.ts";
import type { Context, SubCommand } from "./sub_command.ts";

const OPTIONS = defineOptions([
  {
    long: "json",
    argument: "none",
    repeat: "idempotent",
    help: "print a JSON list with name, path, time of change and state of each image",
  },
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
  positionals: [{
    name: "IMAGE_REF",
    count: "optional",
    help: "tell all about this image, asking its registry",
  }],
  async run(context, args) {
    const [name] = args.positionals;
    if (name !== undefined) {
      const reference = parseReference(name);
      await printDetails(context, reference, readPullSettings(context, args));
      return 0;
    }
    if (isGiven(args, "undeletable") || isGiven(args, "undeleteable")) {
      listUndeletable(context, isGiven(args, "long"));
      return 0;
    }
    const store = context.openStore();
    const images = store.listImages();
    if (isGiven(args, "json")) {
      const all = images.map((image) => summarizeImage(store, parseReference(image)));
      context.print(JSON.stringify(all, undefined, 2));
      return 0;
    }
    if (!isGiven(args, "long")) {
      for (const image of images) context.print(image);
      return 0;
    }
    printTimes(context, images.map((image) => [image, store.findChangeTime(image)]));
    return 0;
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

/** Width of the names of the details. */
const NAME_WIDTH = 21;

async function printDetails(
  context: Context,
  reference: ImageReference,
  settings: PullSettings,
): Promise<void> {
  const print = (name: string, value: string) =>
    context.print((name === "" ? "" : `${name}:`).padEnd(NAME_WIDTH) + value);
  const store = context.openStore();
  print("details of image", reference.text);
  print("in local storage", describeStored(store, reference, context));
  print("in build cache", describeCached(store, reference, context.log));
  const isBuiltIn = reference.text === "scratch";
  const details = isBuiltIn ? undefined : await findDetails(reference, settings);
  const { available, aware, architectures } = details === undefined
    ? {
      available: "yes",
      aware: "yes",
      architectures: [`${settings.hostArchitecture}  no digest`],
    }
    : describeRemote(details.remote, context.log);
  print("full remote ref", details?.canonical ?? reference.text);
  print("available remotely", available);
  print("remote arch-aware", aware);
  print("host architecture", settings.hostArchitecture);
  const [first = "n/a", ...others] = architectures;
  print("archs available", first);
  for (const other of others) print("", other);
}

function describeStored(store: Store, reference: ImageReference, { log }: Context): string {
  if (!store.hasImage(reference)) return "no";
  const path = store.imagePath(reference);
  using root = openRoot(path);
  const { arch } = readMetadata(root.fd, path, log);
  const changed = store.findChangeTime(reference.text);
  return `yes (${arch}), modified: ${changed === undefined ? "unknown" : formatTime(changed)}`;
}

/** As ctime(3), in local time: `Sun Nov 22 11:36:48 2026`. */
function formatTime(time: Date): string {
  const [weekday, month] = time.toDateString().split(" ");
  const day = String(time.getDate()).padStart(2);
  const clock = time.toTimeString().slice(0, 8);
  return `${weekday} ${month} ${day} ${clock} ${time.getFullYear()}`;
}
