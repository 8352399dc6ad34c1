// Values out of JSON that others wrote, checked while they are taken: what is wrong is told with its
// place, as in `layers[2].size: not a whole number`.

import { ChError } from "../error.ts";

type Values = Readonly<Record<string, unknown>>;

/** A value, and where it is in which document. `null` and what is missing are the same. */
export class JsonValue {
  constructor(
    /** What messages begin with, e.g. `bad manifest: NAME`. */
    readonly subject: string,
    readonly path: string,
    readonly value: unknown,
  ) {}

  get isPresent(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  /** The member KEY of this object. */
  member(key: string): JsonValue {
    const path = this.path === "" ? key : `${this.path}.${key}`;
    const object = this.object();
    return new JsonValue(this.subject, path, Object.hasOwn(object, key) ? object[key] : undefined);
  }

  object(): Values {
    const { value } = this;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Values;
    }
    throw this.wrong("not an object");
  }

  items(): readonly JsonValue[] {
    if (!Array.isArray(this.value)) throw this.wrong("not a list");
    return this.value.map((each, at) => new JsonValue(this.subject, `${this.path}[${at}]`, each));
  }

  text(): string {
    if (typeof this.value !== "string") throw this.wrong("not a text");
    return this.value;
  }

  texts(): readonly string[] {
    return this.items().map((item) => item.text());
  }

  textMap(): Readonly<Record<string, string>> {
    const names = Object.keys(this.object());
    return Object.fromEntries(names.map((name) => [name, this.member(name).text()]));
  }

  /** A size or a count. */
  count(): number {
    const { value } = this;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.wrong("not a whole number");
  }

  wrong(reason: string): ChError {
    const where = this.path === "" ? "" : `${this.path}: `;
    return new ChError(`${this.subject}: ${where}${this.isPresent ? reason : "missing"}`);
  }
}

/** BYTES as JSON. Throws a ChError that begins with SUBJECT if they are none. */
export function parseJson(bytes: Uint8Array, subject: string): JsonValue {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return new JsonValue(subject, "", JSON.parse(text));
  } catch (error) {
    const reason = error instanceof SyntaxError ? error.message : "not UTF-8";
    throw new ChError(`${subject}: not JSON: ${reason}`);
  }
}
