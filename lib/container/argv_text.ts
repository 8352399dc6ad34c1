// A command line as one line of text, in syslog and in `executing:` (spec ch-run §9.5).

/** Words separated by blanks, in double quotes where a shell would want them. */
export function formatArgv(argv: readonly string[]): string {
  return argv.map((word) => PLAIN.test(word) ? word : quote(word)).join(" ");
}

const PLAIN = /^[A-Za-z0-9+\-./:,@_]+$/;

/** An empty word becomes `""`; upstream loses it. */
function quote(word: string): string {
  return `"${word.replace(/["$\\`!]/g, "\\$&")}"`;
}
