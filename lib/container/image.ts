// What kind of image the user's word IMAGE means (spec ch-run §2): an image in storage by its name, a
// directory, or a SquashFS file.

import { encodeOsString } from "../../ffi/os_string.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { ChError } from "../error.ts";
import { cannotRead, failMissing, orFail } from "./failure.ts";
import type { FileKind, Host } from "./host.ts";

export type Image =
  | { readonly type: "name"; readonly root: string }
  | { readonly type: "directory"; readonly root: string }
  | { readonly type: "squash"; readonly file: string };

export interface ImageRequest {
  /** IMAGE as given. */
  readonly image: string;
  /** Canonical path of the storage directory, which need not exist. */
  readonly storage: string;
  readonly write: boolean;
  readonly unsafe: boolean;
}

const CONVERT = "a directory or a SquashFS file runs; make one of an archive by ch-convert";
const SQUASH_MAGIC = "6873 7173"; // "hsqs"
const NAME_MAX = 255;

/** Finds the image and checks that it may be run so. NOTE is told what `-v` shows. */
export function findImage(
  request: ImageRequest,
  host: Host,
  note: (text: string) => void,
): Image {
  const named = findNamed(request, host);
  if (named !== undefined) return named;

  const path = request.image;
  const kind = orFail(
    `can't stat: ${path}`,
    () => host.stat(path) ?? failMissing("stat", path),
    `IMAGE is a name in storage (${request.storage}), a directory, or a SquashFS file; ` +
      '"ch-image list" prints the names',
  );
  if (kind === "directory") return directoryImage(request, host);

  const magic = orFail(cannotRead(path), () => host.readStart(path, 4));
  if (magic.length < 4) throw new ChError(`can't read: ${path}`, { hint: CONVERT });
  const hex = formatMagic(magic);
  note(`image file magic expected: ${SQUASH_MAGIC}; actual: ${hex}`);
  if (hex !== SQUASH_MAGIC) throw new ChError(`unknown image type: ${path}`, { hint: CONVERT });
  return { type: "squash", file: path };
}

/** NAME as storage spells it in file names. */
export function mangleName(name: string): string {
  return name.replaceAll("/", "%").replaceAll(":", "+");
}

/** PATH is DIRECTORY or lies below it; both canonical. */
export function isInside(path: string, directory: string): boolean {
  const base = directory.replace(/\/+$/, "");
  return path === base || path.startsWith(base + "/");
}

function findNamed(request: ImageRequest, host: Host): Image | undefined {
  const name = mangleName(request.image);
  // The reference looks these up in storage, too, and then fails; a name they cannot be.
  if (name === "" || name === "." || name === "..") return undefined;
  if (encodeOsString(name).length > NAME_MAX) return undefined;

  const root = `${request.storage}/img/${name}`;
  const kind = orFail(
    `can't stat: ${root}`,
    () => lookAgain(root, request.storage, host),
    "choose a storage directory that you may read with --storage or CH_IMAGE_STORAGE",
  );
  if (kind === undefined) return undefined;
  if (request.write && !request.unsafe) {
    throw new ChError("--write invalid when running by name", {
      hint:
        "use --write-fake or --overlay; or change the image by building on it; or make a copy " +
        `to write to: "ch-convert ${request.image} DIRECTORY"`,
    });
  }
  requireDirectory(root, kind);
  if (kind !== "symlink") return { type: "name", root };
  const real = orFail(`can't canonicalize: ${root}`, () => host.realPath(root));
  return { type: "name", root: real ?? root };
}

/** A link is followed; where it leads nowhere, assembling the container says so. */
function requireDirectory(root: string, kind: FileKind): void {
  if (kind === "directory" || kind === "symlink") return;
  const cause = new SystemError("stat", `${root}/dev`, 20, "image.ts", 0);
  throw new ChError(`can't stat: ${root}/dev`, { cause });
}

function directoryImage(request: ImageRequest, host: Host): Image {
  const { image } = request;
  const root = orFail(
    `can't canonicalize: ${image}`,
    () => host.realPath(image) ?? failMissing("realpath", image),
  );
  if (!request.unsafe && isInside(root, request.storage)) {
    throw new ChError("can't run directory images from storage (hint: run by name)");
  }
  return { type: "directory", root };
}

function formatMagic(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"));
  return `${hex[0]}${hex[1]} ${hex[2]}${hex[3]}`;
}

/** Where a file system cannot exchange names, an image is out of sight between two renames while another
 * takes its place. */
function lookAgain(root: string, storage: string, host: Host) {
  for (let attempt = 1;; attempt++) {
    const kind = host.lstat(root);
    if (kind !== undefined || attempt === LOOKS) return kind;
    if (host.lstat(`${storage}/imgtmp`) === undefined) return undefined;
  }
}

/** Takes a millisecond where the image is simply not there. */
const LOOKS = 200;
