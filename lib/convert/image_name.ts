// Descriptors of formats that hold several images in one file or directory: PATH or PATH:NAME. Pure but
// for the question whether something is there.

/** An image, and what it is in. */
export interface NamedImage {
  readonly path: string;
  readonly name: string | undefined;
}

/** What is there as a whole has no name in it; else the first colon behind the path's first letter ends it. */
export function splitImageName(
  descriptor: string,
  isThere: (path: string) => boolean = () => false,
): NamedImage {
  const colon = descriptor.indexOf(":", 1);
  if (colon < 0 || isThere(descriptor)) return { path: descriptor, name: undefined };
  return { path: descriptor.slice(0, colon), name: descriptor.slice(colon + 1) || undefined };
}
