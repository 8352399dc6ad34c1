// What the parts of an image are called: by OCI (image specification, media-types.md) and, alike in
// all but name, by Docker (distribution, "Image Manifest V 2, Schema 2").

export const OCI = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
  layerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  layerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
} as const;

export const DOCKER = {
  index: "application/vnd.docker.distribution.manifest.list.v2+json",
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar",
  layerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
} as const;

/** What a registry should be asked for, best first. */
export const DOCUMENT_TYPES: readonly string[] = [
  OCI.index,
  OCI.manifest,
  DOCKER.index,
  DOCKER.manifest,
];

export function isIndexType(mediaType: string): boolean {
  return mediaType === OCI.index || mediaType === DOCKER.index;
}

export function isManifestType(mediaType: string): boolean {
  return mediaType === OCI.manifest || mediaType === DOCKER.manifest;
}

/** Docker's first format, given up in 2019: its layers have no sizes and its signature is of its own. */
export function isSchema1Type(mediaType: string): boolean {
  return /^application\/vnd\.docker\.distribution\.manifest\.v1\+(json|prettyjws)$/.test(mediaType);
}

/** Also layers that may not be passed on; how they are compressed is told by their data. */
export function isLayerType(mediaType: string): boolean {
  return LAYER_TYPE.test(mediaType);
}

/** What OCI calls a layer that MEDIA_TYPE, of a layer, is. */
export function toOciLayerType(mediaType: string): string {
  const [, foreign, compressor] = DOCKER_LAYER.exec(mediaType) ?? [];
  if (compressor === undefined) return mediaType;
  const kind = foreign === undefined ? "" : "nondistributable.";
  return `application/vnd.oci.image.layer.${kind}v1.tar${compressor.replace(".", "+")}`;
}

const DOCKER_LAYER =
  /^application\/vnd\.docker\.image\.rootfs\.(foreign\.)?diff\.tar((?:\.gzip|\.zstd)?)$/;
const LAYER_TYPE =
  /^application\/vnd\.(oci\.image\.layer\.(nondistributable\.)?v1\.tar(\+gzip|\+zstd)?|docker\.image\.rootfs\.(foreign\.)?diff\.tar(\.gzip|\.zstd)?)$/;
