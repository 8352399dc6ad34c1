// The public library, used as its documentation says.

import assert from "node:assert/strict";
import {
  ChError,
  copyEntries,
  decodeDockerfile,
  decompress,
  openFileChunks,
  parseDockerfile,
  readSquashfs,
  readTar,
  SquashfsWriter,
  VERSION,
} from "../mod.ts";
import { makeTar } from "./tar_archive.ts";

Deno.test("mod.ts: an archive becomes a SquashFS image and is read again", async () => {
  const directory = Deno.makeTempDirSync();
  try {
    const archive = `${directory}/in.tar.gz`, image = `${directory}/out.sqfs`;
    const bytes = makeTar([
      { name: "bin", type: "5" },
      { name: "bin/hello", data: "hello\n" },
      { name: "bin/hi", type: "2", link: "hello" },
    ]);
    const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
    Deno.writeFileSync(archive, new Uint8Array(await new Response(packed).arrayBuffer()));

    {
      using writer = new SquashfsWriter(image);
      await copyEntries(readTar(decompress(openFileChunks(archive), archive), archive), writer);
    }
    using source = readSquashfs(image);
    const found: string[] = [];
    for await (const entry of source) found.push(`${entry.type} ${entry.path}`);
    assert.deepEqual(found, ["directory ", "directory bin", "file bin/hello", "symlink bin/hi"]);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});

Deno.test("mod.ts: parseDockerfile() gives instructions, or the place of a mistake", () => {
  const bytes = new TextEncoder().encode("FROM debian\nRUN true\n");
  const { instructions } = parseDockerfile(decodeDockerfile("Dockerfile", bytes));
  assert.equal(instructions.length, 2);
  const wrong = decodeDockerfile("Dockerfile", new TextEncoder().encode("FROM\n"));
  assert.throws(() => parseDockerfile(wrong), ChError);
  assert.match(VERSION, /^0\.\d+/);
});
