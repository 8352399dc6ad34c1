// The system's log. Nobody is told if there is none.

import { openLightLibrary } from "./light_library.ts";
import { encodeCString } from "./os_string.ts";
import { SYSLOG } from "./symbols.ts";

/** Sends one record of facility user, priority info, marked with TAG. */
export function sendToSyslog(tag: string, text: string): void {
  openLightLibrary(SYSLOG).ch_syslog_send(encodeCString(tag), encodeCString(text));
}
