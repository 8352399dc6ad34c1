// What is known of an image, here and in its registry (spec ch-image §14.5).

import type { Log } from "../log/log.ts";
import { canonicalizeReference } from "../reference/canonical.ts";
import type { ImageReference } from "../reference/reference.ts";
import { fetchManifest, versionOf } from "./fetch_manifest.ts";
import { type Architectures, hexOf, parsePulled } from "./manifest.ts";
import type { PullSettings } from "./pull.ts";
import { Repositories } from "./repositories.ts";

/** What a registry has under a reference. */
export type RemoteDetails =
  | { readonly kind: "absent" }
  /** One image, that does not say for which architecture. */
  | { readonly kind: "unaware" }
  | { readonly kind: "list"; readonly architectures: Architectures };

export interface ImageDetails {
  /** The reference with all defaults filled in. */
  readonly canonical: string;
  readonly remote: RemoteDetails;
}

/** Asks the registry. Throws a ChError if it cannot be reached. */
export async function findDetails(
  reference: ImageReference,
  settings: PullSettings,
): Promise<ImageDetails> {
  const canonical = canonicalizeReference(reference, settings.defaults);
  using repositories = new Repositories(canonical, settings.registry, settings.mirrors);
  const found = await fetchManifest(repositories.all, versionOf(canonical), "any");
  const remote = found === undefined
    ? { kind: "absent" } as const
    : toDetails(found.bytes, canonical.text);
  return { canonical: canonical.text, remote };
}

function toDetails(bytes: Uint8Array, name: string): RemoteDetails {
  const document = parsePulled(bytes, name);
  switch (document.kind) {
    case "absent":
      return { kind: "absent" };
    case "manifest":
      return { kind: "unaware" };
    case "list":
      return { kind: "list", architectures: document.architectures };
    default:
      return document satisfies never;
  }
}

/** The last three lines' values. */
export function describeRemote(remote: RemoteDetails, log: Log): {
  readonly available: string;
  readonly aware: string;
  readonly architectures: readonly string[];
} {
  switch (remote.kind) {
    case "absent":
      return {
        available: "no (or you are not authorized)",
        aware: "n/a",
        architectures: ["n/a"],
      };
    case "unaware":
      return { available: "yes", aware: "no", architectures: ["unknown"] };
    case "list":
      return {
        available: "yes",
        aware: "yes",
        architectures: listArchitectures(remote.architectures, log),
      };
    default:
      return remote satisfies never;
  }
}

const DIGITS = 11;

function listArchitectures(architectures: Architectures, log: Log): readonly string[] {
  if (architectures.size === 0) {
    log.warning("no valid architectures found");
    return ["None"];
  }
  const width = Math.max(...[...architectures.keys()].map((name) => name.length));
  return [...architectures].sort(([a], [b]) => a < b ? -1 : 1)
    .map(([name, digest]) => `${name.padEnd(width)}  ${hexOf(digest).slice(0, DIGITS)}`);
}
