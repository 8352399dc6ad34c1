// The image's dynamic linker is told of host directories that will be bound at run time (spec
// ch-fromhost §6.3).

import type { Log } from "../log/log.ts";
import { directoryOf } from "./host_libraries.ts";
import type { ImageTree } from "./image_tree.ts";
import { OWN_CONFIGURATION } from "./ldconfig.ts";

const CONFIGURATION = "/etc/ld.so.conf";
const INCLUDE = "include ld.so.conf.d/*.conf";

/** DIRECTORIES replace those of an earlier injection. */
export function writeLinkerConfiguration(
  image: ImageTree,
  directories: readonly string[],
  log: Log,
): void {
  const text = image.findText(CONFIGURATION) ?? "";
  if (!text.includes(INCLUDE)) {
    log.debug(`ld.so.conf: adding ${INCLUDE}`);
    const gap = text === "" || text.endsWith("\n") ? "" : "\n";
    image.writeText(CONFIGURATION, `${text}${gap}${INCLUDE}\n`);
  }
  image.makeDirectory(directoryOf(OWN_CONFIGURATION));
  for (const directory of directories) log.debug(`ld.so.conf: adding ${directory}`);
  image.writeText(OWN_CONFIGURATION, directories.map((path) => `${path}\n`).join(""));
}
