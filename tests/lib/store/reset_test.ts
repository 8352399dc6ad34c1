import assert from "node:assert/strict";
import { openStore } from "../../../lib/store/store.ts";
import { resetStore } from "../../../lib/store/reset.ts";
import { RecordingLog } from "../recording_log.ts";

const EMPTY = ["bucache", "bularge", "dlcache", "img", "lock", "ulcache", "version"];

function inDirectory(body: (storage: string, log: RecordingLog) => void): () => void {
  return () => {
    const path = Deno.makeTempDirSync({ prefix: "ch-test." });
    try {
      openStore(`${path}/st`, { lock: true }, new RecordingLog())[Symbol.dispose]();
      body(`${path}/st`, new RecordingLog());
    } finally {
      Deno.removeSync(path, { recursive: true });
    }
  };
}

function listTree(path: string): string[] {
  return [...Deno.readDirSync(path)].flatMap(({ name, isDirectory }) =>
    isDirectory ? [name, ...listTree(`${path}/${name}`).map((below) => `${name}/${below}`)] : [name]
  ).sort();
}

for (const version of ["100\n", "7\n", "nonsense", undefined]) {
  Deno.test(
    `resetStore() empties a storage of version ${JSON.stringify(version)}`,
    inDirectory((storage, log) => {
      if (version === undefined) Deno.removeSync(`${storage}/version`);
      else Deno.writeTextFileSync(`${storage}/version`, version);
      Deno.mkdirSync(`${storage}/img/a/dir`, { recursive: true });
      Deno.chmodSync(`${storage}/img/a`, 0);
      Deno.writeTextFileSync(`${storage}/dlcache/x`, "");
      Deno.writeTextFileSync(`${storage}/unknown`, "");
      Deno.mkdirSync(`${storage}/imgtmp/1`, { recursive: true });
      Deno.removeSync(`${storage}/bularge`);

      resetStore(storage, { lock: true }, log);

      assert.deepEqual(listTree(storage), EMPTY);
      assert.equal(Deno.readTextFileSync(`${storage}/version`), "101\n");
      assert.deepEqual(log.visible, [`initializing storage directory: v101 ${storage}`]);
    }),
  );
}

for (
  const [name, spoil] of [
    ["what has no img", (st: string) => Deno.removeSync(`${st}/img`)],
    ["what has no dlcache", (st: string) => Deno.removeSync(`${st}/dlcache`)],
    ["nothing", (st: string) => Deno.removeSync(st, { recursive: true })],
    ["a file", (st: string) => {
      Deno.removeSync(st, { recursive: true });
      Deno.writeTextFileSync(st, "");
    }],
  ] as const
) {
  Deno.test(
    `resetStore() refuses ${name} and deletes nothing`,
    inDirectory((storage, log) => {
      spoil(storage);
      const listParent = () => listTree(storage.slice(0, storage.lastIndexOf("/")));
      const before = listParent();
      assert.throws(() => resetStore(storage, { lock: true }, log), {
        message: `${storage} not a builder storage`,
      });
      assert.deepEqual(listParent(), before);
    }),
  );
}
