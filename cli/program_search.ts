// Whether the host has a program.

/** Path of the first executable NAME in SEARCH, a value of PATH; undefined if there is none. */
export function findProgram(name: string, search: string): string | undefined {
  return search.split(":").map((directory) => `${directory || "."}/${name}`).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    const { isFile, mode } = Deno.statSync(path);
    return isFile && (mode! & 0o111) !== 0;
  } catch {
    // A directory that is missing or closed to us has no program for us.
    return false;
  }
}
