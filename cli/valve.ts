// Output that waits while somebody else has the terminal.

/** Writes go through at once, in their order, or, while it is shut, later in the same order. */
export class Valve {
  #waiting: (() => void)[] | undefined;

  pass(write: () => void): void {
    if (this.#waiting === undefined) write();
    else this.#waiting.push(write);
  }

  /** Nothing passes until what is returned is disposed of. */
  shut(): Disposable {
    this.#waiting ??= [];
    return { [Symbol.dispose]: () => this.#open() };
  }

  #open(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const write of waiting) write();
  }
}
