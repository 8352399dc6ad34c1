// ch-fromhost's command line as a list of things to do from left to right: the upstream tool acts on each word
// when it gets there, so what is wrong further right shows only then (spec ch-fromhost §2, §3).

import { FROMHOST, type FromhostOption } from "./fromhost_options.ts";
import { UsageError } from "./options.ts";

export type FromhostWord =
  | { readonly kind: "option"; readonly name: FromhostOption; readonly value: string }
  | { readonly kind: "image"; readonly path: string }
  /** No option. Nothing comes after it. */
  | { readonly kind: "unknown"; readonly error: UsageError }
  /** An option without the argument it needs. Nothing comes after it. */
  | { readonly kind: "lacking"; readonly name: FromhostOption };

/** No abbreviations, no bundles but of -v and of -q; `--opt=value` is as good as `--opt value`. */
export function readFromhostWords(line: readonly string[]): FromhostWord[] {
  const words = line.flatMap((word) =>
    /^-(v+|q+)$/.test(word) ? [...word.slice(1)].map((letter) => `-${letter}`) : [word]
  );
  const read: FromhostWord[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (!word.startsWith("-") || word === "-") {
      read.push({ kind: "image", path: word });
      continue;
    }
    const found = findOption(word);
    if (found === undefined) {
      return [...read, { kind: "unknown", error: new UsageError(`invalid option: ${word}`) }];
    }
    const { option, attached } = found;
    if (option.argument === "none") {
      read.push({ kind: "option", name: option.long, value: "" });
      continue;
    }
    const value = attached ?? words[++at];
    if (!value) return [...read, { kind: "lacking", name: option.long }];
    read.push({ kind: "option", name: option.long, value });
  }
  return read;
}

function findOption(word: string) {
  const equals = word.startsWith("--") ? word.indexOf("=") : -1;
  const name = equals < 0 ? word : word.slice(0, equals);
  const attached = equals < 0 ? undefined : word.slice(equals + 1);
  const option = FROMHOST.options.find(({ long, short, aliases = [] }) =>
    name === `-${short}` || [long, ...aliases].some((each) => name === `--${each}`)
  );
  if (option === undefined || (attached !== undefined && option.argument === "none")) {
    return undefined;
  }
  return { option, attached };
}
