// What the container needs in the root file system that Buildah made. Upstream also replaced programs that need
// privilege by /bin/true, and the user database; here root emulation makes the former succeed, and what is
// there already stays.

import { findEntry, openRoot, resolveInRoot } from "../../ffi/tree.ts";
import { makeDirectories, putFile } from "../../ffi/tree_change.ts";

const PASSWD = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n";
const GROUP = "root:x:0:\nnogroup:x:65534:\n";

/** Mount points of ch-run, and files that programs take for granted; each only if it is missing. */
export function prepareRootfs(path: string): void {
  using root = openRoot(path);
  for (const directory of ["/ch/bin", "/dev", "/proc", "/sys", "/tmp", "/etc"]) {
    makeDirectories(root.fd, directory, directory === "/tmp" ? 0o1777 : 0o755);
  }
  const files = { hosts: "", "resolv.conf": "", passwd: PASSWD, group: GROUP };
  for (const [name, text] of Object.entries(files)) {
    const { path, isThere } = resolveInRoot(root.fd, `/etc/${name}`, { missing: "allow" });
    if (isThere || findEntry(root.fd, path) !== undefined) continue;
    const directory = path.split("/").slice(0, -1).join("/");
    makeDirectories(root.fd, `/${directory}`, 0o755);
    const now = { mtime: Math.floor(Date.now() / 1000), mtimeNsec: 0 };
    putFile(root.fd, path, new TextEncoder().encode(text), 0o644, now);
  }
}
