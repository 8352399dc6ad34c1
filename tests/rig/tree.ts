// Small file trees: what tests put into a directory, and busybox as an image.

import { ask } from "./host.ts";

/** What a file of a tree is: text of a regular file, or one of these. "NAME/" is a directory. */
export type TreeFile =
  | string
  | { readonly link: string }
  | { readonly content: string | Uint8Array; readonly mode: number };
export type Tree = Readonly<Record<string, TreeFile>>;

/** Makes FILE at PATH, and the directories above. */
export function makeFile(path: string, file: TreeFile): void {
  if (path.endsWith("/")) {
    Deno.mkdirSync(path, { recursive: true });
    return;
  }
  Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
  if (typeof file === "string") {
    Deno.writeTextFileSync(path, file);
  } else if ("link" in file) {
    Deno.symlinkSync(file.link, path);
  } else {
    const { content, mode } = file;
    Deno.writeFileSync(
      path,
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    );
    Deno.chmodSync(path, mode);
  }
}

/** Busybox has five times as many; these are used. */
const APPLETS = (
  "[ awk basename cat chmod chown chroot cmp cp cut date dd df du echo env expr false find grep head id " +
  "kill ln ls md5sum mkdir mkfifo mknod mount mv nice od printf ps pwd readlink rm rmdir sed seq sh " +
  "sleep sort stat tail tee test touch tr true umount uname wc xargs"
).split(" ");

let busybox: Tree | undefined;

/** Busybox under all its names, and the mount points that ch-run needs. */
export function busyboxTree(): Tree {
  if (busybox === undefined) {
    busybox = {
      "bin/busybox": {
        content: Deno.readFileSync(ask("sh", "-c", "command -v busybox")),
        mode: 0o755,
      },
      ...Object.fromEntries(APPLETS.map((name) => [`bin/${name}`, { link: "busybox" }])),
      ...Object.fromEntries(
        ["dev", "proc", "sys", "tmp", "usr", "mnt/0", "mnt/1", "mnt/2", "root"]
          .map((name) => [`${name}/`, ""]),
      ),
      "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nimage:x:4242:4242::/:/bin/sh\n",
      "etc/group": "root:x:0:\n",
      "etc/hosts": "",
      "etc/resolv.conf": "",
    };
  }
  return busybox;
}
