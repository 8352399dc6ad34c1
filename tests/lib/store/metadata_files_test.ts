import assert from "node:assert/strict";
import { openRoot } from "../../../ffi/tree.ts";
import { defaultMetadata } from "../../../lib/store/metadata.ts";
import { readMetadata, writeMetadata } from "../../../lib/store/metadata_files.ts";
import { RecordingLog } from "../recording_log.ts";

function inImage(body: (path: string, fd: number, log: RecordingLog) => void): () => void {
  return () => {
    const path = Deno.makeTempDirSync({ prefix: "ch-test." });
    try {
      Deno.mkdirSync(`${path}/ch`);
      using root = openRoot(path);
      body(path, root.fd, new RecordingLog());
    } finally {
      Deno.removeSync(path, { recursive: true });
    }
  };
}

Deno.test(
  "writeMetadata() writes what readMetadata() reads, and the environment",
  inImage((path, fd, log) => {
    const metadata = { ...defaultMetadata(), env: { B: "2", A: "é" }, cwd: "/w" };
    writeMetadata(fd, metadata, log);
    assert.deepEqual(readMetadata(fd, path, log), metadata);
    assert.equal(Deno.readTextFileSync(`${path}/ch/environment`), "A=é\nB=2\n");
    assert.deepEqual(log.lines, []);
  }),
);

Deno.test(
  "writeMetadata() makes new files: other names of the old ones keep their text",
  inImage((path, fd, log) => {
    for (const name of ["metadata.json", "environment"]) {
      Deno.writeTextFileSync(`${path}/${name}`, "old");
      Deno.linkSync(`${path}/${name}`, `${path}/ch/${name}`);
    }
    writeMetadata(fd, defaultMetadata(), log);
    assert.equal(Deno.readTextFileSync(`${path}/metadata.json`), "old");
    assert.equal(Deno.readTextFileSync(`${path}/environment`), "old");
    assert.equal(Deno.readTextFileSync(`${path}/ch/environment`), "\n");
  }),
);

Deno.test(
  "writeMetadata() makes volumes inside the image, wherever links seem to lead",
  inImage((path, fd, log) => {
    Deno.symlinkSync("/../../inside", `${path}/link`);
    writeMetadata(fd, { ...defaultMetadata(), volumes: ["/data/x", "link/y", "../up"] }, log);
    assert(Deno.statSync(`${path}/data/x`).isDirectory);
    assert(Deno.statSync(`${path}/inside/y`).isDirectory);
    assert(Deno.statSync(`${path}/up`).isDirectory);
  }),
);

Deno.test(
  "writeMetadata() warns of a variable that the environment file can’t hold",
  inImage((path, fd, log) => {
    writeMetadata(fd, { ...defaultMetadata(), env: { A: "1\n2", B: "3" } }, log);
    assert.deepEqual(log.lines, ["warning: value has a newline, not saved in ch/environment: A"]);
    assert.equal(Deno.readTextFileSync(`${path}/ch/environment`), "B=3\n");
    assert.equal(readMetadata(fd, path, log).env.A, "1\n2");
  }),
);

Deno.test(
  "readMetadata() takes defaults, with a warning, where there is none",
  inImage((path, fd, log) => {
    assert.deepEqual(readMetadata(fd, path, log), defaultMetadata());
    assert.deepEqual(log.lines, ["warning: no metadata to load; using defaults"]);
  }),
);

Deno.test(
  "readMetadata() names file and line of a mistake",
  inImage((path, fd, log) => {
    Deno.writeTextFileSync(`${path}/ch/metadata.json`, '{"a":\n nonsense}');
    assert.throws(() => readMetadata(fd, path, log), {
      message: new RegExp(`^can’t parse JSON: ${path}/ch/metadata.json:2: `),
    });
  }),
);

for (const place of ["ch", "ch/metadata.json"]) {
  Deno.test(
    `readMetadata() does not follow a link at ${place}`,
    inImage((path, fd, log) => {
      Deno.mkdirSync(`${path}/outside`);
      Deno.writeTextFileSync(`${path}/outside/metadata.json`, '{"cwd": "/secret"}');
      Deno.removeSync(`${path}/ch`);
      if (place === "ch") {
        Deno.symlinkSync("outside", `${path}/ch`);
      } else {
        Deno.mkdirSync(`${path}/ch`);
        Deno.symlinkSync("../outside/metadata.json", `${path}/ch/metadata.json`);
      }
      let cwd: string | undefined;
      try {
        cwd = readMetadata(fd, path, log).cwd;
      } catch (error) {
        assert.match((error as Error).message, /^can’t read: /);
      }
      assert.notEqual(cwd, "/secret");
    }),
  );
}
