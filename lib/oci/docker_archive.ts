// Archives as `docker save` and `podman save` make them, read:
//
//     manifest.json     a list: of each image the configuration's name, the layers' names, its tags
//     *.json            configurations
//     */layer.tar …     layers, as a rule not compressed
//
// Nothing says what the layers' digests are but the configuration, which has those of the archives in
// them (`diff_ids`). So an image is shown here with these as blobs, whatever the file is.

import { ChError } from "../error.ts";
import { decompress, detectStreamCompression } from "../layer/codec.ts";
import type { ArchiveFiles } from "./archive_files.ts";
import { type BlobSource, verifyBlob } from "./blobs.ts";
import { digestBytes } from "./digest.ts";
import { type JsonValue, parseJson } from "./json_value.ts";
import { DOCKER } from "./media_type.ts";
import { type Descriptor, type Manifest, parseImageConfig } from "./model.ts";
import { missingFile, readSmallFile } from "./named_files.ts";
import type { Image } from "./unpack.ts";

export const MANIFEST_FILE = "manifest.json";

interface Listed {
  readonly configFile: string;
  readonly layerFiles: readonly string[];
  readonly tags: readonly string[];
}

export class DockerArchive implements BlobSource {
  readonly #files: ArchiveFiles;
  readonly #images: readonly Listed[];
  /** Files of the layers, by their digests. */
  readonly #layers = new Map<string, string>();

  private constructor(files: ArchiveFiles, images: readonly Listed[]) {
    this.#files = files;
    this.#images = images;
  }

  /** Throws a ChError if FILES are no such archive. */
  static async open(files: ArchiveFiles): Promise<DockerArchive> {
    if (!files.has(MANIFEST_FILE)) {
      throw new ChError(`not an archive of docker save: ${files.name}: no file ${MANIFEST_FILE}`);
    }
    const list = parseJson(
      await readSmallFile(files, MANIFEST_FILE),
      `bad ${MANIFEST_FILE}: ${files.name}`,
    );
    return new DockerArchive(files, list.items().map(readListed));
  }

  /** The image tagged NAME ("latest" may be left out), or the only one. Throws a ChError. */
  async readImage(name: string | undefined): Promise<Image> {
    const { configFile, layerFiles } = this.#find(name);
    const configBytes = await readSmallFile(this.#files, configFile);
    const config = parseImageConfig(configBytes, `${this.#files.name}: ${configFile}`);
    const { diff_ids: diffIds } = config.rootfs;
    if (diffIds.length !== layerFiles.length) {
      throw new ChError(
        `bad image configuration: ${this.#files.name}: ` +
          `${diffIds.length} layers, but ${layerFiles.length} in ${MANIFEST_FILE}`,
      );
    }
    const layers: Descriptor[] = [];
    for (const [at, digest] of diffIds.entries()) {
      this.#layers.set(digest, layerFiles[at]!);
      const size = await this.#measure(layerFiles[at]!);
      layers.push({ mediaType: DOCKER.layer, digest, size });
    }
    return { manifest: await makeManifest(configBytes, layers), config, configBytes };
  }

  read(blob: Descriptor): AsyncIterable<Uint8Array> {
    const file = this.#layers.get(blob.digest);
    if (file === undefined) throw missingFile(this.#files, blob.digest);
    return verifyBlob(this.#open(file), blob, `${this.#files.name}: ${file}`);
  }

  #open(file: string): AsyncIterable<Uint8Array> {
    return decompress(this.#files.read(file), `${this.#files.name}: ${file}`);
  }

  /** Of the archive in FILE; if that is compressed, there is only one way to know. */
  async #measure(file: string): Promise<number> {
    const size = this.#files.findSize(file);
    if (size === undefined) throw missingFile(this.#files, file);
    if (await detectStreamCompression(this.#files.read(file)) === "none") return size;
    let total = 0;
    for await (const chunk of this.#open(file)) total += chunk.length;
    return total;
  }

  #find(name: string | undefined): Listed {
    const found = this.#images.filter(({ tags }) =>
      name === undefined || tags.some((tag) => tag === name || tag === `${name}:latest`)
    );
    if (found.length === 1) return found[0]!;
    const there = this.#images.flatMap(({ tags }) => tags).join(", ") || "without names";
    if (found.length === 0) {
      throw new ChError(`no such image: ${this.#files.name}:${name ?? ""}: there is ${there}`);
    }
    throw new ChError(`more than one image: ${this.#files.name}: ${there}`, {
      hint: "put the name of the one that is meant behind the path, after a colon",
    });
  }
}

function readListed(value: JsonValue): Listed {
  const layers = value.member("Layers"), tags = value.member("RepoTags");
  return {
    configFile: value.member("Config").text(),
    layerFiles: layers.isPresent ? layers.texts() : [],
    tags: tags.isPresent ? tags.texts() : [],
  };
}

async function makeManifest(
  configBytes: Uint8Array,
  layers: readonly Descriptor[],
): Promise<Manifest> {
  return {
    schemaVersion: 2,
    mediaType: DOCKER.manifest,
    config: {
      mediaType: DOCKER.config,
      digest: await digestBytes(configBytes),
      size: configBytes.length,
    },
    layers,
  };
}
