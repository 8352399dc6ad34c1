// Shell patterns for image names: `*`, `?` and `[...]`, and a leading dot that only a dot matches.

/** Whether PATTERN matches the whole of NAME. */
export function matchName(pattern: string, name: string): boolean {
  if (name.startsWith(".") && !pattern.startsWith(".")) return false;
  return toRegExp(pattern).test(name);
}

function toRegExp(pattern: string): RegExp {
  let source = "";
  for (let at = 0; at < pattern.length; at++) {
    const char = pattern[at]!;
    if (char === "*") {
      source += ".*";
    } else if (char === "?") {
      source += ".";
    } else if (char === "[") {
      const end = findBracketEnd(pattern, at);
      source += end === undefined ? "\\[" : toCharacterClass(pattern.slice(at + 1, end));
      at = end ?? at;
    } else {
      source += quote(char);
    }
  }
  return new RegExp(`^${source}$`, "s");
}

/** Index of the "]" that ends the set begun at START; one that comes first belongs to the set. */
function findBracketEnd(pattern: string, start: number): number | undefined {
  const first = /[!^]/.test(pattern[start + 1] ?? "") ? start + 2 : start + 1;
  const end = pattern.indexOf("]", first + 1);
  return end < 0 ? undefined : end;
}

function toCharacterClass(set: string): string {
  const isNegated = /^[!^]/.test(set);
  const members = (isNegated ? set.slice(1) : set).replace(/[\\\]\[^]/g, "\\$&");
  // A reversed range like z-a matches nothing.
  const ranges = members.replace(/(.)-(.)/g, (range, low, high) => low > high ? "" : range);
  if (ranges === "") return isNegated ? "." : "(?!)";
  return `[${isNegated ? "^" : ""}${ranges}]`;
}

function quote(char: string): string {
  return /[\\^$.|?*+(){}\[\]\/]/.test(char) ? `\\${char}` : char;
}
