// /dev/null as a descriptor, for a child's standard input. Deno tells no numbers of its own files.

import { Descriptor } from "./descriptor.ts";
import { openLibrary } from "./library.ts";
import { encodeCString } from "./os_string.ts";
import { PATH } from "./symbols.ts";
import { checkResult, newErrorBlock } from "./system_error.ts";

/** For reading. Throws SystemError. */
export function openNullDevice(): Descriptor {
  const block = newErrorBlock();
  const { ch_path_open } = openLibrary(PATH);
  return new Descriptor(checkResult(ch_path_open(encodeCString("/dev/null"), 1, block), block));
}
