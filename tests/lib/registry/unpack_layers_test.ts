import assert from "node:assert/strict";
import { openRoot } from "../../../ffi/tree.ts";
import { BlobFile } from "../../../lib/registry/blob_file.ts";
import { type ArrivingLayer, unpackLayers } from "../../../lib/registry/unpack_layers.ts";
import { makeTar, TemporaryDirectory } from "../../tree_fixture.ts";
import { RecordingLog } from "../recording_log.ts";

/** Layers are texts of tree_fixture.ts; undefined is one that does not come. */
async function unpack(work: TemporaryDirectory, layers: readonly (string | undefined)[]) {
  const arriving = layers.map((text, index): ArrivingLayer => {
    const file = new BlobFile();
    if (text !== undefined) {
      const path = `${work.path}/layer${index}`;
      Deno.writeFileSync(path, makeTar(text));
      file.complete(path);
    }
    return { file, label: `layer ${index + 1}: x: `, name: `layer${index}`, diffId: undefined };
  });
  using root = openRoot(work.makeTree("to", ""));
  await unpackLayers(arriving, root.fd, new RecordingLog(), new AbortController().signal);
}

Deno.test("unpackLayers() does not wait for a layer above one that fails", async () => {
  using work = new TemporaryDirectory();
  await assert.rejects(unpack(work, [`f 0644 a "x"`, `h b = c`, undefined]), {
    name: "ChError",
    message: /no such member/,
  });
});
