// What images are made of, whatever their format: every format is a source or a sink of entries.

/** A file's bytes; consumed before the next entry is asked for. */
export type Content =
  /** Open for reading at offset 0; `size` bytes; the source closes it afterwards. */
  | { readonly fd: number }
  | { readonly chunks: AsyncIterable<Uint8Array> };

/** Numbers of a user and a group. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

interface Common {
  /** OsString relative to the root, no leading "/" or "./"; "" is the root directory. */
  readonly path: string;
  /** Permission bits, 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whose it is in the image, if that is written down (lib/store/owners.ts): goes before all else. */
  readonly owner?: Owner;
  /** Whole seconds since 1970, may be negative. */
  readonly mtime: number;
  /** 0..999999999 */
  readonly mtimeNsec: number;
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

export type Entry =
  & Common
  & (
    | { readonly type: "directory" }
    | { readonly type: "file"; readonly size: number; readonly content: Content }
    | { readonly type: "symlink"; readonly target: string }
    /** TARGET: path of an earlier entry. */
    | { readonly type: "hardlink"; readonly target: string }
    | { readonly type: "fifo" }
    | { readonly type: "socket" }
    | { readonly type: "char" | "block"; readonly major: number; readonly minor: number }
  );

export type EntryType = Entry["type"];

/** Parents come before their children. */
export type Source = AsyncIterable<Entry>;

/** Where it holds resources it is Disposable too: disposing without finish discards the output. */
export interface Sink {
  write(entry: Entry): Promise<void>;
  finish(): Promise<void>;
}

/** Everything of SOURCE into SINK, which is finished. */
export async function copyEntries(source: Source, sink: Sink): Promise<void> {
  for await (const entry of source) await sink.write(entry);
  await sink.finish();
}
