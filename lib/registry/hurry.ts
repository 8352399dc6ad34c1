// The runtime's connections hold the end of a message back until the other side has confirmed what came
// before it (Nagle's algorithm, RFC 896), which that may put off for 40 ms: each request would wait so long.
// The runtime has no option for it, so connections are told when they have come about.

import { SystemError } from "../../ffi/system_error.ts";
import { hurrySockets } from "../../ffi/socket.ts";

/** Milliseconds until they are looked for, after each other; a connection may take seconds. */
const FIRST = 1, LAST = 1000;

/** What REQUEST gives; the connections it opens do not wait. */
export async function hurry<T>(request: Promise<T>): Promise<T> {
  let pause = FIRST;
  const look = () => {
    try {
      hurrySockets();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      return; // no /proc: then it takes longer
    }
    pause *= 2;
    if (pause <= LAST) timer = setTimeout(look, pause);
  };
  let timer = setTimeout(look, pause);
  try {
    return await request;
  } finally {
    clearTimeout(timer);
  }
}
