// `--overlay DIR`: a layer over the image that stays. DIR is the user's; in it are
//
//     upper/  what differs from the image
//     work/   overlayfs' own
//     image   which image the layer was made with, one line "TYPE ID PATH"; locked while in use

import type { Step } from "../../ffi/plan.ts";
import { decodeOsString, encodeOsString } from "../../ffi/os_string.ts";
import { ChError } from "../error.ts";
import { orFail } from "./failure.ts";
import type { Host } from "./host.ts";
import { isInside } from "./image.ts";
import { findMount } from "./mount_info.ts";
import type { PlanImage } from "./plan_image.ts";
import { readSquashIdentity } from "./squash_identity.ts";

export interface KeptOverlay {
  /** Before the namespaces. */
  readonly first: readonly Step[];
  readonly overlay: Step;
  /** What the user should know before it is used; empty if there is nothing. */
  readonly warning: string;
}

/** The steps that put DIR, as given, over IMAGE. Throws a ChError if it cannot serve. */
export function planKeptOverlay(dir: string, image: PlanImage, host: Host): KeptOverlay {
  if (dir === "") throw new ChError("--overlay: directory can't be empty string");
  const { path, exists } = locate(dir, host);
  if (image.type === "directory") refuseEntangled(path, image.root);
  refuseFileSystem(path, host);

  const file = `${path}/image`;
  const identity = identifyImage(image, host);
  const first: Step[] = exists ? [] : [{ op: "directory", path, mode: 0o755 }];
  first.push({ op: "hold", file, content: encodeOsString(`${identity}\n`), name: dir });
  const other = exists ? findOtherImage(file, identity, host) : undefined;
  return {
    first,
    overlay: { op: "overlay", directory: path },
    warning: other === undefined ? "" : `overlay was made with another image: ${dir}: ${other}`,
  };
}

/** The canonical path; only the last component may be missing. */
function locate(dir: string, host: Host): { readonly path: string; readonly exists: boolean } {
  const kind = orFail(`can't stat: ${dir}`, () => host.stat(dir));
  if (kind !== undefined && kind !== "directory") {
    throw new ChError(`--overlay: not a directory: ${dir}`);
  }
  const canonicalize = (path: string) =>
    orFail(`can't canonicalize: ${path}`, () => host.realPath(path));
  const path = canonicalize(dir);
  if (path !== undefined) return { path, exists: true };

  const [, parent = "", name = ""] = /^(.*?)([^/]+)\/*$/s.exec(dir) ?? [];
  const base = canonicalize(parent || ".");
  if (base === undefined) {
    throw new ChError(`--overlay: no such directory: ${parent}`, {
      hint: "only the last component of --overlay is made if it is missing",
    });
  }
  return { path: `${base === "/" ? "" : base}/${name}`, exists: false };
}

function refuseEntangled(path: string, root: string): void {
  if (isInside(path, root)) {
    throw new ChError(`--overlay: inside the image: ${path}`, {
      hint: "use a directory outside of it",
    });
  }
  if (isInside(root, `${path}/upper`) || isInside(root, `${path}/work`)) {
    throw new ChError(`--overlay: the image lies in it: ${root}`);
  }
}

/** What the kernel refuses, or would serve badly, as an upper layer: mostly network file systems. */
const UNFIT =
  /^(nfs4?|lustre|gpfs|beegfs|panfs|cifs|smb3|ceph|afs|9p|fuse(\..*)?|fuseblk|virtiofs|vfat|msdos|exfat|ntfs3?|squashfs|iso9660|erofs)$/;

function refuseFileSystem(path: string, host: Host): void {
  const mount = findMount(path, host);
  if (mount === undefined || !UNFIT.test(mount.type)) return;
  throw new ChError(`can't use for an overlay, file system is ${mount.type}: ${path}`, {
    hint: "use a directory on a local file system: ext4, xfs, btrfs or tmpfs",
  });
}

/** `TYPE ID PATH`. The path is for people: a moved image is the same. */
function identifyImage(image: PlanImage, host: Host): string {
  if (image.type === "directory") {
    const id = orFail(`can't stat: ${image.root}`, () => host.readIdentity(image.root));
    return `directory ${id} ${image.root}`;
  }
  const path = host.realPath(image.file) ?? image.file;
  return `squashfs ${readSquashIdentity(image.file, host)} ${path}`;
}

/** Path of the image that the layer was made with, if that is not this one. */
function findOtherImage(file: string, identity: string, host: Host): string | undefined {
  const kind = orFail(`can't stat: ${file}`, () => host.lstat(file));
  if (kind === undefined) return undefined;
  if (kind !== "file") throw new ChError(`--overlay: not a file: ${file}`);
  const text = decodeOsString(orFail(`can't open: ${file}`, () => host.readFile(file)));
  const record = text.replace(/\n$/, "");
  const [, was = "", path = ""] = /^(\S+ \S+) (.*)$/s.exec(record) ?? [];
  return record === "" || identity.startsWith(`${was} `) ? undefined : path;
}
