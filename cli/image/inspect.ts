// ch-image inspect: what is known of an image in storage, as JSON.

import { inspectImage } from "../../lib/cache/inspect_image.ts";
import { parseReference } from "../../lib/reference/reference.ts";
import type { SubCommand } from "./sub_command.ts";

export const inspect: SubCommand = {
  name: "ch-image inspect",
  summary: "Print what is known of an image in storage, as JSON",
  options: [],
  positionals: [{ name: "IMAGE_REF", count: "one" }],
  run(context, { positionals: [name] }) {
    const found = inspectImage(context.openStore(), parseReference(name!), context.log);
    context.print(JSON.stringify(found, undefined, 2));
    return Promise.resolve(0);
  },
};
