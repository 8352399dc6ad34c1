// What the host's ldd(1) prints of a file: the libraries that the host would load for it.

/** A library, as far as the host has found it. */
export interface HostLibrary {
  readonly name: string;
  /** Path on the host; undefined if it was not found. */
  readonly path: string | undefined;
}

/** Reads lines such as `libcxi.so.1 => /usr/lib64/libcxi.so.1 (0x…)` and `/lib64/ld-linux.so.2 (0x…)`. */
export function parseHostLibraries(output: string): HostLibrary[] {
  return output.split("\n").flatMap((raw) => {
    const line = raw.trim().replace(/ \(0x[0-9a-f]+\)$/, "");
    const arrow = line.indexOf(" => ");
    const name = arrow < 0 ? baseName(line) : line.slice(0, arrow);
    const target = arrow < 0 ? line : line.slice(arrow + 4);
    // Not the kernel's own, which is no file, nor a sentence such as "statically linked".
    if (!name.startsWith("lib") && !target.startsWith("/")) return [];
    return [{ name: baseName(name), path: target.startsWith("/") ? target : undefined }];
  });
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function directoryOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash) || "/";
}
