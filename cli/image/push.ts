// ch-image push: puts an image into a registry.

import { LEVELS, requireLevel } from "../../lib/layer/compress.ts";
import { parseReference } from "../../lib/reference/reference.ts";
import { parseLayoutPlace, warnOfLayout } from "../../lib/registry/layout_place.ts";
import { pushImage } from "../../lib/registry/push.ts";
import type { LayerCompression } from "../../lib/registry/push_plan.ts";
import { type Arguments, defineOptions, findValue, isGiven } from "../options.ts";
import { parseWholeNumber } from "../whole_number.ts";
import { readRegistryDefaults, readRegistrySettings } from "./registry_settings.ts";
import type { CommonOption } from "./common_options.ts";
import type { SubCommand } from "./sub_command.ts";

const OPTIONS = defineOptions([
  {
    long: "compression-format",
    argument: "required",
    placeholder: "NAME",
    choices: ["gzip", "zstd"],
    repeat: "last",
    help: "compression of the layers made here: gzip (default) or zstd",
  },
  {
    long: "compression-level",
    argument: "required",
    placeholder: "N",
    repeat: "last",
    help: "its level; gzip 0 to 12 (default 1), zstd 1 to 22 (default 3)",
  },
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

type Option = typeof OPTIONS[number]["long"];

export const push: SubCommand<Option> = {
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
    if (destination !== undefined) warnOfLayout(destination, log);
    await pushImage(context.openStore(), {
      source,
      destination: layout ?? (destination === undefined ? source : parseReference(destination)),
      directory,
      compression: readCompression(args),
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

function readCompression(args: Arguments<Option | CommonOption>): LayerCompression | undefined {
  const format = findValue(args, "compression-format"), text = findValue(args, "compression-level");
  if (format === undefined && text === undefined) return undefined;
  const compressor = format === "zstd" ? "zstd" : "gzip";
  if (text === undefined) return format === "zstd" ? { compressor } : undefined;
  const level = parseWholeNumber(text, "--compression-level");
  requireLevel(compressor, level, LEVELS[compressor]);
  return { compressor, level };
}
