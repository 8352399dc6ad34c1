import assert from "node:assert/strict";
import { deleteImages } from "../../../lib/store/delete.ts";
import { openStore } from "../../../lib/store/store.ts";
import { RecordingLog } from "../recording_log.ts";

const IMAGES = ["foo", "foo_stage0", "foo_stage12", "foo_stagex", "foobar", "a%b+t", ".hidden"];

/** Patterns, which images remain, and what is said. */
const cases: readonly [patterns: readonly string[], remaining: string, said: readonly string[]][] =
  [
    [["foobar"], ".hidden a/b:t foo foo_stage0 foo_stage12 foo_stagex", ["deleting image: foobar"]],
    [["foo"], ".hidden a/b:t foo_stagex foobar", [
      "deleting image: foo",
      "deleting image: foo_stage0",
      "deleting image: foo_stage12",
    ]],
    [["a/b:t"], ".hidden foo foo_stage0 foo_stage12 foo_stagex foobar", ["deleting image: a/b:t"]],
    [["fo?b*", "a*"], ".hidden foo foo_stage0 foo_stage12 foo_stagex", [
      "deleting image: foobar",
      "deleting image: a/b:t",
    ]],
    [["*"], ".hidden", [
      "deleting image: a/b:t",
      "deleting image: foo",
      "deleting image: foo_stage0",
      "deleting image: foo_stage12",
      "deleting image: foo_stagex",
      "deleting image: foobar",
    ]],
  ];

function inStore(
  body: (store: ReturnType<typeof openStore>, log: RecordingLog) => void,
): () => void {
  return () => {
    const path = Deno.makeTempDirSync({ prefix: "ch-test." });
    try {
      const log = new RecordingLog();
      using store = openStore(`${path}/st`, { lock: true }, log);
      log.lines.length = 0;
      for (const name of IMAGES) {
        Deno.mkdirSync(`${store.path}/img/${name}/dir/dir`, { recursive: true });
        Deno.chmodSync(`${store.path}/img/${name}/dir`, 0);
        Deno.chmodSync(`${store.path}/img/${name}`, 0o500);
      }
      body(store, log);
    } finally {
      new Deno.Command("sh", { args: ["-c", `chmod -R u+rwx ${path}; rm -rf ${path}`] })
        .outputSync();
    }
  };
}

for (const [patterns, remaining, said] of cases) {
  Deno.test(
    `deleteImages() of ${patterns.join(" ")}`,
    inStore((store, log) => {
      deleteImages(store, patterns, log);
      assert.equal(store.listImages().join(" "), remaining);
      assert.deepEqual(log.visible, said);
    }),
  );
}

Deno.test(
  "deleteImages() deletes the rest where a pattern matches nothing",
  inStore((store, log) => {
    assert.throws(() => deleteImages(store, ["no", "foobar", "x*"], log), {
      message: "unable to delete 2 invalid image(s)",
    });
    assert.deepEqual(log.visible, [
      "error: no matching image, can’t delete: no",
      "deleting image: foobar",
      "error: no matching image, can’t delete: x*",
    ]);
    assert(!store.listImages().includes("foobar"));
  }),
);

Deno.test(
  "deleteImages() cannot reach outside the images",
  inStore((store, log) => {
    for (const pattern of ["..", ".", "../img", "/", ""]) {
      assert.throws(() => deleteImages(store, [pattern], log), /unable to delete/);
    }
    assert.equal(store.listImages().length, IMAGES.length);
  }),
);
