// ch-image import: makes an image from a directory or an archive.

import { withoutVariant } from "../../lib/registry/architecture.ts";
import { parseReference } from "../../lib/reference/reference.ts";
import { importImage } from "../../lib/store/import.ts";
import { takeTurn } from "../../lib/store/turn.ts";
import { findValue } from "../options.ts";
import type { SubCommand } from "./sub_command.ts";

export const importCommand: SubCommand = {
  name: "ch-image import",
  summary: "Make an image from a directory or a tar archive, compressed or not",
  options: [],
  positionals: [
    { name: "PATH", count: "one", help: "directory or archive" },
    { name: "IMAGE_REF", count: "one", help: "name of the image; replaced if it exists" },
  ],
  async run(context, args) {
    const { log, settings, signal } = context;
    const [path, name] = args.positionals;
    const wanted = findValue(args, "arch") ?? "host";
    const arch = ["host", "yolo"].includes(wanted) ? undefined : withoutVariant(wanted);
    const reference = parseReference(name!);
    if (settings.xattrs) log.warning("--xattrs unsupported by “ch-image import” (see FAQ)");
    const cache = settings.cacheMode === "disabled" ? undefined : context.openCache();
    const store = context.openStore();
    using _turn = await takeTurn(store, reference, context);
    await importImage(store, path!, reference, { log, cache, arch, signal });
    return 0;
  },
};
