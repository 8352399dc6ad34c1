// The files of an image with a layer over it, as overlayfs merges them (kernel's
// Documentation/filesystems/overlayfs.rst), to look into while planning.

import type { FileKind, Files, Host } from "./host.ts";

/** LOWER below LOWERROOT with the host's directory UPPER over it; paths are absolute in the container. */
export function overlayFiles(upper: string, lower: Files, lowerRoot: string, host: Host): Files {
  const find = (path: string) => findLayer(path, upper, lower, lowerRoot, host);
  return {
    lstat: (path) => find(path)?.kind,
    readLink: (path) => {
      const found = find(path);
      return (found?.files ?? lower).readLink(found?.path ?? `${lowerRoot}${path}`);
    },
    readFile: (path) => {
      const found = find(path);
      return (found?.files ?? lower).readFile(found?.path ?? `${lowerRoot}${path}`);
    },
  };
}

interface Found {
  readonly files: Files;
  readonly path: string;
  readonly kind: FileKind;
}

/** Which layer has PATH; undefined if the merged tree does not. */
function findLayer(
  path: string,
  upper: string,
  lower: Files,
  lowerRoot: string,
  host: Host,
): Found | undefined {
  const names = path.split("/").filter((name) => name !== "");
  let at = upper;
  let isLowerHidden = false;
  for (const [index, name] of names.entries()) {
    at += `/${name}`;
    const kind = host.imageFiles.lstat(at);
    if (kind === "char") return undefined; // a whiteout: nobody can make a device here
    if (kind === undefined) {
      if (isLowerHidden) return undefined;
      const found = `${lowerRoot}/${names.join("/")}`;
      const lowerKind = lower.lstat(found);
      return lowerKind && { files: lower, path: found, kind: lowerKind };
    }
    if (index === names.length - 1) return { files: host.imageFiles, path: at, kind };
    if (kind !== "directory") return undefined;
    isLowerHidden ||= host.isOpaque(at);
  }
  return { files: lower, path: lowerRoot || "/", kind: "directory" };
}
