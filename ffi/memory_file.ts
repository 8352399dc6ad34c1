// Files without a name, for what a child prints: Deno tells no numbers of its own pipes.

import { Descriptor } from "./descriptor.ts";
import { openLightLibrary } from "./light_library.ts";
import { encodeCString } from "./os_string.ts";
import { readBytes } from "./path.ts";
import { MEMORY_FILE } from "./symbols.ts";
import { checkResult, newErrorBlock } from "./system_error.ts";

/** For reading and writing, with this CONTENT. NAME is what /proc shows. Throws SystemError. */
export function openMemoryFile(name: string, content = new Uint8Array()): Descriptor {
  const block = newErrorBlock();
  const result = openLightLibrary(MEMORY_FILE).ch_memory_file_open(encodeCString(name), block);
  const file = new Descriptor(checkResult(result, block));
  if (content.length > 0) Deno.writeFileSync(`/proc/self/fd/${file.fd}`, content);
  return file;
}

/** All that was written so far, wherever writers stand. */
export function readMemoryFile(file: Descriptor): Uint8Array<ArrayBuffer> {
  return readBytes(`/proc/self/fd/${file.fd}`);
}
