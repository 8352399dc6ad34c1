// Where the shim lies, and opening a family of its symbols.

/** Path of the shim: the executable's entry code names it, a source tree has it in build/. */
function findShim(): string {
  return Deno.env.get("CH_SHIM") ?? new URL("../build/libch.so", import.meta.url).pathname;
}

/** Opens a table of ffi/symbols.ts. Throws if the shim cannot be loaded. */
export function openLibrary<S extends Deno.ForeignLibraryInterface>(
  symbols: S,
): Deno.DynamicLibrary<S>["symbols"] {
  return Deno.dlopen(findShim(), symbols).symbols;
}
