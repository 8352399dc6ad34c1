import assert from "node:assert/strict";
import { parseReference } from "../../../lib/reference/reference.ts";
import { Downloads } from "../../../lib/store/downloads.ts";
import { openStore } from "../../../lib/store/store.ts";
import { RecordingLog } from "../recording_log.ts";

const ENTRIES = ["bucache", "bularge", "dlcache", "img", "ulcache", "version"];

/** Runs BODY with a directory to make a storage in, and a log. */
function inDirectory(
  body: (path: string, log: RecordingLog) => void | Promise<void>,
): () => Promise<void> {
  return async () => {
    const path = Deno.makeTempDirSync({ prefix: "ch-test." });
    try {
      await body(path, new RecordingLog());
    } finally {
      Deno.removeSync(path, { recursive: true });
    }
  };
}

function listNames(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

/** An empty storage directory in order. */
function makeStore(path: string): string {
  openStore(`${path}/st`, { lock: false }, new RecordingLog())[Symbol.dispose]();
  return `${path}/st`;
}

Deno.test(
  "openStore() makes a storage where there is none",
  inDirectory((path, log) => {
    using store = openStore(`${path}/st`, { lock: true }, log);
    assert.deepEqual(store.listImages(), []);
    assert.deepEqual(log.visible, [`initializing storage directory: v101 ${path}/st`]);
    assert.deepEqual(listNames(`${path}/st`), [...ENTRIES, "lock"].sort());
    assert.equal(Deno.readTextFileSync(`${path}/st/version`), "101\n");
    assert.deepEqual(listNames(path), ["st"]);
  }),
);

Deno.test(
  "openStore() says nothing the second time",
  inDirectory((path, log) => {
    const storage = makeStore(path);
    openStore(storage, { lock: true }, log)[Symbol.dispose]();
    assert.deepEqual(log.lines, [`verbose: found storage dir v101: ${storage}`]);
  }),
);

Deno.test(
  "openStore() goes on with a storage that was being made when its command was killed",
  inDirectory((path, log) => {
    Deno.mkdirSync(`${path}/st.new/img`, { recursive: true });
    Deno.writeTextFileSync(`${path}/st.new/lock`, "");
    openStore(`${path}/st`, { lock: true }, log)[Symbol.dispose]();
    assert.deepEqual(listNames(path), ["st"]);
    assert.deepEqual(listNames(`${path}/st`), [...ENTRIES, "lock"].sort());
  }),
);

Deno.test(
  "openStore() understands a path with slashes at its end",
  inDirectory((path, log) => {
    openStore(`${path}/st//`, { lock: true }, log)[Symbol.dispose]();
    assert.deepEqual(listNames(path), ["st"]);
  }),
);

/** What is wrong, how it comes about in the storage ST, and what openStore() says of it. */
const broken: readonly [
  name: string,
  spoil: (st: string) => void,
  message: string,
  hint?: string,
][] = [
  [
    "an empty directory",
    (st) => {
      Deno.removeSync(st, { recursive: true });
      Deno.mkdirSync(st);
    },
    "storage directory seems invalid: ST",
    "let Charliecloud create st; see FAQ",
  ],
  [
    "a directory without img",
    (st) => Deno.removeSync(`${st}/img`),
    "storage directory seems invalid: ST",
  ],
  [
    "a file",
    (st) => {
      Deno.removeSync(st, { recursive: true });
      Deno.writeTextFileSync(st, "");
    },
    "can’t mkdir: exists and not a directory: ST",
  ],
  [
    "a link to nothing",
    (st) => {
      Deno.removeSync(st, { recursive: true });
      Deno.symlinkSync("nowhere", st);
    },
    "can’t mkdir: exists and not a directory: ST",
  ],
  [
    "a storage of upstream",
    (st) => Deno.writeTextFileSync(`${st}/version`, "7\n"),
    "incompatible storage directory v7: ST",
    "you can delete and re-initialize with “ch-image reset”",
  ],
  [
    "a storage without version",
    (st) => Deno.removeSync(`${st}/version`),
    "incompatible storage directory v1: ST",
    "you can delete and re-initialize with “ch-image reset”",
  ],
  [
    "a version that is no number",
    (st) => Deno.writeTextFileSync(`${st}/version`, "seven\n"),
    'malformed storage version: "seven"',
  ],
  [
    "a missing directory",
    (st) => Deno.removeSync(`${st}/ulcache`),
    "invalid storage directory: missing file or directory: ulcache",
  ],
  [
    "unknown files",
    (st) => {
      Deno.writeTextFileSync(`${st}/zzz`, "");
      Deno.mkdirSync(`${st}/aaa`);
    },
    "invalid storage directory: extraneous file(s): aaa zzz",
  ],
  [
    "an image name with a colon",
    (st) => Deno.mkdirSync(`${st}/img/a:b`),
    "invalid storage directory: storage directory broken: bad image dir name: a:b",
    "please report this bug",
  ],
];

for (const [name, spoil, message, hint] of broken) {
  Deno.test(
    `openStore() refuses ${name}`,
    inDirectory((path, log) => {
      const storage = makeStore(path);
      spoil(storage);
      assert.throws(() => openStore(storage, { lock: true }, log), {
        message: message.replace("ST", storage),
        hint,
      });
    }),
  );
}

Deno.test(
  "openStore() does not make parent directories",
  inDirectory((path, log) => {
    assert.throws(() => openStore(`${path}/no/st`, { lock: true }, log), (error) => {
      assert(error instanceof Error && error.cause instanceof Deno.errors.NotFound);
      assert.equal(error.message, `can’t mkdir: ${path}/no/st`);
      return true;
    });
    assert.deepEqual(listNames(path), []);
  }),
);

Deno.test(
  "openStore() removes what killed commands left",
  inDirectory((path, log) => {
    const storage = makeStore(path);
    Deno.mkdirSync(`${storage}/imgtmp/1/root/dir`, { recursive: true });
    Deno.chmodSync(`${storage}/imgtmp/1/root`, 0);
    Deno.writeTextFileSync(`${storage}/dlcache/part_a`, "");
    Deno.writeTextFileSync(`${storage}/dlcache/part_b`, "");
    Deno.writeTextFileSync(`${storage}/dlcache/whole`, "");
    openStore(storage, { lock: true }, log)[Symbol.dispose]();
    assert.deepEqual(log.visible, [
      "warning: deleting leftover temporary file/dir: imgtmp",
      "warning: deleted 2 partially downloaded files",
    ]);
    assert.deepEqual(listNames(storage), [...ENTRIES, "lock"].sort());
    assert.deepEqual(listNames(`${storage}/dlcache`), ["whole"]);
  }),
);

Deno.test(
  "openStore() removes lock files of downloads, but not those of others at work",
  inDirectory(async (path, log) => {
    const storage = makeStore(path);
    Deno.writeTextFileSync(`${storage}/dlcache/lock_idle`, "");
    using _lock = await new Downloads(storage).lock("held", undefined, () => {});
    openStore(storage, { lock: true }, log)[Symbol.dispose]();
    assert.deepEqual(listNames(`${storage}/dlcache`), ["lock_held"]);
    assert.deepEqual(log.visible, []);
  }),
);

Deno.test(
  "openStore() brings back an image whose replacement was interrupted",
  inDirectory((path, log) => {
    const storage = makeStore(path);
    Deno.mkdirSync(`${storage}/imgtmp/1/replaced/lost`, { recursive: true });
    Deno.mkdirSync(`${storage}/imgtmp/1/replaced/kept/old`, { recursive: true });
    Deno.mkdirSync(`${storage}/img/kept/new`, { recursive: true });
    using store = openStore(storage, { lock: true }, log);
    assert.deepEqual(store.listImages(), ["kept", "lost"]);
    assert.deepEqual(listNames(`${storage}/img/kept`), ["new"]);
  }),
);

Deno.test(
  "openStore() without lock leaves alone what may be another command’s",
  inDirectory((path, log) => {
    const storage = makeStore(path);
    Deno.mkdirSync(`${storage}/imgtmp/1`, { recursive: true });
    using store = openStore(storage, { lock: false }, log);
    using image = store.newImage(parseReference("a"));
    assert.equal(image.rootPath, `${storage}/imgtmp/2/root`);
    assert.deepEqual(listNames(`${storage}/imgtmp`), ["1", "2"]);
  }),
);

Deno.test(
  "openStore() ignores ch-run’s mount point",
  inDirectory((path, log) => {
    const storage = makeStore(path);
    Deno.mkdirSync(`${storage}/mnt`);
    openStore(storage, { lock: true }, log)[Symbol.dispose]();
  }),
);

Deno.test(
  "Store.listImages() gives references, sorted by their mangled names",
  inDirectory((path, log) => {
    const storage = makeStore(path);
    for (const name of ["b", "a+t", "a%b", "example.com+8080%x%y+t"]) {
      Deno.mkdirSync(`${storage}/img/${name}`);
    }
    Deno.writeTextFileSync(`${storage}/img/file`, "");
    using store = openStore(storage, { lock: true }, log);
    assert.deepEqual(store.listImages(), ["a/b", "a:t", "b", "example.com:8080/x/y:t"]);
    assert(store.hasImage(parseReference("a:t")));
    assert(!store.hasImage(parseReference("a")));
    assert(!store.hasImage(parseReference("file")));
    assert.equal(store.imagePath(parseReference("a/b:c")), `${storage}/img/a%b+c`);
  }),
);

Deno.test(
  "Store.findChangeTime() is that of the metadata",
  inDirectory((path, log) => {
    const storage = makeStore(path);
    Deno.mkdirSync(`${storage}/img/a%b/ch`, { recursive: true });
    using store = openStore(storage, { lock: true }, log);
    assert.equal(store.findChangeTime("a/b"), undefined);
    Deno.writeTextFileSync(`${storage}/img/a%b/ch/metadata.json`, "{}");
    const age = Date.now() - store.findChangeTime("a/b")!.getTime();
    assert(age >= 0 && age < 60_000, `${age}`);
  }),
);
