// An input that consists of layers and a configuration, whatever its format.

import { displayOsString } from "../../ffi/os_string.ts";
import { ChError } from "../error.ts";
import { ArchiveFiles } from "../oci/archive_files.ts";
import type { BlobSource } from "../oci/blobs.ts";
import { DockerArchive } from "../oci/docker_archive.ts";
import { Layout } from "../oci/layout.ts";
import { DirectoryFiles, type NamedFiles } from "../oci/named_files.ts";
import { hostPlatform } from "../oci/platform.ts";
import { type Image, readImage } from "../oci/unpack.ts";
import { stopWhenAborted } from "../stop_when_aborted.ts";
import { findFileType } from "./file_type.ts";
import type { LayeredFormat } from "./format.ts";
import { type NamedImage, splitImageName } from "./image_name.ts";
import { ByteMeter } from "./meter.ts";
import type { ConvertSettings, Endpoint } from "./request.ts";

export interface LayeredInput {
  readonly blobs: BlobSource;
  readonly image: Image;
}

/** Throws a ChError if there is no such input. */
export async function checkLayeredInput(
  input: Endpoint<LayeredFormat>,
  settings: ConvertSettings,
): Promise<void> {
  const { format, descriptor } = input;
  if (format === "docker" || format === "podman") {
    const builder = await settings.findBuilder(format);
    if (await builder.hasImage(descriptor)) return;
    const name = displayOsString(descriptor);
    throw new ChError(`source not found in ${builder.title} storage: ${name}`);
  }
  const { path } = locate(descriptor);
  const type = findFileType(path, "follow");
  const display = displayOsString(path);
  if (type === undefined) throw new ChError(`not found: ${display}`);
  if (format === "oci") {
    if (type !== "directory") throw new ChError(`not a directory: ${display}`);
  } else if (type !== "file") {
    // Its parts are read in any order.
    throw new ChError(`not a regular file: ${display}`);
  }
}

/** Throws a ChError if it is damaged, or there is no such image in it. */
export async function openLayeredInput(
  input: Endpoint<LayeredFormat>,
  settings: ConvertSettings,
): Promise<LayeredInput> {
  const { blobs, image } = await open(input, settings);
  return { blobs: { read: (blob) => stopWhenAborted(blobs.read(blob), settings.signal) }, image };
}

async function open(
  { format, descriptor }: Endpoint<LayeredFormat>,
  { temporary, log, findBuilder }: ConvertSettings,
): Promise<LayeredInput> {
  const { path, name } = locate(descriptor);
  switch (format) {
    case "oci":
      return await openLayout(new DirectoryFiles(path), name);
    case "oci-archive":
      return await openLayout(await ArchiveFiles.open(path, temporary), name);
    case "docker-archive":
      return await openDockerArchive(path, name, temporary);
    case "docker":
    case "podman": {
      log.info("exporting ...");
      const saved = `${temporary}/saved.tar`;
      const builder = await findBuilder(format);
      using meter = new ByteMeter(log, "exporting", undefined);
      await builder.save(descriptor, saved, (count) => meter.add(count));
      return await openDockerArchive(saved, undefined, temporary);
    }
    default:
      return format satisfies never;
  }
}

async function openLayout(files: NamedFiles, name: string | undefined): Promise<LayeredInput> {
  const platform = hostPlatform();
  const layout = await Layout.open(files);
  const target = layout.findImage(name, platform);
  return { blobs: layout, image: await readImage(layout, target, platform, files.name) };
}

async function openDockerArchive(
  path: string,
  name: string | undefined,
  temporary: string,
): Promise<LayeredInput> {
  const archive = await DockerArchive.open(await ArchiveFiles.open(path, temporary));
  return { blobs: archive, image: await archive.readImage(name) };
}

function locate(descriptor: string): NamedImage {
  return splitImageName(descriptor, (path) => findFileType(path, "follow") !== undefined);
}
