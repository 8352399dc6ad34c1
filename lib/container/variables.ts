// An environment as a list of "NAME=VALUE", in order. An entry without "=", which only a program can
// make, is passed on and goes by its whole text.

/** Value of the variable; undefined if it is not set. */
export function findVariable(environment: readonly string[], name: string): string | undefined {
  const prefix = name + "=";
  return environment.find((entry) => entry.startsWith(prefix))?.slice(prefix.length);
}

/** Sets in place, where the variable stands already. */
export function setVariable(environment: string[], name: string, value: string): void {
  const prefix = name + "=";
  const at = environment.findIndex((entry) => entry.startsWith(prefix));
  if (at < 0) environment.push(prefix + value);
  else environment[at] = prefix + value;
}

/** Removes all whose name is chosen, and returns the names. */
export function unsetVariables(
  environment: string[],
  isChosen: (name: string) => boolean,
): string[] {
  const removed: string[] = [];
  const kept = environment.filter((entry) => {
    const name = entry.split("=", 1)[0]!;
    if (!isChosen(name)) return true;
    removed.push(name);
    return false;
  });
  environment.splice(0, environment.length, ...kept);
  return removed;
}
