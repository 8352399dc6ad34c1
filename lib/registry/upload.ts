// Putting a blob into a repository: only if it is not there, and without sending it if the registry has
// it elsewhere (OCI distribution specification, "Pushing blobs").

import { ChError } from "../error.ts";
import type { LocalBlob } from "./local_blob.ts";
import { hexOf } from "./manifest.ts";
import type { Repository } from "./repository.ts";
import { PIECE, type SendTools, UploadSession } from "./upload_session.ts";

/** A blob that the registry may have in another of its repositories. */
export interface RemoteBlob {
  readonly digest: string;
  readonly size: number;
  /** Path of that repository; undefined if it is none of this registry's. */
  readonly from: string | undefined;
  /** The blob itself, if it has to be sent; undefined if it is not at hand. */
  readonly local: LocalBlob | undefined;
}

export type UploadResult = "present" | "mounted" | "uploaded";

export interface UploadTools extends SendTools {
  /** Called before the registry is asked for the blob. */
  onCheck(digest: string): void;
  /** Called if bytes have to be sent. */
  onStart(size: number): void;
}

/** Throws a ChError. */
export async function uploadBlob(
  repository: Repository,
  { digest, size, from, local }: RemoteBlob,
  tools: UploadTools,
): Promise<UploadResult> {
  tools.onCheck(digest);
  if (await hasBlob(repository, digest)) return "present";
  const origin = from === undefined ? undefined : { digest, from };
  const session = await UploadSession.begin(repository, origin);
  if (session === undefined) return "mounted";
  return await finish(session, repository, async () => {
    if (local === undefined) {
      throw new ChError(`layer neither in the download cache nor in the registry: ${digest}`, {
        hint: "use --single-layer, or pull the image again",
      });
    }
    tools.onStart(size);
    await session.finish(local, { digest, size }, () => hasBlob(repository, digest), tools);
    await requireBlob(repository, digest);
    return "uploaded";
  });
}

/** As {@linkcode uploadBlob}, of a blob that is still being made: it is on its way before its digest is
 * known. What the registry turns out to have was sent in vain. */
export async function uploadGrowing(
  repository: Repository,
  local: LocalBlob,
  tools: UploadTools,
): Promise<UploadResult> {
  const { size, digest } = await local.reach(PIECE);
  if (digest !== undefined) {
    return await uploadBlob(repository, { digest, size, from: undefined, local }, tools);
  }
  const session = await UploadSession.open(repository);
  return await finish(session, repository, async () => {
    const whole = await session.sendGrowing(local, tools);
    const isThere = () => hasBlob(repository, whole.digest);
    tools.onCheck(whole.digest);
    if (await isThere()) {
      await session.cancel();
      return "present";
    }
    tools.onStart(whole.size);
    await session.finish(local, whole, isThere, tools);
    await requireBlob(repository, whole.digest);
    return "uploaded";
  });
}

/** What WORK gives; if it fails, nothing of the upload is to stay with the registry. */
async function finish(
  session: UploadSession,
  { signal }: Repository,
  work: () => Promise<UploadResult>,
): Promise<UploadResult> {
  try {
    return await work();
  } catch (error) {
    if (!signal?.aborted) await session.cancel();
    throw error;
  }
}

async function requireBlob(repository: Repository, digest: string): Promise<void> {
  if (await hasBlob(repository, digest)) return;
  throw new ChError(`blob just uploaded does not exist: ${hexOf(digest).slice(0, 7)}`);
}

async function hasBlob(repository: Repository, digest: string): Promise<boolean> {
  const response = await repository.request("HEAD", `blobs/${digest}`, {
    expected: [200, 401, 404],
  });
  await response.body?.cancel();
  return response.status === 200;
}
