// A Host made up in memory, for tests of planning.

import { SystemError } from "../../../ffi/system_error.ts";
import type { FileKind, Files, Group, Host, Identity, User } from "../../../lib/container/host.ts";

/** A file: its text; a directory: null; a link: `{ to }`; a character device: `{ device }`; one
 * that cannot be read: `{ errno }`. */
export type FakeFile =
  | string
  | Uint8Array
  | null
  | { readonly to: string }
  | { readonly device: "null" }
  | { readonly errno: number };

export interface FakeHostOptions {
  readonly files?: Readonly<Record<string, FakeFile>>;
  readonly environment?: readonly string[];
  readonly identity?: Partial<Identity>;
  readonly users?: Readonly<Record<number, User>>;
  readonly groups?: Readonly<Record<number, Group>>;
  readonly kernelRelease?: string;
  /** Directories that hide those of the layer below. */
  readonly opaque?: readonly string[];
}

const ENOENT = 2, EIO = 5, ENOTDIR = 20, EISDIR = 21, EINVAL = 22, ELOOP = 40;

/** Parents of the files are there of themselves. */
export function fakeHost(options: FakeHostOptions = {}): Host {
  const files = new FakeFiles(options.files ?? {});
  return {
    environment: options.environment ?? ["USER=alice", "PATH=/usr/bin:/bin", "HOME=/home/alice"],
    identity: {
      ruid: 1000,
      euid: 1000,
      suid: 1000,
      rgid: 100,
      egid: 100,
      sgid: 100,
      groups: [],
      ...options.identity,
    },
    parent: 4711,
    kernelRelease: options.kernelRelease ?? "6.1.0-18-amd64",
    imageFiles: {
      lstat: (path) => unlessMissing(() => files.lstat(refuseLinks(path, files))),
      readLink: (path) => files.readLink(refuseLinks(path, files)),
      readFile: (path) => files.readFile(refuseLinks(path, files)),
    },
    lstat: (path) => unlessMissing(() => files.lstat(path)),
    stat: (path) => unlessMissing(() => files.lstat(files.realPath(path))),
    readLink: (path) => files.readLink(path),
    readFile: (path) => files.readFile(path),
    readStart: (path, length) => files.readFile(path).subarray(0, length),
    realPath: (path) => unlessMissing(() => files.realPath(path)),
    readIdentity: (path) => `id-of-${files.realPath(path)}`,
    isOpaque: (path) => options.opaque?.includes(path) ?? false,
    findUser: (uid) => options.users?.[uid],
    findGroup: (gid) => options.groups?.[gid],
  };
}

function refuseLinks(path: string, files: FakeFiles): string {
  if (files.realPath(path, "keep") !== (path.replace(/\/+$/, "") || "/")) {
    throw fail("open", path, ELOOP);
  }
  return path;
}

export function fakeFiles(files: Readonly<Record<string, FakeFile>>): Files {
  return fakeHost({ files });
}

function unlessMissing<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof SystemError && error.errno === ENOENT) return undefined;
    throw error;
  }
}

class FakeFiles {
  readonly #files: Map<string, FakeFile>;

  constructor(files: Readonly<Record<string, FakeFile>>) {
    this.#files = new Map(Object.entries(files));
    for (const path of Object.keys(files)) {
      for (let parent = dirname(path); parent !== ""; parent = dirname(parent)) {
        if (!this.#files.has(parent)) this.#files.set(parent, null);
      }
    }
    this.#files.set("/", null);
  }

  lstat(path: string): FileKind {
    const file = this.#find("stat", this.realPath(path, "keep"));
    if (file === null) return "directory";
    if (typeof file === "string" || file instanceof Uint8Array) return "file";
    return "to" in file ? "symlink" : "device" in file ? "char" : "other";
  }

  readLink(path: string): string {
    const file = this.#find("readlink", this.realPath(path, "keep"));
    if (file === null || typeof file === "string" || !("to" in file)) {
      throw fail("readlink", path, EINVAL);
    }
    return file.to;
  }

  readFile(path: string): Uint8Array {
    const file = this.#find("open", this.realPath(path, "follow", "open"));
    if (file === null) throw fail("read", path, EISDIR);
    if (typeof file === "string") return new TextEncoder().encode(file);
    if (file instanceof Uint8Array) return file;
    throw fail("open", path, "errno" in file ? file.errno : EIO);
  }

  realPath(path: string, last: "follow" | "keep" = "follow", call = "stat", links = 0): string {
    if (path === "") throw fail(call, path, ENOENT);
    if (links > 40) throw fail(call, path, ELOOP);
    let real = "";
    const names = path.split("/").filter((name) => name !== "" && name !== ".");
    for (const [index, name] of names.entries()) {
      if (name === "..") {
        real = dirname(real);
        continue;
      }
      const file = this.#find(call, `${real}/${name}`);
      const isLast = index === names.length - 1;
      if (
        file !== null && typeof file === "object" && "to" in file && !(isLast && last === "keep")
      ) {
        const target = file.to.startsWith("/") ? file.to : `${real}/${file.to}`;
        return this.realPath([target, ...names.slice(index + 1)].join("/"), last, call, links + 1);
      }
      if (file !== null && !isLast) throw fail(call, path, ENOTDIR);
      real = `${real}/${name}`;
    }
    return real || "/";
  }

  #find(call: string, path: string): FakeFile {
    const file = this.#files.get(path);
    if (file === undefined) throw fail(call, path, ENOENT);
    if (file !== null && typeof file === "object" && "errno" in file && call === "stat") {
      throw fail(call, path, file.errno);
    }
    return file;
  }
}

function dirname(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

function fail(call: string, path: string, errno: number): SystemError {
  return new SystemError(call, path, errno, "fake.c", 1);
}
