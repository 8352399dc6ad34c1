// The layers of an image on their way into a repository, some at a time. It begins before the image is
// known: with the layers that it was pulled with, and with a layer while it is being made. Messages wait
// until it is known how many layers there are.

import { ChError } from "../error.ts";
import type { Log, Progress } from "../log/log.ts";
import type { BlobSink } from "../oci/blobs.ts";
import type { Descriptor } from "../oci/model.ts";
import { shortDigest } from "../oci/unpack.ts";
import { stopWhenAborted } from "../stop_when_aborted.ts";
import type { Downloads } from "../store/downloads.ts";
import { layerFileName } from "./image_blobs.ts";
import { BlobInFile, type LocalBlob } from "./local_blob.ts";
import type { Repository } from "./repository.ts";
import type { Spool } from "./spool.ts";
import { uploadBlob, uploadGrowing, type UploadResult, type UploadTools } from "./upload.ts";
import { PIECE } from "./upload_session.ts";

/** Blobs that were not made here on their way at the same time. */
const PARALLEL = 3;

export interface LayerPlaces {
  readonly spool: Spool;
  readonly downloads: Downloads;
  /** Path of the registry's repository that the image was pulled from, if it is one. */
  readonly from: string | undefined;
  /** Whether the registry is not likely to have what is made here. */
  readonly isNew: Promise<boolean>;
}

/** Dispose stops what {@linkcode finish} has not waited for. */
export class LayerUploads implements BlobSink, AsyncDisposable {
  readonly #repository: Repository;
  readonly #places: LayerPlaces;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #layers = Promise.withResolvers<readonly Descriptor[]>();
  readonly #running: Promise<void>[] = [];

  constructor(repository: Repository, places: LayerPlaces) {
    this.#repository = repository;
    this.#places = places;
    const { signal } = repository;
    this.#signal = AbortSignal.any([this.#stop.signal, ...signal === undefined ? [] : [signal]]);
  }

  /** Begins with LAYERS, of which each is in the download cache or in the repository it is from. */
  keep(layers: readonly Descriptor[]): void {
    const waiting = [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
    const work = async () => {
      const buffer = new Uint8Array(PIECE);
      for (let layer = waiting.shift(); layer !== undefined; layer = waiting.shift()) {
        await this.#uploadKept(layer, buffer);
      }
    };
    for (let i = 0; i < PARALLEL; i++) this.#run(work());
  }

  has(blob: Pick<Descriptor, "digest">): Promise<boolean> {
    return this.#places.spool.has(blob);
  }

  /** The layer is in the spool then, and as far as it goes on its way. Throws what an upload throws: the
   * rest of the layer would be made for nothing. */
  write(mediaType: string, chunks: AsyncIterable<Uint8Array>): Promise<Descriptor> {
    return this.#places.spool.write(
      mediaType,
      stopWhenAborted(chunks, this.#signal),
      (blob) => this.#run(this.#uploadMade(blob)),
    );
  }

  /** Resolves when the repository has LAYERS: those kept and those made, in the image's order. Throws a
   * ChError. */
  async finish(layers: readonly Descriptor[]): Promise<void> {
    this.#layers.resolve(layers);
    await Promise.all(this.#running);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new ChError("push ended"));
    await Promise.allSettled(this.#running);
  }

  #run(work: Promise<void>): void {
    work.catch((error) => this.#stop.abort(error)); // finish() tells
    this.#running.push(work);
  }

  async #uploadKept({ digest, size }: Descriptor, buffer: Uint8Array<ArrayBuffer>): Promise<void> {
    const { downloads, from } = this.#places;
    this.#signal.throwIfAborted();
    const name = layerFileName({ digest });
    using file = downloads.has(name, size)
      ? new BlobInFile(downloads.pathOf(name), { digest, size })
      : undefined;
    using report = this.#report();
    const tools = { buffer, signal: this.#signal, ...report.tools };
    report.end(await uploadBlob(this.#repository, { digest, size, from, local: file }, tools));
  }

  async #uploadMade(blob: LocalBlob): Promise<void> {
    if (!await this.#places.isNew) await blob.reach(Infinity);
    using report = this.#report();
    const buffer = new Uint8Array(PIECE);
    const tools = { buffer, signal: this.#signal, ...report.tools };
    report.end(await uploadGrowing(this.#repository, blob, tools));
  }

  #report(): LayerReport {
    return new LayerReport(this.#repository.log, async (digest) => {
      const layers = await this.#layers.promise;
      const index = layers.findIndex((layer) => layer.digest === digest);
      return `layer ${index + 1}/${layers.length}: ${shortDigest({ digest })}: `;
    });
  }
}

/** What is told of one layer. Nothing waits for it. */
class LayerReport implements Disposable {
  readonly #log: Log;
  readonly #findLabel: (digest: string) => Promise<string>;
  #label: Promise<string> | undefined;
  #meter: Progress | undefined;
  #sent = 0;

  constructor(log: Log, findLabel: (digest: string) => Promise<string>) {
    this.#log = log;
    this.#findLabel = findLabel;
  }

  readonly tools: Pick<UploadTools, "onCheck" | "onStart" | "onProgress"> = {
    onCheck: (digest) => {
      this.#label = this.#findLabel(digest);
      this.#tell((label) => this.#log.info(`${label}checking if already in repository`));
    },
    onStart: (size) =>
      this.#tell((label) => {
        this.#meter = this.#log.progress(`${label}not present, uploading...`, size);
        if (this.#sent > 0) this.#meter.update(this.#sent);
      }),
    onProgress: (sent) => {
      this.#sent = sent;
      this.#meter?.update(sent);
    },
  };

  end(result: UploadResult): void {
    if (result === "present") this.#tell((label) => this.#log.info(`${label}already present`));
    if (result !== "mounted") return;
    this.#tell((label) => this.#log.info(`${label}mounted from the repository it was pulled from`));
  }

  [Symbol.dispose](): void {
    this.#tell(() => this.#meter?.[Symbol.dispose]());
  }

  #tell(say: (label: string) => void): void {
    // Without a label there is nothing to say: it did not come to an image.
    this.#label?.then(say, () => {});
  }
}
