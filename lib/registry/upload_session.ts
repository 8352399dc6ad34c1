// One upload to a repository: the bytes of a blob in pieces, going on where a connection broke (OCI
// distribution specification, "Pushing blobs").

import { ChError } from "../error.ts";
import type { BlobExtent, LocalBlob } from "./local_blob.ts";
import type { Repository, RequestOptions } from "./repository.ts";
import { pause, TRANSIENT } from "./retry.ts";
import { TransportError } from "./transport.ts";

/** What goes in one request; what is not larger goes in one in any case. */
export const PIECE = 8 << 20;

export interface SendTools {
  /** Of PIECE bytes, for one blob at a time: left to the garbage collector, pieces pile up. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly signal?: AbortSignal | undefined;
  /** Called with how many bytes the registry has. */
  onProgress(sent: number): void;
}

/** Where a blob may be had from without sending it. */
export interface BlobOrigin {
  readonly digest: string;
  /** Path of another repository of the registry. */
  readonly from: string;
}

export class UploadSession {
  readonly #repository: Repository;
  #location: URL;
  /** Bytes that the registry has. */
  #at = 0;

  private constructor(repository: Repository, location: URL) {
    this.#repository = repository;
    this.#location = location;
  }

  /** Undefined if there is nothing to send: the registry took the blob from ORIGIN. */
  static async begin(
    repository: Repository,
    origin: BlobOrigin | undefined,
  ): Promise<UploadSession | undefined> {
    if (origin !== undefined && origin.from !== repository.path) {
      // Whatever it has against that, the usual way remains.
      const mounted = await repository.request("POST", "blobs/uploads/", {
        query: { mount: origin.digest, from: origin.from },
        expected: [201, 202, 401, 403, 404, 405],
      });
      await mounted.body?.cancel();
      if (mounted.status === 201) return undefined;
      if (mounted.status === 202) {
        return new UploadSession(repository, locationOf(repository, mounted));
      }
    }
    return await UploadSession.open(repository);
  }

  /** For a blob that has to be sent. */
  static async open(repository: Repository): Promise<UploadSession> {
    return new UploadSession(repository, await openUpload(repository));
  }

  /** Sends what there is of BLOB while it grows; returns what it has become. Throws a ChError. */
  async sendGrowing(blob: LocalBlob, tools: SendTools): Promise<BlobExtent & { digest: string }> {
    for (let failures = 0;;) {
      const { size, digest } = await blob.reach(this.#at + PIECE);
      if (digest !== undefined) return { size, digest };
      try {
        await this.#sendPiece(blob, this.#at + PIECE, tools);
        failures = 0;
      } catch (error) {
        await this.#wait(error, failures++, tools);
        await this.#findPlace();
      }
    }
  }

  /** Sends what is left of BLOB, which is whole. IS_THERE: whether the registry has got it, though the
   * answer may have been lost. Throws a ChError. */
  async finish(
    blob: LocalBlob,
    { digest, size }: BlobExtent & { digest: string },
    isThere: () => Promise<boolean>,
    tools: SendTools,
  ): Promise<void> {
    for (let failures = 0;;) {
      try {
        while (size > PIECE && this.#at < size) {
          await this.#sendPiece(blob, Math.min(this.#at + PIECE, size), tools);
          failures = 0;
        }
        // With all of the blob, or nothing if that was sent.
        await this.#transfer("PUT", 201, {
          query: { digest },
          body: blob.read(this.#at, size, tools.buffer),
          signal: tools.signal,
        });
        tools.onProgress(size);
        return;
      } catch (error) {
        await this.#wait(error, failures++, tools);
        if (await isThere()) return;
        await this.#findPlace();
      }
    }
  }

  /** The registry forgets it. */
  async cancel(): Promise<void> {
    await cancelUpload(this.#repository, this.#location);
  }

  async #sendPiece(blob: LocalBlob, end: number, tools: SendTools): Promise<void> {
    const body = blob.read(this.#at, end, tools.buffer);
    const response = await this.#transfer("PATCH", 202, {
      headers: { "Content-Range": `${this.#at}-${end - 1}` },
      body,
      signal: tools.signal,
    });
    this.#location = locationOf(this.#repository, response);
    this.#at = end;
    tools.onProgress(end);
  }

  /** A failure that may pass is a TransportError: how much came through has to be asked first. */
  async #transfer(
    method: "PATCH" | "PUT",
    wanted: number,
    options: Pick<RequestOptions, "headers" | "query" | "body" | "signal">,
  ): Promise<Response> {
    const response = await this.#repository.requestUrl(method, () => new URL(this.#location), {
      ...options,
      headers: { "Content-Type": "application/octet-stream", ...options.headers },
      expected: [wanted, ...TRANSIENT],
      isRepeatable: false,
    });
    await response.body?.cancel();
    if (response.status === wanted) return response;
    throw new TransportError(`${method} failed: status ${response.status}`, "network");
  }

  /** Before another attempt, if ERROR is one that may pass. */
  async #wait(error: unknown, failures: number, { signal }: SendTools): Promise<void> {
    signal?.throwIfAborted();
    const { retries: { pauses }, log } = this.#repository;
    const wait = pauses[failures];
    if (!(error instanceof TransportError) || wait === undefined) throw error;
    await pause(wait, error.message, log, signal ?? this.#repository.signal);
  }

  /** Asks how much came through; where nobody knows any more, it begins anew. */
  async #findPlace(): Promise<void> {
    const response = await this.#repository.requestUrl("GET", () => new URL(this.#location), {
      expected: [204, 400, 404, 405],
    });
    await response.body?.cancel();
    const last = /^(?:bytes=)?0-(\d+)$/.exec(response.headers.get("Range") ?? "")?.[1];
    if (response.status !== 204 || (last === undefined && this.#at > 0)) {
      this.#location = await openUpload(this.#repository);
      this.#at = 0;
      return;
    }
    if (response.headers.get("Location") !== null) {
      this.#location = locationOf(this.#repository, response);
    }
    // "0-0" is what some say of nothing.
    this.#at = last === undefined || last === "0" ? 0 : Number(last) + 1;
  }
}

/** Throws a ChError unless we may write to the repository. */
export async function requirePush(repository: Repository): Promise<void> {
  await repository.ping();
  await cancelUpload(repository, await openUpload(repository));
}

async function openUpload(repository: Repository): Promise<URL> {
  const response = await repository.request("POST", "blobs/uploads/", { expected: [202] });
  await response.body?.cancel();
  return locationOf(repository, response);
}

async function cancelUpload(repository: Repository, location: URL): Promise<void> {
  try {
    const cancelled = await repository.requestUrl("DELETE", () => new URL(location), {
      expected: [200, 202, 204],
      isRepeatable: false,
    });
    await cancelled.body?.cancel();
  } catch (error) {
    // It ends by itself, too.
    if (!(error instanceof ChError)) throw error;
    repository.log.debug(`can’t cancel upload: ${error.message}`);
  }
}

function locationOf(repository: Repository, { headers }: Response): URL {
  const location = headers.get("Location");
  if (location === null) throw new ChError("registry did not say where to upload to");
  return repository.resolve(location);
}
