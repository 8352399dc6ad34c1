import assert from "node:assert/strict";
import { toOciLayerType } from "../../../lib/oci/media_type.ts";

Deno.test("toOciLayerType() translates what Docker calls layers, and nothing else", () => {
  const docker = "application/vnd.docker.image.rootfs.";
  const oci = "application/vnd.oci.image.layer.";
  for (
    const [type, expected] of [
      [`${docker}diff.tar`, `${oci}v1.tar`],
      [`${docker}diff.tar.gzip`, `${oci}v1.tar+gzip`],
      [`${docker}diff.tar.zstd`, `${oci}v1.tar+zstd`],
      [`${docker}foreign.diff.tar.gzip`, `${oci}nondistributable.v1.tar+gzip`],
      [`${oci}v1.tar+gzip`, `${oci}v1.tar+gzip`],
      [`${docker}diff.tar.lz4`, `${docker}diff.tar.lz4`],
    ] as const
  ) {
    assert.equal(toOciLayerType(type), expected);
  }
});
