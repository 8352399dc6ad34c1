// Memory that C works on in another thread. V8 does not know of that: what no code will look at again
// may be collected while a nonblocking call still reads it. So it is held here until the call is over.

const inFlight = new Set<readonly ArrayBufferView[]>();

/** What CALL gives; MEMORY is safe until then, even if nobody waits any more. */
export async function holding<T>(call: Promise<T>, ...memory: ArrayBufferView[]): Promise<T> {
  inFlight.add(memory);
  try {
    return await call;
  } finally {
    inFlight.delete(memory);
  }
}
