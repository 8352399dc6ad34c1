// A storage directory and a registry made up, for tests of pulling.

import assert from "node:assert/strict";
import { openCache } from "../../../lib/cache/open.ts";
import type { CacheMode } from "../../../lib/cache/state_store.ts";
import { parseReference } from "../../../lib/reference/reference.ts";
import type { CredentialSettings } from "../../../lib/registry/credentials.ts";
import { pullImage, type PullRequest, type PullSettings } from "../../../lib/registry/pull.ts";
import { openStore, type Store } from "../../../lib/store/store.ts";
import { FakeRegistry } from "../../fake_registry.ts";
import { RecordingLog } from "../recording_log.ts";

export interface PullPlace {
  readonly registry: FakeRegistry;
  readonly store: Store;
  readonly log: RecordingLog;
  /** Pulls a tag as the image "x", without a build cache. */
  pull(tag: string, options?: PullOptions): Promise<void>;
  /** Text of a file in the image "x". */
  read(path: string): string;
  /** Names in the download cache that begin so. */
  cached(prefix: string): readonly string[];
}

export interface PullOptions extends Partial<Omit<PullSettings, "registry">> {
  readonly signal?: AbortSignal;
  readonly credentials?: CredentialSettings;
  readonly lastLayer?: number;
  readonly patience?: number;
  /** With the storage's build cache. */
  readonly cacheMode?: CacheMode;
  /** Name of the image. */
  readonly destination?: string;
}

export const ANONYMOUS: CredentialSettings = {
  mode: "anonymous",
  sources: { given: undefined, findSaved: () => Promise.resolve(undefined) },
  remember: true,
};

/** A test body with all of it. */
export function atPullPlace(body: (place: PullPlace) => Promise<void>): () => Promise<void> {
  return async () => {
    const path = Deno.makeTempDirSync({ prefix: "ch-test." });
    await using registry = new FakeRegistry();
    try {
      using store = openStore(`${path}/st`, { lock: true }, new RecordingLog());
      await body(newPlace(registry, store));
    } finally {
      new Deno.Command("sh", { args: ["-c", `chmod -R u+rwx ${path}; rm -rf ${path}`] })
        .outputSync();
    }
  };
}

function newPlace(registry: FakeRegistry, store: Store): PullPlace {
  const log = new RecordingLog();
  return {
    registry,
    store,
    log,
    async pull(
      tag,
      {
        signal,
        credentials = ANONYMOUS,
        lastLayer,
        patience = 20_000,
        cacheMode = "disabled",
        destination = "x",
        ...rest
      } = {},
    ) {
      using cache = openCache(store, { mode: cacheMode, xattrs: false, log });
      const request: PullRequest = {
        source: parseReference(`${registry.address}/a/b:${tag}`),
        destination: parseReference(destination),
        lastLayer,
      };
      await pullImage(store, request, {
        registry: {
          trust: { verify: true },
          credentials,
          plainHttp: true,
          retries: { pauses: [1, 1, 1], patience },
          log,
          ...signal && { signal },
        },
        defaults: {},
        mirrors: [],
        architecture: "yolo",
        hostArchitecture: "amd64",
        always: false,
        ...rest,
      }, cache);
    },
    read: (path) => Deno.readTextFileSync(`${store.path}/img/x/${path}`),
    cached: (prefix) =>
      [...Deno.readDirSync(`${store.path}/dlcache`)].map(({ name }) => name)
        .filter((name) => name.startsWith(prefix)).sort(),
  };
}

/** Nothing came of a pull: no image, nothing unfinished but what is of use to the next. */
export function assertNothing({ store, cached }: PullPlace): void {
  assert.deepEqual(store.listImages(), []);
  assert.deepEqual([...Deno.readDirSync(store.path)].filter(({ name }) => name === "imgtmp"), []);
  assert.deepEqual(cached("lock_"), []);
  assert.deepEqual(cached("part_").filter((name) => !/^part_[0-9a-f]{64}\./.test(name)), []);
}
