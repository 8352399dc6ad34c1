// Operands as announced: upstream prints lists as Python does, and RUN's as JSON in ASCII. The text
// is also the instruction's identity for the build cache, so its form must not change.

/** `['a', 'b']`: single quotes, double ones for an item that holds a single but no double quote. */
export function printList(items: readonly string[]): string {
  return `[${items.map(printItem).join(", ")}]`;
}

/** A JSON array with `, ` between the items and escapes for what is not ASCII. */
export function printJsonList(items: readonly string[]): string {
  return `[${items.map(printJsonString).join(", ")}]`;
}

const SIMPLE: Readonly<Record<string, string>> = {
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

function printItem(item: string): string {
  const quote = item.includes("'") && !item.includes('"') ? '"' : "'";
  // deno-lint-ignore no-control-regex
  const body = item.replace(/[\\\x00-\x1f\x7f]|'/g, (char) => {
    if (char === "'") return quote === "'" ? "\\'" : "'";
    return SIMPLE[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
  return `${quote}${body}${quote}`;
}

function printJsonString(item: string): string {
  return JSON.stringify(item).replace(
    /[\x7f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
