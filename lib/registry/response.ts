// Reading answers of registries, who may be anybody.

import { ChError } from "../error.ts";
import { MAX_DOCUMENT } from "../oci/model.ts";

/** All of an answer that is to be a document. NAME is for messages. */
export async function readLimited(response: Response, name: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_DOCUMENT) {
      throw new ChError(`too large: ${name}: more than ${MAX_DOCUMENT} bytes`);
    }
    parts.push(chunk);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Content-Length; undefined if there is none. Throws a ChError if it is no number. */
export function readLength(headers: Headers): number | undefined {
  const text = headers.get("Content-Length");
  if (text === null) return undefined;
  const length = Number(text);
  if (/^\d+$/.test(text.trim()) && Number.isSafeInteger(length)) return length;
  throw new ChError(`invalid Content-Length in response: ${text}`);
}

/** What a registry says went wrong: `CODE: message` of its first error, if it says so. */
export async function readErrorText(response: Response): Promise<string> {
  try {
    const text = new TextDecoder().decode(await readLimited(response, "error"));
    const { errors } = JSON.parse(text) as { errors?: { code?: unknown; message?: unknown }[] };
    const [first] = errors ?? [];
    return first === undefined ? "" : ` (${cleanText(first.code)}: ${cleanText(first.message)})`;
  } catch {
    return "";
  }
}

/** A registry's words, which go to a terminal. */
export function cleanText(value: unknown): string {
  return String(value ?? "").replace(/\p{Control}+/gu, " ").slice(0, 300);
}
