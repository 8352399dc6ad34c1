// Removing a file that may be gone already.

/** Throws what Deno.removeSync() does for other reasons. */
export function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
