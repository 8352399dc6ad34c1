// ch-image pull: gets an image from a registry.

import { ChError } from "../../lib/error.ts";
import { formatParseReport } from "../../lib/reference/canonical.ts";
import { parseReference } from "../../lib/reference/reference.ts";
import {
  type LayoutPlace,
  parseLayoutPlace,
  warnOfLayout,
} from "../../lib/registry/layout_place.ts";
import { pullLayout } from "../../lib/registry/pull_layout.ts";
import { pullImage } from "../../lib/registry/pull.ts";
import { takeTurn } from "../../lib/store/turn.ts";
import { type Arguments, defineOptions, findValue, isGiven, UsageError } from "../options.ts";
import { readPullSettings } from "./registry_settings.ts";
import type { CommonOption } from "./common_options.ts";
import type { Context, SubCommand } from "./sub_command.ts";

const OPTIONS = defineOptions([
  {
    long: "last-layer",
    argument: "required",
    placeholder: "N",
    repeat: "last",
    help: "unpack only the first N layers, for looking into broken images",
  },
  {
    long: "parse-only",
    argument: "none",
    repeat: "idempotent",
    help: "print how IMAGE_REF is understood, and do nothing else",
  },
]);

export const pull: SubCommand<typeof OPTIONS[number]["long"]> = {
  name: "ch-image pull",
  summary: "Get an image from a registry or an OCI layout",
  options: OPTIONS,
  positionals: [
    {
      name: "IMAGE_REF",
      count: "one",
      help: "the image, e.g. debian:bookworm, host:5000/a/b or oci:./DIR",
    },
    { name: "DEST_REF", count: "optional", help: "its name in storage; default: the same" },
  ],
  async run(context, args) {
    const { log, settings } = context;
    const [name, destination] = args.positionals;
    const lastLayer = readCount(findValue(args, "last-layer"));
    const layout = parseLayoutPlace(name!);
    if (layout !== undefined) {
      return await pullFromLayout(layout, destination, lastLayer, context, args);
    }
    warnOfLayout(name!, log);
    const source = parseReference(name!);
    if (isGiven(args, "parse-only")) {
      for (const line of formatParseReport(source).split("\n")) context.print(line);
      return 0;
    }
    if (settings.xattrs) log.warning("--xattrs unsupported for “ch-image pull” (see FAQ)");
    const request = {
      source,
      destination: destination === undefined ? source : parseReference(destination),
      lastLayer,
    };
    const pullSettings = readPullSettings(context, args);
    const cache = settings.cacheMode === "disabled" ? undefined : context.openCache();
    const store = context.openStore();
    using _turn = await takeTurn(store, request.destination, context);
    await pullImage(store, request, pullSettings, cache);
    return 0;
  },
};

async function pullFromLayout(
  source: LayoutPlace,
  destination: string | undefined,
  lastLayer: number | undefined,
  context: Context,
  args: Arguments<typeof OPTIONS[number]["long"] | CommonOption>,
): Promise<number> {
  if (isGiven(args, "parse-only")) throw new ChError(`not an image reference: ${source.text}`);
  if (destination === undefined) {
    throw new ChError(`no name for the image: ${source.text}`, {
      hint: "give its name in storage as DEST_REF",
    });
  }
  const request = { source, destination: parseReference(destination), lastLayer };
  const { settings } = context;
  const cache = settings.cacheMode === "disabled" ? undefined : context.openCache();
  const store = context.openStore();
  using _turn = await takeTurn(store, request.destination, context);
  await pullLayout(store, request, readPullSettings(context, args), cache);
  return 0;
}

function readCount(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^-?\d+$/.test(text)) {
    throw new UsageError(`argument --last-layer: invalid int value: '${text}'`);
  }
  if (Number(text) < 0) throw new ChError(`--last-layer: negative: ${text}`);
  return Number(text);
}
