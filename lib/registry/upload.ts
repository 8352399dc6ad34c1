// Putting a blob into a repository: only if it is not there, without sending it if the registry has it
// elsewhere, and else in pieces, going on where a connection broke (OCI distribution specification,
// "Pushing blobs").

import { ChError } from "../error.ts";
import { hexOf } from "./manifest.ts";
import type { Repository, RequestOptions } from "./repository.ts";
import { pause, TRANSIENT } from "./retry.ts";
import { TransportError } from "./transport.ts";

/** A blob at hand. */
export interface LocalBlob {
  readonly digest: string;
  readonly size: number;
  /** Bytes START to END, in BUFFER, which has room for them. */
  read(start: number, end: number, buffer: Uint8Array<ArrayBuffer>): Uint8Array;
}

/** A blob that the registry may have in another of its repositories. */
export interface RemoteBlob {
  readonly digest: string;
  readonly size: number;
  /** Path of that repository; undefined if it is none of this registry's. */
  readonly from: string | undefined;
  /** The blob itself, if it has to be sent; undefined if it is not at hand. */
  readonly local: LocalBlob | undefined;
}

/** What goes in one request; what is not larger goes in one in any case. */
export const PIECE = 8 << 20;

export type UploadResult = "present" | "mounted" | "uploaded";

export interface UploadTools {
  /** Of PIECE bytes, for one blob at a time: left to the garbage collector, pieces pile up. */
  readonly buffer: Uint8Array<ArrayBuffer>;
  /** Called if bytes have to be sent. */
  onStart(): void;
  /** Called with how many were. */
  onProgress(bytes: number): void;
}

/** Throws a ChError. */
export async function uploadBlob(
  repository: Repository,
  blob: RemoteBlob,
  tools: UploadTools,
): Promise<UploadResult> {
  if (await hasBlob(repository, blob.digest)) return "present";
  const location = await beginUpload(repository, blob);
  if (location === undefined) return "mounted";
  if (blob.local === undefined) {
    await cancel(repository, location);
    throw new ChError(`layer neither in the download cache nor in the registry: ${blob.digest}`, {
      hint: "use --single-layer, or pull the image again",
    });
  }
  tools.onStart();
  const upload = { location };
  try {
    await send(repository, blob.local, upload, tools);
  } catch (error) {
    // Nothing of it is to stay with the registry.
    if (!repository.signal?.aborted) await cancel(repository, upload.location);
    throw error;
  }
  if (await hasBlob(repository, blob.digest)) return "uploaded";
  throw new ChError(`blob just uploaded does not exist: ${hexOf(blob.digest).slice(0, 7)}`);
}

/** Throws a ChError unless we may write to the repository. */
export async function requirePush(repository: Repository): Promise<void> {
  await repository.ping();
  const response = await repository.request("POST", "blobs/uploads/", { expected: [202] });
  await response.body?.cancel();
  const location = response.headers.get("Location");
  if (location !== null) await cancel(repository, repository.resolve(location));
}

async function cancel(repository: Repository, location: URL): Promise<void> {
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

async function hasBlob(repository: Repository, digest: string): Promise<boolean> {
  const response = await repository.request("HEAD", `blobs/${digest}`, {
    expected: [200, 401, 404],
  });
  await response.body?.cancel();
  return response.status === 200;
}

/** Where to send the blob; undefined if that is not needed any more. */
async function beginUpload(
  repository: Repository,
  { digest, from }: RemoteBlob,
): Promise<URL | undefined> {
  if (from !== undefined && from !== repository.path) {
    // Whatever it has against that, the usual way remains.
    const mounted = await repository.request("POST", "blobs/uploads/", {
      query: { mount: digest, from },
      expected: [201, 202, 401, 403, 404, 405],
    });
    await mounted.body?.cancel();
    if (mounted.status === 201) return undefined;
    if (mounted.status === 202) return locationOf(repository, mounted);
  }
  const response = await repository.request("POST", "blobs/uploads/", { expected: [202] });
  await response.body?.cancel();
  return locationOf(repository, response);
}

function locationOf(repository: Repository, { headers }: Response): URL {
  const location = headers.get("Location");
  if (location === null) throw new ChError("registry did not say where to upload to");
  return repository.resolve(location);
}

async function send(
  repository: Repository,
  blob: LocalBlob,
  /** Where it goes on changes with each piece. */
  upload: { location: URL },
  tools: UploadTools,
): Promise<void> {
  let at = 0;
  const { pauses } = repository.retries;
  for (let failures = 0;;) {
    try {
      while (blob.size > PIECE && at < blob.size) {
        const end = Math.min(at + PIECE, blob.size);
        const body = blob.read(at, end, tools.buffer);
        upload.location = await sendPiece(repository, body, upload.location, at);
        tools.onProgress(end - at);
        at = end;
        failures = 0;
      }
      // With all of the blob, or nothing if that was sent.
      await transfer(repository, "PUT", upload.location, 201, {
        query: { digest: blob.digest },
        body: blob.read(at, blob.size, tools.buffer),
      });
      tools.onProgress(blob.size - at);
      return;
    } catch (error) {
      const wait = pauses[failures++];
      if (!(error instanceof TransportError) || wait === undefined) throw error;
      await pause(wait, error.message, repository.log, repository.signal);
      if (await hasBlob(repository, blob.digest)) return;
      ({ location: upload.location, at } = await findPlace(repository, upload.location, at));
    }
  }
}

async function sendPiece(
  repository: Repository,
  body: Uint8Array,
  location: URL,
  start: number,
): Promise<URL> {
  const response = await transfer(repository, "PATCH", location, 202, {
    headers: { "Content-Range": `${start}-${start + body.length - 1}` },
    body,
  });
  return locationOf(repository, response);
}

/** A failure that may pass is a TransportError: how much came through has to be asked first. */
async function transfer(
  repository: Repository,
  method: "PATCH" | "PUT",
  location: URL,
  wanted: number,
  options: Pick<RequestOptions, "headers" | "query" | "body">,
): Promise<Response> {
  const response = await repository.requestUrl(method, () => new URL(location), {
    ...options,
    headers: { "Content-Type": "application/octet-stream", ...options.headers },
    expected: [wanted, ...TRANSIENT],
    isRepeatable: false,
  });
  await response.body?.cancel();
  if (response.status === wanted) return response;
  throw new TransportError(`${method} failed: status ${response.status}`, "network");
}

/** Asks how much of an upload came through; where nobody knows any more, it begins anew. */
async function findPlace(
  repository: Repository,
  location: URL,
  at: number,
): Promise<{ location: URL; at: number }> {
  const response = await repository.requestUrl("GET", () => new URL(location), {
    expected: [204, 400, 404, 405],
  });
  await response.body?.cancel();
  const last = /^(?:bytes=)?0-(\d+)$/.exec(response.headers.get("Range") ?? "")?.[1];
  if (response.status !== 204 || (last === undefined && at > 0)) {
    const again = await repository.request("POST", "blobs/uploads/", { expected: [202] });
    await again.body?.cancel();
    return { location: locationOf(repository, again), at: 0 };
  }
  const next = response.headers.get("Location") === null
    ? location
    : locationOf(repository, response);
  // "0-0" is what some say of nothing.
  const received = last === undefined || last === "0" ? 0 : Number(last) + 1;
  return { location: next, at: received };
}
