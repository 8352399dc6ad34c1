// Functions of the shim that are cheap to open, for what a program calls a few times at its start. Deno
// compiles a trampoline for every function of Deno.dlopen, a quarter of a millisecond apiece; a call
// through a pointer has none, costs some microseconds more each time, and almost nothing to set up.

import { openLibrary } from "./library.ts";

type Address = Deno.PointerObject<Deno.ForeignFunction> | null;
type Functions = Readonly<Record<string, Deno.ForeignFunction>>;

/** The functions of a table of ffi/symbols.ts, each found when it is first used. */
export function openLightLibrary<S extends Functions>(
  table: S,
): { readonly [Name in keyof S]: Deno.UnsafeFnPointer<S[Name]>["call"] } {
  const library: Record<string, (...args: never[]) => unknown> = {};
  for (const [name, definition] of Object.entries(table)) {
    Object.defineProperty(library, name, {
      configurable: true,
      get() {
        const address = openLibrary({ [name]: { type: "pointer" } as const })[name] as Address;
        if (!address) throw new TypeError(`the shim lacks ${name}`);
        const pointer = new Deno.UnsafeFnPointer<Deno.ForeignFunction>(address, definition);
        const value = pointer.call.bind(pointer);
        Object.defineProperty(library, name, { value });
        return value;
      },
    });
  }
  return library as ReturnType<typeof openLightLibrary<S>>;
}
