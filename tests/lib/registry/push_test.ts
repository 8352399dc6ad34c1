import assert from "node:assert/strict";
import { ChError } from "../../../lib/error.ts";
import { parseReference } from "../../../lib/reference/reference.ts";
import { parseLayoutPlace } from "../../../lib/registry/layout_place.ts";
import { pushImage } from "../../../lib/registry/push.ts";
import { UPLOADS } from "../../../lib/store/layout.ts";
import { openStore } from "../../../lib/store/store.ts";
import { FakeRegistry } from "../../fake_registry.ts";
import { RecordingLog } from "../recording_log.ts";
import { ANONYMOUS } from "./pull_place.ts";

/** Aborts SIGNAL as soon as it is told something that ends with LAST. */
class AbortingLog extends RecordingLog {
  readonly #abort = new AbortController();

  constructor(readonly last: string) {
    super();
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  override info(message: string): void {
    super.info(message);
    if (message.endsWith(this.last)) this.#abort.abort(new ChError("stopped on purpose"));
  }
}

const CASES: readonly [to: string, last: string][] = [
  ["REGISTRY/a/b:1", ": preparing"],
  ["oci:DIRECTORY/layout", ": preparing"],
  ["oci:DIRECTORY/layout", ": copying"],
  ["oci-archive:DIRECTORY/layout.tar", ": preparing"],
  ["oci-archive:DIRECTORY/layout.tar", ": copying"],
];

for (const [to, last] of CASES) {
  Deno.test(`pushImage() to ${to} stops at "${last}", not at the layer's end`, async () => {
    await using registry = new FakeRegistry();
    const directory = Deno.makeTempDirSync({ prefix: "ch-test." });
    try {
      Deno.mkdirSync(`${directory}/image`);
      for (const name of ["a", "b"]) Deno.writeTextFileSync(`${directory}/image/${name}`, name);
      using store = openStore(`${directory}/storage`, { lock: true }, new RecordingLog());
      const destination = to.replace("REGISTRY", registry.address).replace("DIRECTORY", directory);
      const log = new AbortingLog(last);
      const push = pushImage(store, {
        source: parseReference("x"),
        destination: parseLayoutPlace(destination) ?? parseReference(destination),
        directory: `${directory}/image`,
        isSingleLayer: false,
        isForIndex: false,
      }, {
        registry: {
          trust: { verify: true },
          credentials: ANONYMOUS,
          plainHttp: true,
          log,
          signal: log.signal,
        },
        defaults: {},
        usesCache: false,
      });
      await assert.rejects(push, { message: "stopped on purpose" });
      assert(log.visible.at(-1)!.endsWith(last), log.visible.join("\n"));
      assert.deepEqual([...Deno.readDirSync(`${store.path}/${UPLOADS}`)], []);
      assert.deepEqual([...Deno.readDirSync(directory)].map(({ name }) => name).sort(), [
        "image",
        "storage",
      ]);
      assert.equal(registry.manifests.size + registry.blobs.size + registry.uploads.size, 0);
    } finally {
      Deno.removeSync(directory, { recursive: true });
    }
  });
}
