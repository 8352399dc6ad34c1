// Paths of the host taken apart. OsStrings; pure.

/** Directory and last component. "/a/" has the same as "/a"; what has no slash lies in ".". */
export function splitFilePath(path: string): [parent: string, name: string] {
  const bare = path.length > 1 ? path.replace(/\/+$/s, "") || "/" : path;
  const slash = bare.lastIndexOf("/");
  if (slash < 0) return [".", bare];
  return [bare.slice(0, slash) || "/", bare.slice(slash + 1)];
}
