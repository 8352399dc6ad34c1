import assert from "node:assert/strict";
import type { Entry, Source } from "../../../lib/layer/entry.ts";
import { parseReference } from "../../../lib/reference/reference.ts";
import { importEntries, importImage } from "../../../lib/store/import.ts";
import { openStore, type Store } from "../../../lib/store/store.ts";
import { RecordingLog } from "../recording_log.ts";

interface Place {
  /** For sources. */
  readonly path: string;
  readonly store: Store;
  readonly log: RecordingLog;
  /** Imports SOURCE, relative to `path`, as "a". */
  run(source: string, signal?: AbortSignal): Promise<void>;
}

function inPlace(body: (place: Place) => Promise<void>): () => Promise<void> {
  return async () => {
    const path = Deno.makeTempDirSync({ prefix: "ch-test." });
    try {
      const log = new RecordingLog();
      using store = openStore(`${path}/st`, { lock: true }, new RecordingLog());
      const run = (source: string, signal?: AbortSignal) =>
        importImage(store, `${path}/${source}`, parseReference("a"), { log, signal });
      await body({ path, store, log, run });
    } finally {
      sh(`chmod -R u+rwx ${path}; rm -rf ${path}`, "/");
    }
  };
}

function sh(script: string, cwd: string): void {
  const { code, stderr } = new Deno.Command("sh", { args: ["-ec", script], cwd }).outputSync();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Nothing of an import that failed is left; the image that was there before is. */
function assertUntouched({ store }: Place): void {
  assert.deepEqual(store.listImages(), ["a"]);
  assert.equal(Deno.readTextFileSync(`${store.path}/img/a/old`), "");
  assert(!exists(`${store.path}/imgtmp`));
}

function makeOldImage({ store }: Place): void {
  Deno.mkdirSync(`${store.path}/img/a`);
  Deno.writeTextFileSync(`${store.path}/img/a/old`, "");
}

Deno.test(
  "importImage() copies a directory: content, modes, times, links, holes in the rules",
  inPlace(async (place) => {
    const { path, store, log } = place;
    sh(
      `mkdir -p src/bin src/dir/sub; echo text >src/dir/file; ln -s /abs src/link
       ln src/dir/file src/dir/other; chmod 4751 src/dir/file; touch -d 2001-02-03 src/dir/file
       chmod 1777 src/dir/sub; touch -d 2002-03-04 src/dir/sub; chmod 555 src/bin; touch -d 2003-01-01 src/dir`,
      path,
    );
    await place.run("src");
    const image = `${store.path}/img/a`;
    const file = Deno.statSync(`${image}/dir/file`);
    assert.equal(Deno.readTextFileSync(`${image}/dir/file`), "text\n");
    assert.equal(file.mode! & 0o7777, 0o4751);
    assert.equal(file.mtime!.getTime(), Deno.statSync(`${path}/src/dir/file`).mtime!.getTime());
    assert.notEqual(file.ino, Deno.statSync(`${path}/src/dir/file`).ino);
    assert.equal(Deno.readLinkSync(`${image}/link`), "/abs");
    assert.equal(Deno.statSync(`${image}/dir/sub`).mode! & 0o7777, 0o1777);
    assert.equal(Deno.statSync(`${image}/bin`).mode! & 0o7777, 0o755);
    assert.deepEqual(log.visible, [
      `importing:    ${path}/src`,
      "destination:  a",
      "warning: no metadata to load; using defaults",
      "done",
    ]);
  }),
);

Deno.test(
  "importImage() makes mount points and metadata",
  inPlace(async (place) => {
    Deno.mkdirSync(`${place.path}/src`);
    await place.run("src");
    const image = `${place.store.path}/img/a`;
    for (const name of ["proc", "sys", "mnt/9"]) {
      assert(Deno.statSync(`${image}/${name}`).isDirectory);
    }
    assert.equal(Deno.readTextFileSync(`${image}/ch/environment`), "\n");
    const metadata = JSON.parse(Deno.readTextFileSync(`${image}/ch/metadata.json`));
    assert.deepEqual(metadata.history, [{ command: "ch-image import", empty_layer: false }]);
    assert.equal(metadata.cwd, "/");
  }),
);

Deno.test(
  "importImage() adopts the metadata that are there",
  inPlace(async (place) => {
    sh(
      `mkdir -p src/ch; echo '{"env": {"A": "1"}, "history": ["h"], "x": 2}' >src/ch/metadata.json`,
      place.path,
    );
    await place.run("src");
    const image = `${place.store.path}/img/a`;
    const metadata = JSON.parse(Deno.readTextFileSync(`${image}/ch/metadata.json`));
    assert.deepEqual([metadata.env, metadata.history, metadata.x], [{ A: "1" }, ["h"], 2]);
    assert.equal(Deno.readTextFileSync(`${image}/ch/environment`), "A=1\n");
    assert.deepEqual(place.log.visible.filter((line) => line.startsWith("warning")), []);
  }),
);

Deno.test(
  "importImage() follows a link to a directory",
  inPlace(async (place) => {
    sh("mkdir src; touch src/file; ln -s src link", place.path);
    await place.run("link");
    assert(exists(`${place.store.path}/img/a/file`));
  }),
);

Deno.test({
  name: "importImage() leaves out devices of a directory, with a warning",
  ignore: Deno.uid() !== 0,
  fn: inPlace(async (place) => {
    sh("mkdir -p src/dev; mknod src/dev/zero c 1 5; mknod src/b b 7 200", place.path);
    await place.run("src");
    assert(!exists(`${place.store.path}/img/a/dev/zero`));
    assert(place.log.visible.includes("warning: ignored 2 devices and/or FIFOs"));
  }),
});

for (
  const [name, script, message] of [
    ["what does not exist", "true", /^can’t copy: not found: \S+\/src$/],
    [
      "a FIFO in a directory",
      "mkdir -p src/x; mkfifo src/x/p",
      /^can’t copy data: \S+: x\/p: is a FIFO$/,
    ],
    ["an empty file", ": >src", /^cannot open: \S+: /],
    ["random bytes", "head -c 5000 /dev/urandom >src", /^cannot open: \S+: /],
    [
      "a truncated archive",
      "mkdir d; head -c 50000 /dev/urandom >d/f; tar -cf x d; head -c 30000 x >src",
      /^cannot open: \S+: /,
    ],
    [
      "a truncated compressed archive",
      "mkdir d; head -c 50000 /dev/urandom >d/f; tar -czf x d; head -c 30000 x >src",
      /truncated/,
    ],
    [
      "a member above the root",
      "touch f; tar -cPf src --transform 's,f,a/../../f,' f",
      /^rejecting up-level member: \S+: a\/\.\.\/\.\.\/f$/,
    ],
    [
      "metadata with a mistake",
      "mkdir -p src/ch; echo '{]' >src/ch/metadata.json",
      /^can’t parse JSON: \S+:1: /,
    ],
    ["the storage directory itself", "ln -s st src", /^can’t copy: contains the storage directory/],
    ["what the storage directory is in", "ln -s . src", /^can’t copy: contains the storage/],
  ] as const
) {
  Deno.test(
    `importImage() refuses ${name} and keeps the image that was there`,
    inPlace(async (place) => {
      makeOldImage(place);
      sh(script, place.path);
      await assert.rejects(place.run("src"), { message });
      assertUntouched(place);
    }),
  );
}

/** Compression program, and the suffix of its files, which nobody looks at. */
for (const program of ["cat", "gzip", "bzip2", "xz", "zstd"]) {
  Deno.test(
    `importImage() understands an archive made with ${program}`,
    inPlace(async (place) => {
      sh(
        `mkdir -p d/bin d/etc; echo x >d/etc/f; tar -C d -c . | ${program} >image.of.mine`,
        place.path,
      );
      await place.run("image.of.mine");
      assert.equal(Deno.readTextFileSync(`${place.store.path}/img/a/etc/f`), "x\n");
      assert.deepEqual(place.log.visible, [
        `importing:    ${place.path}/image.of.mine`,
        "destination:  a",
        "flattening image",
        "layer 1/1: image: listing",
        "validating tarball members",
        "resolving whiteouts",
        "layer 1/1: image: extracting",
        "warning: no metadata to load; using defaults",
        "done",
      ]);
    }),
  );
}

/** How an archive is made, and what is then in the image. */
for (
  const [name, script, present, absent] of [
    [
      "strips a single directory around everything",
      "mkdir -p top/x; touch top/x/f; tar -cf src top",
      ["x/f"],
      ["top"],
    ],
    ["does not strip bin", "mkdir bin; touch bin/f; tar -cf src bin", ["bin/f"], ["f"]],
    [
      "does not strip beside a file",
      "mkdir top; touch top/f g; tar -cf src top g",
      ["top/f", "g"],
      ["f"],
    ],
    [
      "drops whiteout markers",
      "mkdir d; touch d/.wh.x d/.wh..wh..opq d/y; tar -cf src -C d .",
      ["y"],
      [".wh.x", ".wh..wh..opq"],
    ],
    [
      "drops what is below dev",
      "mkdir -p d/dev d/a/dev; touch d/dev/null d/a/dev/x; tar -cf src -C d .",
      ["dev", "a/dev/x"],
      ["dev/null"],
    ],
  ] as const
) {
  Deno.test(
    `importImage() of an archive ${name}`,
    inPlace(async (place) => {
      sh(script, place.path);
      await place.run("src");
      const image = `${place.store.path}/img/a`;
      for (const file of present) assert(exists(`${image}/${file}`), file);
      for (const file of absent) assert(!exists(`${image}/${file}`), file);
    }),
  );
}

Deno.test(
  "importImage() of an archive cannot write outside the image",
  inPlace(async (place) => {
    // First a link out of the image, then a file through it.
    sh(
      `mkdir one two; ln -s ../../../../outside one/link; mkdir two/link; touch two/link/evil
       tar -cf src -C one link; tar -rf src -C two link/evil; mkdir outside`,
      place.path,
    );
    await place.run("src").catch(() => {});
    assert.deepEqual([...Deno.readDirSync(`${place.path}/outside`)], []);
  }),
);

Deno.test(
  "importImage() warns of an archive without members",
  inPlace(async (place) => {
    sh("tar -cf src -T /dev/null", place.path);
    await place.run("src");
    assert(place.log.visible.includes("warning: ignoring empty layer: src"));
  }),
);

for (const kind of ["directory", "archive"] as const) {
  Deno.test(
    `importImage() of a ${kind} stops when aborted, and leaves nothing`,
    inPlace(async (place) => {
      makeOldImage(place);
      sh(
        `mkdir src; cd src; for i in $(seq 100); do mkdir d$i; for j in $(seq 10); do
           echo $i $j >d$i/f$j; done; done; head -c 10000000 /dev/zero >zzz`,
        place.path,
      );
      if (kind === "archive") sh("mv src d; tar -cf src d", place.path);
      const abort = new AbortController();
      const reason = new Error("enough");
      setTimeout(() => abort.abort(reason), 5);
      await assert.rejects(place.run("src", abort.signal), reason);
      assertUntouched(place);
    }),
  );
}

Deno.test(
  "importEntries() makes an image of any source",
  inPlace(async ({ store, log }) => {
    async function* source(): Source {
      const common = { mode: 0o755, uid: 0, gid: 0, mtime: 5, mtimeNsec: 0 } as const;
      const entries: readonly Entry[] = [
        { ...common, path: "", type: "directory" },
        { ...common, path: "l", type: "symlink", target: "/x" },
        { ...common, path: "null", type: "char", major: 1, minor: 3 },
      ];
      yield* entries;
    }
    await importEntries(store, source(), "somewhere", parseReference("a/b"), { log });
    assert.equal(Deno.readLinkSync(`${store.path}/img/a%b/l`), "/x");
    assert(!exists(`${store.path}/img/a%b/null`));
    assert.deepEqual(log.visible, [
      "importing:    somewhere",
      "destination:  a/b",
      "warning: ignored 1 devices and/or FIFOs",
      "warning: no metadata to load; using defaults",
      "done",
    ]);
  }),
);
