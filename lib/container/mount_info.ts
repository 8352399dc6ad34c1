// What is mounted where, as /proc/self/mountinfo tells (proc(5)).

import type { Host } from "./host.ts";

/** The file system that a path lies on. */
export interface MountInfo {
  readonly mountPoint: string;
  /** Such as "ext4", "nfs4". */
  readonly type: string;
  /** Of the mount: "ro", "nosuid", "noexec" … */
  readonly options: readonly string[];
}

/** The mount that PATH, canonical, lies on; undefined where /proc does not tell. */
export function findMount(path: string, host: Host): MountInfo | undefined {
  let text: string;
  try {
    text = new TextDecoder("latin1").decode(host.readFile("/proc/self/mountinfo"));
  } catch {
    return undefined; // it serves explanations alone
  }
  // The last of the longest is on top.
  return parseMountInfo(text)
    .filter(({ mountPoint }) => isBelow(path, mountPoint))
    .reduce<MountInfo | undefined>(
      (best, mount) =>
        best === undefined || mount.mountPoint.length >= best.mountPoint.length ? mount : best,
      undefined,
    );
}

/** Line by line: `ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [FIELD…] - TYPE SOURCE SUPEROPTIONS`. */
export function parseMountInfo(text: string): MountInfo[] {
  return text.split("\n").flatMap((line) => {
    const words = line.split(" ");
    const [mountPoint, options] = words.slice(4);
    const type = words[words.indexOf("-", 6) + 1];
    if (mountPoint === undefined || options === undefined || type === undefined) return [];
    return [{ mountPoint: unescape(mountPoint), type, options: options.split(",") }];
  });
}

/** Blanks, newlines and backslashes come as three octal digits. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(parseInt(digits, 8)));
}

function isBelow(path: string, directory: string): boolean {
  return directory === "/" || path === directory || path.startsWith(directory + "/");
}
