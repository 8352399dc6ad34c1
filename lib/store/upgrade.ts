// Storage directories of earlier formats become the present one when they are opened.

import type { Log } from "../log/log.ts";
import { FRESH_VERSION, STORE_VERSION, VERSION_FILE } from "./layout.ts";
import { lockStore, type StoreLocks } from "./lock.ts";

/**
 * From format 100: it lacks nothing but the number. Its images are not in the build cache, and get there
 * when a build starts from them.
 */
export function upgradeStore(path: string, locks: StoreLocks, log: Log): void {
  using _lock = lockStore(locks, {});
  log.info(`upgrading storage directory: v${STORE_VERSION} ${path}`);
  const fresh = `${path}/${FRESH_VERSION}`;
  Deno.writeTextFileSync(fresh, `${STORE_VERSION}\n`);
  Deno.renameSync(fresh, `${path}/${VERSION_FILE}`);
}
