// Making the next items while the consumer has the last one.

/** ITEMS, made while the consumer is busy, at most COUNT of them in advance. */
export async function* readAhead<T>(items: AsyncGenerator<T, void, void>, count: number) {
  const queue: Promise<IteratorResult<T, void>>[] = [];
  // A generator takes requests in order, one after the other, without waiting in between.
  const request = () => {
    const next = items.next();
    next.catch(() => {}); // reported when its turn comes
    queue.push(next);
  };
  try {
    for (let i = 0; i < count; i++) request();
    for (;;) {
      const next = await queue.shift()!;
      if (next.done) return;
      request();
      yield next.value;
    }
  } finally {
    await items.return();
  }
}

/** ITEMS, of which the first is being made from now on. */
export function begin<T>(
  items: AsyncGenerator<T, void, void>,
): AsyncIterableIterator<T, void, void> & { return(): Promise<IteratorResult<T, void>> } {
  let first: Promise<IteratorResult<T, void>> | undefined = items.next();
  first.catch(() => {}); // reported when its turn comes
  return {
    next() {
      const next = first ?? items.next();
      first = undefined;
      return next;
    },
    return: () => items.return(),
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
