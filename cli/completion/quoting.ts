// Words as bash hands them to completion functions, with the quotes that the user typed, and back.

/** The text that WORD means; no variables, no commands. */
export function unquote(word: string): string {
  let text = "", quote = "";
  for (let at = 0; at < word.length; at++) {
    const char = word[at]!;
    if (char === quote) quote = "";
    else if (quote === "" && (char === "'" || char === '"')) quote = char;
    else if (char === "\\" && quote !== "'" && at + 1 < word.length) text += word[++at];
    else text += char;
  }
  return text;
}

/** TEXT for where bash puts it: behind the quote that WORD begins with, else by itself. */
export function quoteFor(word: string, text: string): string {
  if (/^['"]/.test(word)) return text;
  const tilde = /^~[^/]*\//.exec(text)?.[0] ?? "";
  return tilde + text.slice(tilde.length).replace(/[^\w@%+=:,./~-]/gu, "\\$&");
}
