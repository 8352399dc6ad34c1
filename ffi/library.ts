// Where the shim lies, and opening a family of its symbols.

/** Path of the shim: the executable's entry code names it, a source tree has it in build/. */
function findShim(): string {
  return Deno.env.get("CH_SHIM") ?? new URL("../build/libch.so", import.meta.url).pathname;
}

type Symbols<S extends Deno.ForeignLibraryInterface> = Deno.DynamicLibrary<S>["symbols"];

/** The functions of a table of ffi/symbols.ts. Each is opened when it is first used: Deno compiles a
 * call of its own for each, half a millisecond apiece. Throws at that moment if the shim or the
 * function is not there. */
export function openLibrary<S extends Deno.ForeignLibraryInterface>(table: S): Symbols<S> {
  const library = {} as Symbols<S>;
  for (const name of Object.keys(table)) {
    Object.defineProperty(library, name, {
      configurable: true,
      get() {
        const value = Deno.dlopen(findShim(), { [name]: table[name]! }).symbols[name];
        Object.defineProperty(library, name, { value });
        return value;
      },
    });
  }
  return library;
}
