// Patterns of `${v#pattern}` and its like: `*`, `?`, and a backslash that takes the next character
// literally.

/** VALUE without the shortest (or LONGEST) beginning that matches. */
export function removePrefix(value: string, pattern: string, longest: boolean): string {
  const found = matchAtStart(value, pattern, longest);
  return found === undefined ? value : value.slice(found);
}

/** VALUE without the shortest (or LONGEST) end that matches. */
export function removeSuffix(value: string, pattern: string, longest: boolean): string {
  const whole = compile(pattern);
  const starts = Array.from({ length: value.length + 1 }, (_, at) => at);
  if (!longest) starts.reverse();
  const start = starts.find((at) => whole.test(value.slice(at)));
  return start === undefined ? value : value.slice(0, start);
}

/** `pattern/replacement` as it stands behind the operator; each part is expanded by EXPAND. */
export function replacePattern(
  value: string,
  word: string,
  all: boolean,
  expand: (text: string) => string,
): string {
  const slash = /(?<!\\)\//.exec(word)?.index ?? word.length;
  const pattern = expand(word.slice(0, slash));
  const replacement = expand(word.slice(slash + 1));
  let result = "";
  let at = 0;
  while (at < value.length) {
    const length = matchAtStart(value.slice(at), pattern, true);
    if (length === undefined || length === 0) {
      result += value[at++];
      continue;
    }
    result += replacement;
    at += length;
    if (!all) break;
  }
  return result + value.slice(at);
}

/** Length of the shortest or longest beginning of VALUE that matches. */
function matchAtStart(value: string, pattern: string, longest: boolean): number | undefined {
  const whole = compile(pattern);
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => length);
  if (longest) lengths.reverse();
  return lengths.find((length) => whole.test(value.slice(0, length)));
}

function compile(pattern: string): RegExp {
  const source = pattern.replace(
    /\\([^])|(\*)+|(\?)|([^])/g,
    (_, escaped, star, any, char) =>
      star ? "[^]*" : any ? "[^]" : (escaped ?? char).replace(/[\\^$.*+?()[\]{}|\/]/, "\\$&"),
  );
  return new RegExp(`^${source}$`);
}
