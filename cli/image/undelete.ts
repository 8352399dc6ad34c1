// ch-image undelete: brings a deleted image back from the build cache.

import { undeleteImage } from "../../lib/cache/undelete.ts";
import { ChError } from "../../lib/error.ts";
import { parseReference } from "../../lib/reference/reference.ts";
import { takeTurn } from "../../lib/store/turn.ts";
import type { SubCommand } from "./sub_command.ts";

export const undelete: SubCommand = {
  name: "ch-image undelete",
  summary: "Bring a deleted image back from the build cache",
  options: [],
  positionals: [{ name: "IMAGE_REF", count: "one", help: "name that the image had" }],
  async run(context, { positionals: [name] }) {
    if (context.settings.cacheMode !== "enabled") {
      throw new ChError("only available when cache is enabled");
    }
    const reference = parseReference(name!);
    using _turn = await takeTurn(context.openStore(), reference, context);
    await undeleteImage(context.openCache(), reference);
    return 0;
  },
};
