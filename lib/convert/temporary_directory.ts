// ch-convert's directory for temporary files (spec ch-convert §8): parts of archives. It is made even if
// a conversion needs none, so that a wrong --tmp or TMPDIR is noticed.

import { ChError } from "../error.ts";

/** A fresh directory that only its owner can enter; dispose removes it and what is in it, unless it is
 * to be kept. */
export class TemporaryDirectory implements Disposable {
  readonly path: string;
  #isKept = false;

  /** PARENT must be absolute and exist; throws a ChError. */
  constructor(parent: string) {
    if (!parent.startsWith("/")) throw new ChError(`temp dir must be absolute: ${parent}`);
    this.path = makeFreshDirectory(`${parent}/ch-convert.`);
  }

  /** From now on it stays, for somebody to look at it, unless it is discarded. */
  keep(): void {
    this.#isKept = true;
  }

  discard(): void {
    this.#isKept = false;
  }

  [Symbol.dispose](): void {
    if (this.#isKept) return;
    try {
      Deno.removeSync(this.path, { recursive: true });
    } catch (error) {
      // Somebody else was faster.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** PREFIX and six characters, as mktemp(1) has it. */
function makeFreshDirectory(prefix: string): string {
  for (;;) {
    const random = crypto.getRandomValues(new Uint8Array(6));
    const path = prefix + Array.from(random, (byte) => (byte % 36).toString(36)).join("");
    try {
      Deno.mkdirSync(path, { mode: 0o700 });
      return path;
    } catch (error) {
      if (error instanceof Deno.errors.AlreadyExists) continue;
      throw new ChError(`can’t make temp dir: ${path}`, {
        hint: "another place can be given with --tmp or $TMPDIR",
        cause: error,
      });
    }
  }
}
