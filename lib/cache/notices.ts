// What storing a tree changed in it, for people (spec build-cache §7).

import type { Notice } from "../../ffi/cache.ts";
import { displayOsString } from "../../ffi/os_string.ts";
import type { Log } from "../log/log.ts";

export function reportNotices(notices: readonly Notice[], log: Log): void {
  for (const { kind, path } of notices) {
    const shown = displayOsString(path);
    switch (kind) {
      case "mode":
        log.verbose(`fixing permissions: ${shown}`);
        break;
      case "socket":
        log.warning(`socket in image, deleting: ${shown}`);
        break;
      case "rpm":
        log.verbose(`deleting, see issue #1351: ${shown}`);
        break;
      default:
        kind satisfies never;
    }
  }
}
