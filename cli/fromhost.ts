// ch-fromhost: the name exists so that installations are complete; the tool does not yet.

/** Says so and fails; see the CHANGELOG for what this version has. */
export function main([program = "ch-fromhost"]: readonly string[]): number {
  const name = program.slice(program.lastIndexOf("/") + 1);
  const text = `${name}: error: not in this version yet\n` +
    `${name}: hint: bind what the container needs with ch-run --bind\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(text));
  return 1;
}
