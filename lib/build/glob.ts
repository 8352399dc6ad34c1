// Sources of COPY as patterns: `*`, `?`, `[a-z]`, `[!a-z]` within one component, as Python's glob has
// them; a leading dot must be written out. `**` is `*`, or with `--parents` any number of directories. No
// quoting.

/** What a pattern is matched against. Paths are relative to the root, "" is the root. */
export interface GlobTree {
  /** Names in the directory, links followed; undefined if PATH is none. */
  listNames(path: string): readonly string[] | undefined;
  /** Is there anything of that name, if only a dangling link? */
  exists(path: string): boolean;
}

/** Paths that match PATTERN, sorted, with a trailing slash if the pattern has one. */
export function expandGlob(
  pattern: string,
  tree: GlobTree,
  { recursive = false }: { readonly recursive?: boolean } = {},
): string[] {
  const isDirectoryWanted = /(?:^|\/)$/.test(pattern);
  const components = pattern.split("/").filter((component) => component !== "");
  let paths = [""];
  components.forEach((component, index) => {
    const isLast = index === components.length - 1;
    paths = paths.flatMap((path) =>
      recursive && component === "**"
        ? listBelow(path, tree, isLast)
        : expandComponent(path, component, tree)
    ).filter((path) => (isLast && !isDirectoryWanted) || tree.listNames(path) !== undefined);
  });
  if (isDirectoryWanted) paths = paths.map((path) => `${path}/`);
  return paths.sort();
}

/** DIRECTORY and all directories in it, at the end of a pattern everything. */
function listBelow(directory: string, tree: GlobTree, isLast: boolean): string[] {
  const names = tree.listNames(directory);
  if (names === undefined) return isLast ? [directory] : [];
  const below = names.filter((name) => !name.startsWith("."))
    .map((name) => directory === "" ? name : `${directory}/${name}`)
    .flatMap((path) => listBelow(path, tree, isLast));
  return isLast ? below : [directory, ...below];
}

function expandComponent(directory: string, component: string, tree: GlobTree): string[] {
  const join = (name: string) => directory === "" ? name : `${directory}/${name}`;
  if (!/[*?[]/.test(component)) {
    const path = join(component);
    return tree.exists(path) ? [path] : [];
  }
  const pattern = compileComponent(component);
  const isHiddenWanted = component.startsWith(".");
  return (tree.listNames(directory) ?? [])
    .filter((name) => (isHiddenWanted || !name.startsWith(".")) && pattern.test(name))
    .map(join);
}

function compileComponent(component: string): RegExp {
  let source = "";
  for (let at = 0; at < component.length; at++) {
    const char = component[at]!;
    if (char === "*") {
      source += ".*";
    } else if (char === "?") {
      source += ".";
    } else if (char === "[") {
      // “]” as the first member is a member.
      const close = component.indexOf("]", at + (component[at + 1] === "!" ? 3 : 2));
      source += close < 0 ? "\\[" : compileSet(component.slice(at + 1, close));
      if (close >= 0) at = close;
    } else {
      source += char.replace(/[\\^$.*+?()[\]{}|\/]/, "\\$&");
    }
  }
  return new RegExp(`^${source}$`, "su");
}

function compileSet(members: string): string {
  const isNegated = members.startsWith("!");
  const ranges = [...(isNegated ? members.slice(1) : members).matchAll(/(.)-(.)|./gsu)].map(
    ([whole, low, high]) => {
      if (low === undefined || high === undefined) return escapeMember(whole);
      return low <= high ? `${escapeMember(low)}-${escapeMember(high)}` : "";
    },
  ).join("");
  // Empty sets: nothing, or for a negated one anything.
  return `[${isNegated ? "^" : ""}${ranges}]`;
}

function escapeMember(char: string): string {
  return char.replace(/[\\\]^[-]/, "\\$&");
}
