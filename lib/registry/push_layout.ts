// Pushing into an OCI layout: the same layers as for a registry, in a directory or an archive.

import { displayOsString } from "../../ffi/os_string.ts";
import { openRoot } from "../../ffi/tree.ts";
import { findFileType } from "../convert/file_type.ts";
import { writeFile } from "../convert/file_output.ts";
import { checkFileOutput, checkLayoutOutput } from "../convert/output_check.ts";
import { replaceDirectory } from "../convert/replace_directory.ts";
import { TemporaryDirectory } from "../convert/temporary_directory.ts";
import { ChError } from "../error.ts";
import { openFileChunks } from "../layer/codec.ts";
import { oneChunk } from "../layer/one_chunk.ts";
import type { Log } from "../log/log.ts";
import { streamLayout } from "../oci/archive_writer.ts";
import { type BlobSource, readDocument, verifyBlob, writeBytes } from "../oci/blobs.ts";
import { copyImage } from "../oci/copy_image.ts";
import { type Layout, nameOf } from "../oci/layout.ts";
import { LayoutWriter } from "../oci/layout_writer.ts";
import { OCI } from "../oci/media_type.ts";
import { type Descriptor, parseImageConfig } from "../oci/model.ts";
import { extendLayout } from "../oci/extend_layout.ts";
import { addToIndex, emptyIndex, listPlatforms, type OpenIndex } from "../oci/open_index.ts";
import { platformOf, readOpenIndex } from "../oci/open_index.ts";
import { shortDigest } from "../oci/unpack.ts";
import { stopWhenAborted } from "../stop_when_aborted.ts";
import { Downloads } from "../store/downloads.ts";
import { UPLOADS } from "../store/layout.ts";
import type { Store } from "../store/store.ts";
import { layerFileName } from "./image_blobs.ts";
import type { LayoutPlace } from "./layout_place.ts";
import type { PushPlan } from "./push_plan.ts";
import type { Spool } from "./spool.ts";
import type { LocalBlob } from "./local_blob.ts";

/** Without a name an image is found by this one by most tools. */
const USUAL_NAME = "latest";
/** Bytes handed on at a time. */
const PIECE = 1 << 20;

/** Throws a ChError if the layout cannot be made there; to be asked before there is work. */
export function checkLayoutPlace({ kind, path }: LayoutPlace): void {
  if (kind === "oci") checkLayoutOutput(path, false);
  else if (findFileType(path, "keep") === undefined) checkFileOutput(path, true);
  else {
    throw new ChError(`exists already: ${displayOsString(path)}`, {
      hint: "remove it, or name another file; a directory that is a layout would be added to",
    });
  }
}

export interface LayoutPush {
  readonly place: LayoutPlace;
  readonly plan: PushPlan;
  /** Beside what the place has for other platforms, instead of in place of it. */
  readonly isForIndex: boolean;
}

interface Tools {
  readonly spool: Spool;
  readonly store: Store;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** Writes what the plan says. If it throws, nothing has changed. */
export async function writeLayoutPlace(push: LayoutPush, tools: Tools): Promise<void> {
  const { kind, path } = push.place;
  const { store, log, signal } = tools;
  const fill = (rootFd: number) => addImage(push, tools, new LayoutWriter(rootFd, 0), undefined);
  switch (kind) {
    case "oci":
      if (["image", "link"].includes(checkLayoutOutput(path, false))) {
        log.info(`adding to layout: ${displayOsString(path)}`);
        return await extendLayout(
          path,
          (writer, present) => addImage(push, tools, writer, present),
        );
      }
      return await replaceDirectory(
        { path, check: () => checkLayoutOutput(path, true) },
        fill,
        log,
      );
    case "oci-archive": {
      using temporary = new TemporaryDirectory(`${store.path}/${UPLOADS}`);
      using root = openRoot(temporary.path);
      await fill(root.fd);
      return await writeFile(stopWhenAborted(streamLayout(root.fd, 0), signal), path, true);
    }
    default:
      return kind satisfies never;
  }
}

async function addImage(
  { place: { name = USUAL_NAME }, plan, isForIndex }: LayoutPush,
  { spool, store, log, signal }: Tools,
  writer: LayoutWriter,
  present: Layout | undefined,
): Promise<void> {
  const { manifest, manifestBytes, configBytes } = plan;
  const config = parseImageConfig(configBytes, "configuration");
  const source = new PlanBlobs(plan, spool, new Downloads(store.path), signal);
  const count = manifest.layers.length;
  const say = (layer: Descriptor, at: number) =>
    log.info(`layer ${at + 1}/${count}: ${shortDigest(layer)}: copying`);
  let blob: Descriptor;
  if (manifest.mediaType === OCI.manifest) {
    // As it is, so that its digest is that of the registry's.
    for (const [at, layer] of manifest.layers.entries()) {
      say(layer, at);
      if (!await writer.has(layer)) await writer.write(layer.mediaType, source.read(layer));
    }
    await writeBytes(writer, manifest.config.mediaType, configBytes);
    blob = await writer.write(OCI.manifest, oneChunk(manifestBytes));
  } else {
    const image = { manifest, config, configBytes };
    const options = { style: "oci", compressor: undefined, onLayer: say } as const;
    ({ blob } = await copyImage(source, image, writer, options));
  }
  const platform = platformOf(config);
  if (!isForIndex) return writer.finish(blob, name, platform);
  const index = addToIndex(await findIndex(present, name, blob), { ...blob, platform });
  log.info(`index: ${listPlatforms(index).join(", ")}`);
  const bytes = new TextEncoder().encode(JSON.stringify(index));
  writer.finish(await writer.write(OCI.index, oneChunk(bytes)), name, undefined);
}

/** What NAME is now, as an index. */
async function findIndex(
  layout: Layout | undefined,
  name: string,
  image: Descriptor,
): Promise<OpenIndex> {
  const found = layout?.index.manifests.find((entry) => nameOf(entry) === name);
  if (layout === undefined || found === undefined) return emptyIndex(image);
  const bytes = await readDocument(layout, found);
  return await readOpenIndex(
    bytes,
    name,
    found.mediaType,
    image,
    (config) => readDocument(layout, config),
  );
}

/** Layers where they are before they are anywhere else. */
class PlanBlobs implements BlobSource {
  constructor(
    readonly plan: PushPlan,
    readonly spool: Spool,
    readonly downloads: Downloads,
    readonly signal: AbortSignal,
  ) {}

  read(blob: Descriptor): AsyncIterable<Uint8Array> {
    const made = this.spool.open(blob.digest);
    const chunks = made === undefined
      ? openFileChunks(this.downloads.pathOf(layerFileName(blob)))
      : readPieces(made, blob.size);
    return verifyBlob(stopWhenAborted(chunks, this.signal), blob, blob.digest);
  }
}

async function* readPieces(
  blob: LocalBlob,
  size: number,
): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < size; at += PIECE) {
    const end = Math.min(at + PIECE, size);
    yield blob.read(at, end, new Uint8Array(end - at));
  }
}
