// Names for what is not complete yet, beside what it will become.

/** Hidden, and another each time. */
export function temporaryName(name: string): string {
  const random = crypto.getRandomValues(new Uint8Array(4));
  const suffix = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
  // Names are limited to 255 bytes; a character has four at most.
  return `.${name.slice(0, 50)}.ch-${suffix}.tmp`;
}
