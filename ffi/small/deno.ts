// As much of Deno as ch-run needs, for the small engine (c/engine), which has the language and `native`
// only. esbuild puts these in the place of the globals; lint and types know the real ones.

// The language of the small engine is older than this symbol.
if (Symbol.dispose === undefined) {
  Object.defineProperty(Symbol, "dispose", { value: Symbol.for("Symbol.dispose") });
}

interface Native {
  /** A number for the C function NAME (c/engine/functions.c). */
  find(name: string): number;
  /** Calls it; bytes go as their address. Returns its int32. */
  call(index: number, ...args: unknown[]): number;
  encode(text: string): ArrayBuffer;
  decode(bytes: Uint8Array, strict: boolean): string | undefined;
}

declare const native: Native;

type Definition =
  | { readonly type: "pointer" }
  | { readonly parameters: readonly unknown[]; readonly result: unknown };

/** NAME as a function. Results are int32 here; so are all that are asked for. */
function openFunction(name: string, { result }: { readonly result: unknown }) {
  if (result !== "i32" && result !== "void") throw new TypeError(`${name} returns a ${result}`);
  const index = native.find(name);
  return (...args: unknown[]) => native.call(index, ...args);
}

const functions = new Map<string, (...args: unknown[]) => number>();

function call(name: string, ...args: unknown[]): number {
  let found = functions.get(name);
  if (found === undefined) functions.set(name, found = openFunction(name, { result: "i32" }));
  return found(...args);
}

class WouldBlock extends Error {}

const EAGAIN = 11;

function openStream(fd: number) {
  return {
    writeSync(bytes: Uint8Array): number {
      const count = call("small_write", fd, bytes, bytes.length);
      if (count === -EAGAIN) throw new WouldBlock();
      if (count < 0) throw new Error(`cannot write to descriptor ${fd}: errno ${-count}`);
      return count;
    },
  };
}

const CHUNK = 65536;
const ERROR_SIZE = 1024;

function readFileSync(path: string): Uint8Array {
  const name = new TextEncoder().encode(`${path}\0`), error = new Uint8Array(ERROR_SIZE);
  const fd = call("ch_path_open", name, 1, error);
  if (fd < 0) throw new Error(`cannot open ${path}: errno ${-fd}`);
  let bytes = new Uint8Array(CHUNK), length = 0;
  for (;;) {
    const room = bytes.subarray(length);
    const count = call("ch_path_read", fd, room, room.length, name, error);
    if (count < 0) throw new Error(`cannot read ${path}: errno ${-count}`);
    if (count === 0) break;
    length += count;
    if (length < bytes.length) continue;
    const grown = new Uint8Array(bytes.length * 2);
    grown.set(bytes);
    bytes = grown;
  }
  call("ch_path_close", fd);
  return bytes.subarray(0, length);
}

/** The table of lines that init carries; the only part of the executable that is asked for. */
function openSync(_path: "/proc/self/exe") {
  let at = 0;
  return {
    seekSync(offset: number): number {
      return at = offset;
    },
    readSync(bytes: Uint8Array): number {
      at += call("small_lines_read", at, bytes, bytes.length);
      return bytes.length;
    },
    [Symbol.dispose](): void {},
  };
}

const VARIABLES: Readonly<Record<string, () => string>> = {
  CH_CALLER: () => "0", // recorded when it is needed (c/engine/become.c)
  CH_LINES: () => `0,${call("small_lines_length")}`,
  CH_SHIM: () => "",
};

class UnsafeFnPointer {
  readonly call: (...args: unknown[]) => number;

  constructor(name: string, definition: { readonly result: unknown }) {
    this.call = openFunction(name, definition);
  }
}

export const Deno = {
  args: [],
  env: { get: (name: string) => VARIABLES[name]?.() },
  errors: { WouldBlock },
  SeekMode: { Start: 0 },
  stdout: openStream(1),
  stderr: openStream(2),
  get pid() {
    return call("small_pid");
  },
  get ppid() {
    return call("small_parent");
  },
  exit: (status: number) => call("small_exit", status),
  osRelease: () => new TextDecoder().decode(readFileSync("/proc/sys/kernel/osrelease")).trim(),
  readFileSync,
  openSync,
  /** Of everything that has its name in c/engine/functions.c. A pointer is the name itself. */
  dlopen(_path: string, table: Readonly<Record<string, Definition>>) {
    const symbols = Object.entries(table).map(([name, definition]) =>
      [name, "type" in definition ? name : openFunction(name, definition)] as const
    );
    return { symbols: Object.fromEntries(symbols) };
  },
  UnsafeFnPointer,
};

export class TextEncoder {
  encode(text: string): Uint8Array {
    return new Uint8Array(native.encode(text));
  }
}

export class TextDecoder {
  readonly #strict: boolean;

  constructor(_label?: string, { fatal = false }: { fatal?: boolean; ignoreBOM?: boolean } = {}) {
    this.#strict = fatal;
  }

  decode(bytes: Uint8Array): string {
    const text = native.decode(bytes, this.#strict);
    if (text === undefined) throw new TypeError("not valid UTF-8");
    return text;
  }
}

/** Only to sleep: nobody else could wake us. */
export const Atomics = {
  wait(_array: Int32Array, _index: number, _value: number, milliseconds: number): "timed-out" {
    call("small_sleep", milliseconds);
    return "timed-out";
  },
};
