// Where an image may be instead of a registry: in an OCI layout, a directory or an archive of one.

import { splitImageName } from "../convert/image_name.ts";
import { findFileType } from "../convert/file_type.ts";
import type { Log } from "../log/log.ts";

export interface LayoutPlace {
  readonly kind: "oci" | "oci-archive";
  readonly path: string;
  /** Of the image in it; undefined if it need not be told. */
  readonly name: string | undefined;
  /** As the user has it. */
  readonly text: string;
}

/**
 * `oci:PATH[:NAME]` or `oci-archive:PATH[:NAME]`, with a slash in it: without one it is a reference to
 * an image called "oci". Undefined for everything else.
 */
export function parseLayoutPlace(text: string): LayoutPlace | undefined {
  const [, kind, rest] = /^(oci|oci-archive):(.*\/.*)$/s.exec(text) ?? [];
  if (kind === undefined) return undefined;
  const { path, name } = splitImageName(
    rest!,
    (path) => findFileType(path, "follow") !== undefined,
  );
  return { kind: kind as LayoutPlace["kind"], path, name, text };
}

/** Warns of TEXT if it is a reference that was most likely meant to be a layout. */
export function warnOfLayout(text: string, log: Log): void {
  const [, kind, rest] = /^(oci|oci-archive):([^/]*)$/s.exec(text) ?? [];
  if (kind === undefined) return;
  log.warning(
    `${text} is an image called ${kind}`,
    `a layout’s path has a slash in it, as in ${kind}:./${rest}`,
  );
}
