// Text for one line of a terminal: nothing in it moves the cursor, and it is no wider than the terminal.

/** Sequences that terminals obey: control sequences, and texts up to their end. */
const SEQUENCES =
  // deno-lint-ignore no-control-regex
  /\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?/g;
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;
const TAB = "    ";

/** TEXT without anything but characters. */
export function cleanLine(text: string): string {
  return text.toWellFormed().replaceAll("\t", TAB).replace(SEQUENCES, "").replace(CONTROLS, "");
}

/** TEXT, cleaned, in at most WIDTH columns; what is cut off has “…” instead. */
export function cutLine(text: string, width: number): string {
  const clean = cleanLine(text);
  if (measure(clean) <= width) return clean;
  let cut = "";
  let left = width - 1;
  for (const character of clean) {
    left -= columnsOf(character);
    if (left < 0) break;
    cut += character;
  }
  return width < 1 ? "" : `${cut}…`;
}

/** In columns. */
export function measure(text: string): number {
  return [...text].reduce((sum, character) => sum + columnsOf(character), 0);
}

/** East Asian Wide and Fullwidth, and emoji, roughly by their blocks (Unicode UAX 11). */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

function columnsOf(character: string): number {
  if (/[\p{M}\u200b-\u200f\ufe0f]/u.test(character)) return 0;
  return WIDE.test(character) ? 2 : 1;
}
