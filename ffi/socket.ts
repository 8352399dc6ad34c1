// What the runtime does not let its users say of its connections (c/shim/socket.c).

import { openLightLibrary } from "./light_library.ts";
import { SOCKET } from "./symbols.ts";
import { checkResult, newErrorBlock } from "./system_error.ts";

let library: ReturnType<typeof openLightLibrary<typeof SOCKET>> | undefined;

/** Has every TCP connection of this process send at once what there is; how many did not before. Throws a
 * SystemError. */
export function hurrySockets(): number {
  library ??= openLightLibrary(SOCKET);
  const error = newErrorBlock();
  return checkResult(library.ch_socket_hurry(error), error);
}
