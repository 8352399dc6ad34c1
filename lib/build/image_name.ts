// The name of an image that was built without `--tag` (spec dockerfile §1.2).

/**
 * From the Dockerfile's name or, if that tells nothing, from the context's. FILE is as given, CONTEXT
 * absolute.
 */
export function inferImageName(file: string, context: string): string {
  const name = findNameInFile(baseName(file)) ?? (baseName(context) || "root");
  return name.toLowerCase().replace(/[^a-z0-9_.-]/g, "");
}

/** `Dockerfile.NAME`, `NAME.df` or `NAME.dockerfile`. */
function findNameInFile(file: string): string | undefined {
  return /^Dockerfile\.(.+)$/s.exec(file)?.[1] ?? /^(.+)\.(?:df|dockerfile)$/s.exec(file)?.[1];
}

function baseName(path: string): string {
  return path.replace(/\/+$/, "").split("/").at(-1)!;
}
