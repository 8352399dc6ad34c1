// A storage directory with a busybox image called "base", and building in it: everything real but the
// command line. What RUN prints goes nowhere.

import { spawnInit } from "../../../ffi/process.ts";
import { buildImage, type BuildOptions, type BuildTools } from "../../../lib/build/build.ts";
import { DIRECT } from "../../../lib/build/output.ts";
import { CacheMounts } from "../../../lib/build/cache_mounts.ts";
import { chooseForce } from "../../../lib/build/force.ts";
import { NO_SECRETS } from "../../../lib/build/secrets.ts";
import { openCache } from "../../../lib/cache/open.ts";
import type { CacheMode } from "../../../lib/cache/state_store.ts";
import { openSystemHost } from "../../../lib/container/system_host.ts";
import { parseDockerfile } from "../../../lib/dockerfile/parse.ts";
import { parseReference } from "../../../lib/reference/reference.ts";
import { initializeImage } from "../../../lib/store/initialize_image.ts";
import { defaultMetadata, type Metadata } from "../../../lib/store/metadata.ts";
import { writeMetadata } from "../../../lib/store/metadata_files.ts";
import { openStore, type Store } from "../../../lib/store/store.ts";
import { Place } from "./files.ts";
import { newRecordedLog } from "./recorded_log.ts";

const BUSYBOX = "/bin/busybox";
const APPLETS = ["sh", "cat", "chmod", "chown", "env", "id", "ln", "ls", "mkdir", "mkfifo", "mv"]
  .concat(["pwd", "readlink", "rm", "rmdir", "sleep", "stat", "test", "touch", "true"]);

export class Storage extends Place {
  readonly store: Store;
  readonly context: string;

  /** CACHE_MODE: of the builds. */
  constructor(readonly cacheMode: CacheMode = "disabled") {
    super();
    this.context = this.make("context", {});
    this.store = openStore(`${this.path}/storage`, { lock: true }, newRecordedLog());
    this.#makeBase();
  }

  imagePath(name: string): string {
    return this.store.imagePath(parseReference(name));
  }

  /** Text of a file of an image. */
  read(image: string, path: string): string {
    return Deno.readTextFileSync(`${this.imagePath(image)}/${path}`);
  }

  metadata(image: string): Metadata {
    return JSON.parse(this.read(image, "ch/metadata.json"));
  }

  /** Builds image "new"; returns what was logged. With an error it throws that, `lines` in it. */
  async build(
    text: string,
    options: Partial<BuildOptions> = {},
    tools: Partial<BuildTools> = {},
  ): Promise<string[]> {
    const log = newRecordedLog();
    using cache = openCache(this.store, { mode: this.cacheMode, xattrs: false, log });
    try {
      await buildImage({
        dockerfile: parseDockerfile({ file: "Dockerfile", text }),
        tag: parseReference("new"),
        context: this.context,
        buildArguments: new Map(),
        force: chooseForce(undefined, []),
        dryRun: false,
        changes: "auto",
        ...options,
      }, {
        store: this.store,
        cache,
        host: openSystemHost(),
        spawn: spawnInit,
        signal: new AbortController().signal,
        log,
        verbosity: -3,
        binds: [],
        caller: new Map([["USER", "tester"]]),
        directoryMode: 0o755,
        now: () => new Date(0),
        secrets: NO_SECRETS,
        caches: new CacheMounts(`${this.path}/storage/mounts`),
        isTerminal: false,
        processors: 2,
        output: DIRECT,
        ...tools,
      });
      return log.lines;
    } catch (error) {
      throw Object.assign(error as Error, { lines: log.lines });
    }
  }

  override [Symbol.dispose](): void {
    this.store[Symbol.dispose]();
    super[Symbol.dispose]();
  }

  #makeBase(): void {
    using image = this.store.newImage(parseReference("base"));
    const root = image.rootPath;
    for (const name of ["bin", "etc", "root"]) Deno.mkdirSync(`${root}/${name}`);
    Deno.copyFileSync(BUSYBOX, `${root}/bin/busybox`);
    for (const name of APPLETS) Deno.symlinkSync("busybox", `${root}/bin/${name}`);
    Deno.writeTextFileSync(`${root}/etc/passwd`, "root:x:0:0::/root:/bin/sh\n");
    initializeImage(image.rootFd);
    writeMetadata(image.rootFd, defaultMetadata(), newRecordedLog());
    image.commit();
  }
}

/** A test that needs a statically linked busybox to run containers with. */
export function testBuild(
  name: string,
  body: (storage: Storage) => Promise<void>,
  cacheMode?: CacheMode,
): void {
  const isThere = hasBusybox();
  Deno.test({
    name: isThere ? name : `${name} [lacking: ${BUSYBOX}]`,
    ignore: !isThere && Deno.env.get("CH_MUST_WORK") !== "1",
    fn: async () => {
      using storage = new Storage(cacheMode);
      await body(storage);
    },
  });
}

function hasBusybox(): boolean {
  try {
    return Deno.statSync(BUSYBOX).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
