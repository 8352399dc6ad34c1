// Manifests as documents of a registry: fetched, verified, kept in the download cache.

import { ChError } from "../error.ts";
import { digestBytes } from "../oci/digest.ts";
import { DOCKER, OCI } from "../oci/media_type.ts";
import { reportRateLimit } from "./rate_limit.ts";
import type { Repository } from "./repository.ts";
import { readLimited } from "./response.ts";

const MANIFESTS = [DOCKER.manifest, OCI.manifest];
/** Where a choice of architectures is welcome. */
const LISTS = [DOCKER.index, OCI.index, ...MANIFESTS];

export interface FetchedManifest {
  readonly bytes: Uint8Array;
  /** Of these very bytes. */
  readonly digest: string;
  /** As the registry calls it; registries know best what they were given. */
  readonly mediaType: string | undefined;
}

/**
 * The manifest VERSION (a tag or a digest), from the first of REPOSITORIES that has it; the last of them
 * decides. Undefined if it is not there, or not for us: registries do not tell which.
 */
export async function fetchManifest(
  repositories: readonly Repository[],
  version: string,
  kind: "any" | "manifest",
): Promise<FetchedManifest | undefined> {
  for (const [index, repository] of repositories.entries()) {
    const isLast = index === repositories.length - 1;
    try {
      const found = await fetchFrom(repository, version, kind);
      if (found !== undefined || isLast) return found;
    } catch (error) {
      if (isLast || !(error instanceof ChError)) throw error;
      repository.signal?.throwIfAborted();
      repository.log.verbose(`mirror failed: ${repository.registry}: ${error.message}`);
    }
  }
  return undefined;
}

async function fetchFrom(
  repository: Repository,
  version: string,
  kind: "any" | "manifest",
): Promise<FetchedManifest | undefined> {
  const response = await repository.request("GET", `manifests/${version}`, {
    headers: { Accept: (kind === "any" ? LISTS : MANIFESTS).join(", ") },
    expected: [200, 401, 404],
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    return undefined;
  }
  reportRateLimit(response.headers, repository.log);
  const bytes = await readLimited(response, `manifest ${version}`);
  const digest = await digestBytes(bytes);
  if (version.startsWith("sha256:") && version !== digest) {
    throw new ChError("registry streamed response content is invalid", {
      cause: new ChError(`manifest ${version}: digest is ${digest}`),
    });
  }
  const mediaType = response.headers.get("Content-Type")?.split(";")[0]?.trim();
  return { bytes, digest, mediaType };
}

/** What to ask a registry for: "latest", or "sha256:…". */
export function versionOf(
  { tag, digest }: { tag?: string | undefined; digest?: string | undefined },
) {
  return digest === undefined ? tag ?? "latest" : `sha256:${digest}`;
}
