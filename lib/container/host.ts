// What planning a container asks of the machine. The rest of lib/container is pure and reaches files,
// identity and name service only through here, so that it runs in tests, and one day without Deno.
// Strings are OsStrings (ffi/os_string.ts); failed calls throw SystemError.

import type { Identity } from "../../ffi/process.ts";

export type { Identity };

export type FileKind = "file" | "directory" | "symlink" | "char" | "other";

/** A tree of files to look into: the host's, or an image's. Paths are absolute in that tree. */
export interface Files {
  /** Kind of the file; a symlink is not followed. Undefined if there is none. */
  lstat(path: string): FileKind | undefined;
  readLink(path: string): string;
  readFile(path: string): Uint8Array;
}

export interface User {
  readonly name: string;
  readonly gecos: string;
}

export interface Group {
  readonly name: string;
}

/** The machine we run on. Here relative paths are good too: they start at the caller's directory. */
export interface Host extends Files {
  /** The caller's environment, entry by entry; an entry may lack its "=". */
  readonly environment: readonly string[];
  readonly identity: Identity;
  /** PID of the process that started us. */
  readonly parent: number;
  /** Release of the kernel, such as "6.1.0-18-amd64". */
  readonly kernelRelease: string;

  /** The same files for looking into an image: a symlink on the way to the last component is an error,
   * because planning has followed all there were, and somebody is changing the image. */
  readonly imageFiles: Files;

  /** Kind of the file, symlinks followed. Undefined if there is none. */
  stat(path: string): FileKind | undefined;
  /** The path without links, "." and "..". Undefined if there is no such file. */
  realPath(path: string): string | undefined;
  /** The first LENGTH bytes, fewer if the file ends before. */
  readStart(path: string, length: number): Uint8Array;
  /** A word that no other file on the same file system has or had. Links are followed. */
  readIdentity(path: string): string;
  /** Whether PATH, a directory of an overlay's upper layer, hides what the layers below have there. */
  isOpaque(path: string): boolean;
  /** By the C library's name service, which may ask LDAP. */
  findUser(uid: number): User | undefined;
  findGroup(gid: number): Group | undefined;
}
