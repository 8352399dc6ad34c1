// What a file is that ch-fromhost injects, and where such a file goes. Told by its path as it was given, not by
// what is in it (spec ch-fromhost §4).

export type FileClass = "executable" | "library" | "provider" | "cray-libfabric" | "other";

/** Class of the host's PATH. IS_CRAY tells whether it is linked with Cray's libcxi; that matters only
 * where {@linkcode isFabric} is true. */
export function classifyPath(path: string, isCray: boolean): FileClass {
  if (isExecutable(path)) return "executable";
  if (isFabric(path) && isCray) return "cray-libfabric";
  if (path.endsWith("-fi.so")) return "provider";
  return isLibraryLike(path) ? "library" : "other";
}

/** How messages name a class. */
export const CLASS_NAMES: Readonly<Record<FileClass, string>> = {
  executable: "executable",
  library: "shared library",
  provider: "libfabric shared provider",
  "cray-libfabric": "cray libfabric",
  other: "other file",
};

/** Whether the dynamic linker has to be told of a file of this class. */
export function isLinked(fileClass: FileClass): boolean {
  return fileClass !== "executable" && fileClass !== "other";
}

/** Whether PATH is a libfabric, which may be Cray's. */
export function isFabric(path: string): boolean {
  return path.endsWith("libfabric.so") && !isExecutable(path);
}

function isExecutable(path: string): boolean {
  return path.includes("/bin") || path.includes("/sbin");
}

function isLibraryLike(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  return path.includes("/lib") || name.startsWith("lib") || /\.so(\.[0-9].*)?$/.test(name);
}
