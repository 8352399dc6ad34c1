// The errors of lib/: what the user or the system did wrong (ChError), and text with a mistake in it
// (TextError). System calls throw SystemError (ffi/system_error.ts), which comes along as `cause`.

export interface ChErrorOptions {
  /** What to do about it; printed as a line of its own. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Something the user must know. The message is complete but for the reason, which is in `cause`. */
export class ChError extends Error {
  override readonly name: string = "ChError";
  readonly hint: string | undefined;

  constructor(message: string, options: ChErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : {});
    this.hint = options.hint;
  }
}

/** A mistake in a text of the user's: where it is, lines and columns counted from 1. */
export class TextError extends ChError {
  override readonly name = "TextError";

  constructor(
    readonly file: string,
    readonly line: number,
    readonly column: number,
    message: string,
    options: ChErrorOptions = {},
  ) {
    super(message, options);
  }
}
