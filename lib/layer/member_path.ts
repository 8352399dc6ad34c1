// Names of archive members as paths in an image.

/** Without empty and "." components: "./a//b/" → "a/b". Leading slashes go too. */
export function normalizePath(name: string): string {
  if (isNormal(name)) return name;
  return name.split("/").filter((part) => part !== "" && part !== ".").join("/");
}

/** True for most names; "a./b" is let through to the long way round. */
function isNormal(name: string): boolean {
  return !name.includes("./") && !name.includes("//") && !name.startsWith("/") &&
    !name.endsWith("/") && !name.endsWith("/.") && name !== ".";
}

export function hasUpLevel(name: string): boolean {
  return name.includes("..") && name.split("/").includes("..");
}

/** "a/b/c" → ["a/b", "c"]; "c" → ["", "c"] */
export function splitPath(path: string): [parent: string, name: string] {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? ["", path] : [path.slice(0, slash), path.slice(slash + 1)];
}

/** Whether PATH is TREE or below it. */
export function isWithin(path: string, tree: string): boolean {
  return tree === "" || path === tree || path.startsWith(`${tree}/`);
}
