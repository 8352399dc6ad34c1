// A state that cannot be restored: somebody changed its files, or the machine stopped while they were written.

import { ChError } from "../error.ts";

/** The state is not found any more afterwards, so building again makes it anew. */
export class DamagedStateError extends ChError {
  constructor(message: string) {
    super(message, { hint: "it is not in the cache any more; build again" });
  }
}
