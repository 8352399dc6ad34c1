// ch-image push: puts an image into a registry.

import { parseReference } from "../../lib/reference/reference.ts";
import { parseLayoutPlace } from "../../lib/registry/layout_place.ts";
import { pushImage } from "../../lib/registry/push.ts";
import { defineOptions, findValue, isGiven } from "../options.ts";
import { readRegistryDefaults, readRegistrySettings } from "./registry_settings.ts";
import type { SubCommand } from "./sub_command.ts";

const OPTIONS = defineOptions([
  {
    long: "image",
    argument: "required",
    placeholder: "DIR",
    repeat: "last",
    help: "push the directory DIR instead of an image in storage",
  },
  {
    long: "index",
    argument: "none",
    repeat: "idempotent",
    help: "put the image beside those for other platforms that DEST_REF has",
  },
  {
    long: "single-layer",
    argument: "none",
    repeat: "idempotent",
    help: "push all as one layer, even if the image was built on one that was pulled",
  },
]);

export const push: SubCommand<typeof OPTIONS[number]["long"]> = {
  name: "ch-image push",
  summary: "Put an image into a registry",
  options: OPTIONS,
  positionals: [
    { name: "IMAGE_REF", count: "one", help: "the image; also its name there" },
    {
      name: "DEST_REF",
      count: "optional",
      help: "its name there, if that is another, or oci:DIR, oci-archive:FILE",
    },
  ],
  async run(context, args) {
    const { environment, log, settings } = context;
    const [name, destination] = args.positionals;
    const source = parseReference(name!);
    const directory = findValue(args, "image");
    if (settings.xattrs) log.warning("--xattrs unsupported for “ch-image push” (see FAQ)");
    const layout = destination === undefined ? undefined : parseLayoutPlace(destination);
    await pushImage(context.openStore(), {
      source,
      destination: layout ?? (destination === undefined ? source : parseReference(destination)),
      directory,
      isForIndex: isGiven(args, "index"),
      isSingleLayer: isGiven(args, "single-layer"),
    }, {
      registry: readRegistrySettings(context, args, "authenticated"),
      defaults: readRegistryDefaults(environment),
      usesCache: settings.cacheMode !== "disabled",
    });
    return 0;
  },
};
