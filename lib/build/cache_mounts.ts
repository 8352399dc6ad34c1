// Directories that `RUN --mount=type=cache` keeps from build to build, in the storage directory, one for each
// ID. Parallel stages may want the same one: `locked` waits, `private` gets one of its own.

import { openRoot } from "../../ffi/tree.ts";
import { copyTree } from "../../ffi/tree_whole.ts";
import type { Mount } from "./mount.ts";

type CacheMount = Extract<Mount, { type: "cache" }>;

/** A cache directory in use; dispose lets the next have it. */
export interface OpenCache extends Disposable {
  readonly path: string;
}

export class CacheMounts {
  readonly #path: string;
  readonly #inUse = new Map<string, Promise<void>>();

  /** PATH is made when a cache is first asked for. */
  constructor(path: string) {
    this.#path = path;
  }

  /** SEED: path on the host of what a new cache begins with. */
  async open(mount: CacheMount, seed: string | undefined): Promise<OpenCache> {
    const name = await nameCache(mount.id);
    switch (mount.sharing) {
      case "shared":
        return { path: await this.#make(name, mount, seed), [Symbol.dispose]: () => {} };
      case "locked":
        while (this.#inUse.has(name)) await this.#inUse.get(name);
        return this.#take(name, mount, seed);
      case "private":
        for (let number = 0;; number++) {
          const own = number === 0 ? name : `${name}.${number}`;
          if (!this.#inUse.has(own)) return this.#take(own, mount, seed);
        }
      default:
        return mount.sharing satisfies never;
    }
  }

  async #take(name: string, mount: CacheMount, seed: string | undefined): Promise<OpenCache> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#inUse.set(name, promise);
    const release = () => {
      this.#inUse.delete(name);
      resolve();
    };
    try {
      return { path: await this.#make(name, mount, seed), [Symbol.dispose]: release };
    } catch (error) {
      release();
      throw error;
    }
  }

  async #make(name: string, { mode }: CacheMount, seed: string | undefined): Promise<string> {
    const path = `${this.#path}/${name}`;
    Deno.mkdirSync(this.#path, { recursive: true, mode: 0o700 });
    const draft = `${path}.new`;
    if (isThere(path)) return path;
    if (isThere(draft)) Deno.removeSync(draft, { recursive: true });
    Deno.mkdirSync(draft);
    if (seed !== undefined) {
      using from = openRoot(seed);
      using to = openRoot(draft);
      await copyTree(from.fd, to.fd, { xattrs: true, skip: ["devices", "sockets"] });
    }
    Deno.chmodSync(draft, mode);
    // Another stage may have been quicker.
    if (isThere(path)) Deno.removeSync(draft, { recursive: true });
    else Deno.renameSync(draft, path);
    return path;
  }
}

async function nameCache(id: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(id));
  return new Uint8Array(digest).toHex().slice(0, 32);
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
