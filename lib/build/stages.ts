// The stages of a build: their numbers, aliases and names, and looking them up (spec dockerfile §5 FROM,
// §6.1, §8).

import { ChError } from "../error.ts";
import { type ImageReference, parseReference } from "../reference/reference.ts";

export class Stages {
  /** Alias to number; an alias may be given again. */
  readonly #aliases = new Map<string, number>();
  readonly #tag: ImageReference;
  readonly #count: number;
  /** Of the stage being built; -1 before the first. */
  #current = -1;

  /** TAG is the name of the last of COUNT stages. */
  constructor(tag: ImageReference, count: number) {
    this.#tag = tag;
    this.#count = count;
  }

  get current(): number {
    return this.#current;
  }

  get isLast(): boolean {
    return this.#current === this.#count - 1;
  }

  /** The next stage begins, whose base has been looked up. */
  begin(alias: string | undefined): void {
    this.#current++;
    if (alias !== undefined) this.#aliases.set(alias, this.#current);
  }

  /** The image that stage NUMBER becomes. */
  referenceOf(number: number): ImageReference {
    if (number === this.#count - 1) return this.#tag;
    return parseReference(`${this.#tag.text}_stage${number}`);
  }

  /** Number of the stage that FROM means by NAME, if it means one. */
  findBase(name: string): number | undefined {
    return this.#aliases.get(name);
  }

  /** Number of the earlier stage that `COPY --from` means by NAME. Throws a ChError if it is none. */
  readSource(name: string): number {
    if (/^-\d+$/.test(name)) throw new ChError(`--from: invalid negative stage index ${name}`);
    const number = /^\d+$/.test(name) ? Number(name) : this.#aliases.get(name);
    if (number === undefined || number >= this.#count) {
      throw new ChError(`--from: stage ${name} does not exist`);
    }
    if (number === this.#current) throw new ChError(`--from: stage ${name} is the current stage`);
    if (number > this.#current) throw new ChError(`--from: stage ${name} does not exist yet`);
    return number;
  }
}
