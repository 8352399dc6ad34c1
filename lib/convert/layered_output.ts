// An output that consists of layers and a configuration. Layers of a layered input are copied as they
// are; a tree becomes one layer.

import { openDirectory, openRoot } from "../../ffi/tree.ts";
import { makeDirectory } from "../../ffi/tree_change.ts";
import { ownerNameFinder } from "../layer/owner_names.ts";
import type { Source } from "../layer/entry.ts";
import { streamDockerArchive, streamLayout } from "../oci/archive_writer.ts";
import { copyImage } from "../oci/copy_image.ts";
import { LayoutWriter } from "../oci/layout_writer.ts";
import type { Platform } from "../oci/model.ts";
import { type ImageStyle, type PackedImage, packImage, packLayer } from "../oci/pack.ts";
import { shortDigest } from "../oci/unpack.ts";
import { clampTimes } from "./clamp_times.ts";
import { writeFile } from "./file_output.ts";
import type { LayeredInput } from "./layered_input.ts";
import { MetadataNotes } from "./metadata_entries.ts";
import { ByteMeter, meterBlobs, meterChunks, sumSizes } from "./meter.ts";
import type { LayeredOptions } from "./output_options.ts";
import { type DirectoryPlace, replaceDirectory } from "./replace_directory.ts";
import type { ConvertRequest } from "./request.ts";

/** What goes into the output: an image, or the files of one. */
export type Content = LayeredInput | { readonly files: Source };

/** Without a name an image is found by this one by most tools. */
const USUAL_NAME = "latest";

/** A layout directory. If it throws, nothing has changed. */
export async function writeLayout(
  content: Content,
  place: DirectoryPlace,
  name: string | undefined,
  options: LayeredOptions,
  request: ConvertRequest,
): Promise<void> {
  await replaceDirectory(place, async (rootFd) => {
    await fillLayout(content, rootFd, name, options, request);
  }, request.log);
}

/** The same as one file. If it throws, nothing has changed. */
export async function writeLayoutArchive(
  content: Content,
  path: string,
  name: string | undefined,
  options: LayeredOptions,
  request: ConvertRequest,
): Promise<void> {
  using layout = new TemporaryLayout(request.temporary);
  await fillLayout(content, layout.fd, name, options, request);
  await writeFile(streamLayout(layout.fd, timeOf(request)), path, request.noClobber);
}

/** An archive as of `docker save`. If it throws, nothing has changed. */
export async function writeDockerArchive(
  content: Content,
  path: string,
  tag: string | undefined,
  options: LayeredOptions,
  request: ConvertRequest,
): Promise<void> {
  using layout = new TemporaryLayout(request.temporary);
  const archive = await makeDockerArchive(content, layout.fd, tag, options, request);
  await writeFile(archive, path, request.noClobber);
}

/** An image in Docker's or Podman's storage. */
export async function loadImage(
  content: Content,
  builder: "docker" | "podman",
  reference: string,
  options: LayeredOptions,
  request: ConvertRequest,
): Promise<void> {
  const { log } = request;
  const program = await request.findBuilder(builder);
  using layout = new TemporaryLayout(request.temporary);
  const tag = program.fullName(reference);
  const archive = await makeDockerArchive(content, layout.fd, tag, options, request);
  request.signal.throwIfAborted();
  log.info("importing ...");
  using meter = new ByteMeter(log, "importing", undefined);
  const said = await program.load(meterChunks(archive, meter));
  for (const line of said.split("\n")) if (line !== "") log.verbose(line);
}

async function fillLayout(
  content: Content,
  rootFd: number,
  name: string = USUAL_NAME,
  options: LayeredOptions,
  request: ConvertRequest,
): Promise<void> {
  const writer = new LayoutWriter(rootFd, timeOf(request));
  const { blob, platform } = await makeImage(content, writer, "oci", options, request);
  writer.finish(blob, name, platform);
}

async function makeDockerArchive(
  content: Content,
  rootFd: number,
  tag: string | undefined,
  options: LayeredOptions,
  request: ConvertRequest,
): Promise<AsyncIterable<Uint8Array>> {
  const writer = new LayoutWriter(rootFd, timeOf(request));
  const { manifest } = await makeImage(content, writer, "docker", options, request);
  const tags = tag === undefined ? [] : [tag];
  return streamDockerArchive(rootFd, manifest, tags, timeOf(request));
}

async function makeImage(
  content: Content,
  writer: LayoutWriter,
  style: ImageStyle,
  { compression, level, owner }: LayeredOptions,
  { log, epoch, signal }: ConvertRequest,
): Promise<PackedImage & { readonly platform: Platform }> {
  if ("image" in content) {
    const { blobs, image } = content;
    const { architecture, os, variant } = image.config;
    const { layers } = image.manifest;
    using meter = new ByteMeter(log, "copying", sumSizes(layers));
    const packed = await copyImage(meterBlobs(blobs, layers, meter), image, writer, {
      style,
      compressor: compression,
      level,
      onLayer: (layer, at) => {
        signal.throwIfAborted();
        log.info(`layer ${at + 1}/${layers.length}: ${shortDigest(layer)}: copying`);
      },
    });
    return { ...packed, platform: { architecture, os, ...variant && { variant } } };
  }
  const notes = new MetadataNotes();
  const layer = await packLayer(clampTimes(notes.watch(content.files), epoch), writer, {
    style,
    compressor: compression ?? "gzip",
    level,
    owner,
    ...owner === "keep" && { findNames: ownerNameFinder() },
    onSkippedSockets: (count) => log.warning(`ignored ${count} sockets`),
  });
  const details = notes.details();
  const created = epoch === undefined ? new Date() : new Date(epoch * 1000);
  const packed = await packImage(
    [layer],
    { ...details, created: created.toISOString() },
    writer,
    style,
  );
  return { ...packed, platform: { architecture: details.architecture, os: details.os } };
}

/** Of files that only hold others. */
function timeOf({ epoch }: ConvertRequest): number {
  return epoch ?? 0;
}

/** A directory for the parts of an archive. */
class TemporaryLayout implements Disposable {
  readonly #root;

  constructor(temporary: string) {
    using parent = openRoot(temporary);
    makeDirectory(parent.fd, "layout", 0o700);
    this.#root = openDirectory(parent.fd, "layout");
  }

  get fd(): number {
    return this.#root.fd;
  }

  [Symbol.dispose](): void {
    this.#root[Symbol.dispose]();
  }
}
