// What a path in the container will be, before there is a container: the image's files with the host's
// mounted over some of them. HOME depends on /root, and bare `--set-env` reads /ch/environment, which
// may be a link or come with a bind.

import { SystemError } from "../../ffi/system_error.ts";
import type { FileKind, Files } from "./host.ts";

/** A directory or file mounted at TARGET of the container. */
export interface Mount {
  readonly files: Files;
  /** Where what is mounted lies in FILES. */
  readonly source: string;
  /** Absolute and without "..". A link on the way is not looked through. */
  readonly target: string;
}

/** A file found: where it really lies. */
export interface Place {
  readonly files: Files;
  readonly path: string;
  readonly kind: FileKind;
}

const LINKS_MAX = 40;
const ELOOP = 40;

/** Finds PATH, absolute, following links as the container would. MOUNTS are in order, the first is
 * the image itself. Undefined if there is no such file. */
export function findPlace(path: string, mounts: readonly Mount[]): Place | undefined {
  let names = splitPath(path);
  const root = { mount: 0, inside: "", path: trimSlashes(mounts[0]!.source) };
  let trail: Position[] = [root];
  let kind: FileKind | undefined = "directory";

  for (let links = 0; names.length > 0;) {
    const name = names.shift()!;
    if (name === "..") {
      trail.splice(Math.max(1, trail.length - 1));
      kind = "directory";
      continue;
    }
    const before = trail.at(-1)!;
    const here = enterMounts(before, name, mounts);
    const { files } = mounts[here.mount]!;
    kind = files.lstat(here.path || "/");
    if (kind === undefined) {
      if (!isAboveMount(here, mounts)) return undefined;
      kind = "directory"; // assembling the container will have made it
    } else if (kind === "symlink" && here.mount === before.mount) {
      if (++links > LINKS_MAX) throw new SystemError("stat", path, ELOOP, "view.ts", 0);
      const target = files.readLink(here.path);
      if (target.startsWith("/")) trail = [root];
      names = [...splitPath(target), ...names];
      continue;
    } // else, if a link: it is what somebody mounts, and leads out of the container's sight
    trail.push(here);
  }
  const { mount, path: found } = trail.at(-1)!;
  return { files: mounts[mount]!.files, path: found || "/", kind };
}

/** A canonical path INSIDE the container, which mount is seen there, and PATH in that one's files. */
interface Position {
  readonly mount: number;
  readonly inside: string;
  readonly path: string;
}

/** The last mount on a place is what one sees there, if nothing was mounted above it later. */
function enterMounts(from: Position, name: string, mounts: readonly Mount[]): Position {
  const inside = `${from.inside}/${name}`;
  for (let mount = mounts.length - 1; mount > from.mount; mount--) {
    const { target, source } = mounts[mount]!;
    if (normalize(target) === inside) return { mount, inside, path: trimSlashes(source) };
  }
  return { mount: from.mount, inside, path: `${from.path}/${name}` };
}

function isAboveMount({ inside, mount }: Position, mounts: readonly Mount[]): boolean {
  return mounts.slice(mount + 1).some(({ target }) => normalize(target).startsWith(inside + "/"));
}

function trimSlashes(path: string): string {
  return path.replace(/\/+$/, "");
}

/** Without doubled, trailing slashes and "."; "" is the root. */
function normalize(path: string): string {
  return splitPath(path).map((name) => `/${name}`).join("");
}

function splitPath(path: string): string[] {
  return path.split("/").filter((name) => name !== "" && name !== ".");
}
