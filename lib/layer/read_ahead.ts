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
