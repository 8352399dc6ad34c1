// ch-convert's directory for temporary files. Conversions stream and leave nothing in it, but it is made
// and named as it always was, so that a wrong --tmp or TMPDIR is noticed (spec ch-convert §8).

import { ChError } from "../error.ts";

/** A fresh directory that only its owner can enter; dispose removes it and what is in it. */
export class TemporaryDirectory implements Disposable {
  readonly path: string;

  /** PARENT must be absolute and exist; throws a ChError. */
  constructor(parent: string) {
    if (!parent.startsWith("/")) throw new ChError(`temp dir must be absolute: ${parent}`);
    this.path = makeFreshDirectory(`${parent}/ch-convert.`);
  }

  [Symbol.dispose](): void {
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
      throw new ChError(`can’t make temp dir: ${path}`, { cause: error });
    }
  }
}
