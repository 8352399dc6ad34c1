// What a token server answers.

import { ChError } from "../error.ts";
import { readLimited } from "./response.ts";

export interface Token {
  readonly text: string;
  /** When to get another, in milliseconds of Date.now(): a little before it ends. */
  readonly expires: number;
}

/** Seconds it lasts if nothing else is said, by the specification. */
const LIFETIME = 60;
/** Renewed when a tenth of its life is left. */
const EARLY = 0.9;

/** Undefined if the server refuses one. Throws a ChError for anything else but a token. */
export async function readToken(response: Response, url: URL): Promise<Token | undefined> {
  const { status, statusText } = response;
  if (status === 401 || status === 403) {
    await response.body?.cancel();
    return undefined;
  }
  if (status !== 200) {
    await response.body?.cancel();
    throw new ChError(
      `GET failed; expected status {200, 401, 403} but got ${status}: ${statusText} (${url.origin})`,
    );
  }
  const values = parse(await readLimited(response, `token from ${url.host}`));
  const text = [values?.token, values?.access_token].find((one) =>
    typeof one === "string" && /^[\x21-\x7e]+$/.test(one)
  );
  if (text === undefined) throw new ChError(`no token in answer of ${url.origin}`);
  const { expires_in: seconds } = values!;
  const lifetime = typeof seconds === "number" && seconds > 0 ? seconds : LIFETIME;
  return { text: text as string, expires: Date.now() + lifetime * EARLY * 1000 };
}

function parse(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null
      ? value as Readonly<Record<string, unknown>>
      : undefined;
  } catch {
    return undefined;
  }
}
