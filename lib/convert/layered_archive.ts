// Archives that hold an image in layers, as `docker save` and OCI tools make them. Unpacked as they are
// they would give a directory of tarballs, so they are refused (spec ch-convert §6.3).

import { displayOsString } from "../../ffi/os_string.ts";
import { ChError } from "../error.ts";
import type { Source } from "../layer/entry.ts";
import { normalizePath } from "../layer/member_path.ts";

/** Throws a ChError as soon as the names in SOURCE show that it is such an archive. */
export async function* refuseLayeredArchive(source: Source, archive: string): Source {
  let hasManifest = false, hasLayers = false;
  for await (const entry of source) {
    const path = normalizePath(entry.path);
    hasManifest ||= path === "manifest.json" || path === "oci-layout";
    hasLayers ||= path === "repositories" || /^[0-9a-f]{64}\/layer\.tar$/.test(path) ||
      path === "index.json" || path.startsWith("blobs/sha256");
    if (hasManifest && hasLayers) {
      throw new ChError(`archive of image layers, not of one tree: ${displayOsString(archive)}`, {
        hint:
          "say “-i docker-archive” if docker save or podman save made it, else “-i oci-archive”",
      });
    }
    yield entry;
  }
}
