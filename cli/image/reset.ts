// ch-image reset: empties the storage directory.

import { resetStore } from "../../lib/store/reset.ts";
import type { SubCommand } from "./sub_command.ts";

export const reset: SubCommand = {
  name: "ch-image reset",
  summary: "Delete everything in the storage directory, whatever its version",
  options: [],
  positionals: [],
  run({ settings, log }) {
    resetStore(settings.storagePath, { lock: settings.lock }, log);
    return Promise.resolve(0);
  },
};
