// From a reference to the manifest of one image: the architecture is chosen here (spec ch-image §8).

import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { type ImageReference, mangleReference } from "../reference/reference.ts";
import type { Downloads } from "../store/downloads.ts";
import { acceptUnaware, chooseArchitecture } from "./architecture.ts";
import { type FetchedManifest, fetchManifest, versionOf } from "./fetch_manifest.ts";
import { hexOf, parsePulled, type PulledDocument, type PulledManifest } from "./manifest.ts";
import type { Repository } from "./repository.ts";

export interface ResolveRequest {
  /** Of the canonical form. */
  readonly reference: ImageReference;
  /** Names the files in the download cache. */
  readonly destination: ImageReference;
  /** As registries have it, or "yolo". */
  readonly architecture: string;
  readonly repositories: readonly Repository[];
  readonly downloads: Downloads;
  readonly log: Log;
}

export interface ResolvedManifest {
  readonly fetched: FetchedManifest;
  readonly manifest: PulledManifest;
  /** What was asked for in the end: "yolo" also where the image does not know. */
  readonly architecture: string;
}

/** Throws a ChError if there is no such image for us. */
export async function resolveManifest(request: ResolveRequest): Promise<ResolvedManifest> {
  const { architecture: wanted, downloads, log, reference } = request;
  const name = mangleReference(request.destination.text);
  const version = versionOf(reference);
  const skinny = `${name}%skinny.manifest.json`;
  if (wanted === "yolo") return await fetchAny(request, version, skinny);

  log.info("manifest list: downloading...");
  const fat = `${name}.fat.json`;
  const found = await fetchManifest(request.repositories, version, "any");
  const document = found === undefined ? ABSENT : parsePulled(found.bytes, fat);
  if (found !== undefined) downloads.write(fat, found.bytes);
  switch (document.kind) {
    case "absent":
      if (found !== undefined) log.info("manifest list: no such image");
      throw unavailable(request);
    case "manifest":
      acceptUnaware(wanted, log);
      downloads.link(skinny, fat);
      return { fetched: found!, manifest: document.manifest, architecture: "yolo" };
    case "list": {
      const { architectures } = document;
      if (architectures.size === 0) log.warning("no valid architectures found");
      const chosen = chooseArchitecture(wanted, [...architectures.keys()], log);
      const digest = architectures.get(chosen)!;
      const file = `${name}%${hexOf(digest)}.manifest.json`;
      return await fetchOne(request, digest, file, wanted);
    }
    default:
      return document satisfies never;
  }
}

const ABSENT: PulledDocument = { kind: "absent" };

async function fetchOne(
  request: ResolveRequest,
  version: string,
  file: string,
  architecture: string,
): Promise<ResolvedManifest> {
  const { fetched, document } = await fetchDocument(request, version, file);
  if (document.kind === "list") throw new ChError(`manifest: ${file}: no key: layers`);
  return { fetched, manifest: document.manifest, architecture };
}

/** Whatever the registry serves; where it insists on a list, the first entry of it for Linux. */
async function fetchAny(
  request: ResolveRequest,
  version: string,
  file: string,
): Promise<ResolvedManifest> {
  const { fetched, document } = await fetchDocument(request, version, file);
  if (document.kind === "manifest") {
    return { fetched, manifest: document.manifest, architecture: "yolo" };
  }
  const digest = [...document.architectures.values()][0];
  if (digest === undefined) throw new ChError("no valid architectures found");
  return await fetchOne(request, digest, file, "yolo");
}

/** A manifest, which is kept as FILE, or a list where the registry has nothing else. */
async function fetchDocument(
  request: ResolveRequest,
  version: string,
  file: string,
): Promise<
  { fetched: FetchedManifest; document: Exclude<PulledDocument, { readonly kind: "absent" }> }
> {
  const { log, downloads, repositories } = request;
  log.info("manifest: downloading...");
  // Registries that have only a list and are asked for none of it say 404.
  const fetched = await fetchManifest(repositories, version, "manifest") ??
    await fetchManifest(repositories, version, "any");
  if (fetched === undefined) throw unavailable(request);
  const document = parsePulled(fetched.bytes, file);
  if (document.kind === "absent") throw unavailable(request);
  if (document.kind === "manifest") downloads.write(file, fetched.bytes);
  return { fetched, document };
}

function unavailable({ reference, repositories }: ResolveRequest): ChError {
  return new ChError(
    `unauthorized or not in registry: ${reference.text}`,
    repositories.at(-1)?.isAnonymous
      ? { hint: "if your registry needs authentication, use --auth" }
      : {},
  );
}
