// Archives of images, out of a directory that LayoutWriter made.

import { openFile } from "../../ffi/tree.ts";
import type { Entry, Source } from "../layer/entry.ts";
import { oneChunk } from "../layer/one_chunk.ts";
import { streamTar } from "../layer/tar_stream.ts";
import { readTree } from "../layer/tree_reader.ts";
import { MANIFEST_FILE } from "./docker_archive.ts";
import { blobPath } from "./layout.ts";
import type { Descriptor, Manifest } from "./model.ts";

/** An OCI archive: the layout in ROOT_FD as it is. */
export function streamLayout(rootFd: number, time: number): AsyncIterable<Uint8Array> {
  return streamTar(withTime(readTree(rootFd), time), ARCHIVE);
}

/** An archive as of `docker save`, with the one image that MANIFEST describes. Its blobs are in ROOT_FD, the
 * layers not compressed: so everybody can read them. */
export function streamDockerArchive(
  rootFd: number,
  manifest: Manifest,
  tags: readonly string[],
  time: number,
): AsyncIterable<Uint8Array> {
  return streamTar(withTime(dockerEntries(rootFd, manifest, tags), time), ARCHIVE);
}

const ARCHIVE = { format: "pax", prefix: "", owner: "root" } as const;

async function* dockerEntries(
  rootFd: number,
  { config, layers }: Manifest,
  tags: readonly string[],
): Source {
  const layerFiles = layers.map((layer) => `${hexOf(layer)}.tar`);
  for (const [at, layer] of layers.entries()) {
    const isFirst = layerFiles.indexOf(layerFiles[at]!) === at;
    if (isFirst) yield* readBlob(rootFd, layer, layerFiles[at]!);
  }
  const configFile = `${hexOf(config)}.json`;
  yield* readBlob(rootFd, config, configFile);
  const listed = { Config: configFile, RepoTags: tags, Layers: layerFiles };
  yield makeFile(MANIFEST_FILE, new TextEncoder().encode(JSON.stringify([listed])));
}

/** A generator, because the file must be closed after it was used. */
function* readBlob(rootFd: number, blob: Descriptor, path: string): Generator<Entry> {
  using file = openFile(rootFd, blobPath(blob));
  yield { ...COMMON, path, type: "file", size: file.size, content: { fd: file.fd } };
}

function makeFile(path: string, bytes: Uint8Array): Entry {
  const content = { chunks: oneChunk(bytes) };
  return { ...COMMON, path, type: "file", size: bytes.length, content };
}

const COMMON = { mode: 0o644, uid: 0, gid: 0, mtime: 0, mtimeNsec: 0 } as const;

async function* withTime(source: Source, time: number): Source {
  for await (const entry of source) yield { ...entry, mtime: time, mtimeNsec: 0 };
}

function hexOf({ digest }: Descriptor): string {
  return digest.slice(digest.indexOf(":") + 1);
}
