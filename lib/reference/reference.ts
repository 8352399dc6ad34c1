// Image references, e.g. "example.com:8080/a/b:tag" (spec ch-image §6). A reference is literal: nothing
// is added to what the user wrote, except in the canonical form, which is for talking to registries.

import { ChError } from "../error.ts";
import { findSyntaxError } from "./grammar.ts";

export interface ImageReference {
  /** As given, but with "/" and ":" where a mangled form had "%" and "+". Identifies the image. */
  readonly text: string;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly path: readonly string[];
  readonly name: string;
  readonly tag: string | undefined;
  /** Hexadecimal SHA-256. */
  readonly digest: string | undefined;
}

const SYNTAX_HINT = "see section “Image references” of ch-image(1)";

/** Understands plain and mangled references. Throws a ChError that gives the column of a mistake. */
export function parseReference(given: string): ImageReference {
  if (given.includes("$")) {
    throw new ChError(`image reference contains an undefined variable: ${given}`);
  }
  const text = unmangleName(given).replaceAll("&", "");
  const at = findSyntaxError(text);
  if (at !== undefined) {
    const where = at === text.length ? "at end" : `char ${columnIn(given, at)}`;
    throw new ChError(`image ref syntax, ${where}: ${given}`, { hint: findHint(text) });
  }
  const mangled = mangleReference(text);
  if (mangled === "." || mangled === "..") {
    throw new ChError(`image reference not usable as a name: ${given}`, { hint: SYNTAX_HINT });
  }
  return splitReference(text);
}

/** What other tools take, or is mistyped most often. */
function findHint(text: string): string {
  const scheme = /^[a-z][a-z+.-]*:\/\//.exec(text)?.[0];
  if (scheme !== undefined) return `leave out “${scheme}”`;
  if (findSyntaxError(text.toLowerCase()) === undefined) {
    return "only tags may have capital letters";
  }
  return SYNTAX_HINT;
}

/** Name of the image's directory in storage; {@linkcode unmangleName} is the way back. */
export function mangleReference(text: string): string {
  return text.replaceAll("/", "%").replaceAll(":", "+");
}

/** The reference whose image in storage has a directory of that NAME. */
export function unmangleName(name: string): string {
  return name.replaceAll("%", "/").replaceAll("+", ":");
}

/** TEXT is known to follow the grammar. */
function splitReference(text: string): ImageReference {
  const [locator = "", digest] = text.split("@sha256:");
  const words = locator.split("/");
  const last = words.pop()!;
  const [name = "", tag] = digest === undefined ? last.split(":") : [last];
  const [first, ...others] = words;
  const [hostname, port] = first?.split(":") ?? [];
  // A word without dot or port is a path component even if it could name a host.
  const isHost = hostname !== undefined && (port !== undefined || hostname.includes("."));
  return {
    text,
    host: isHost ? hostname : undefined,
    port: port === undefined ? undefined : Number(port),
    path: isHost ? others : words,
    name,
    tag,
    digest,
  };
}

/** Column (from 1) in what the user typed of character AT of what remained of it. */
function columnIn(given: string, at: number): number {
  let remaining = at;
  for (const [index, char] of [...given].entries()) {
    if (char === "&") continue;
    if (remaining === 0) return index + 1;
    remaining -= char.length;
  }
  return given.length + 1;
}
