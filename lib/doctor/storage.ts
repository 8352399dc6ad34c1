// The file system that images in storage lie on: not everything works on all of them, which only trying tells.

import { openRoot } from "../../ffi/tree.ts";
import { removeTree, setXattr } from "../../ffi/tree_change.ts";
import { spawnInit } from "../../ffi/process.ts";
import { isSystemError, SystemError } from "../../ffi/system_error.ts";
import { probeOverlay } from "../build/overlay_probe.ts";
import { findMount } from "../container/mount_info.ts";
import { UPLOADS } from "../store/layout.ts";
import { absent, type Finding, lacks, works } from "./finding.ts";
import type { DoctorHost } from "./host.ts";

/** Shared over a network: slow with small files, and none of them takes overlays of ordinary users. */
const NETWORKED = [
  "nfs",
  "nfs4",
  "lustre",
  "gpfs",
  "beegfs",
  "ceph",
  "panfs",
  "cifs",
  "afs",
  "fuse.sshfs",
];
const ELSEWHERE = "put the storage directory on a local disk: CH_IMAGE_STORAGE=/var/tmp/$USER.ch";

/** STORAGE need not exist: what it would be in is looked at then. A directory is made there for a moment, not
 * among the files that ch-image knows and counts. */
export async function examineStorage(storage: string, host: DoctorHost): Promise<Finding[]> {
  const above = storage.replace(/\/*[^/]+\/*$/, "") || "/";
  const directory = [`${storage}/${UPLOADS}`, above].map((path) => host.realPath(path))
    .find((path) => path !== undefined);
  const purpose = "images in storage";
  if (directory === undefined) {
    const remedy = "make the directory above it, or set CH_IMAGE_STORAGE";
    return [
      lacks("file-system", purpose, `there is no ${storage}, nor what should hold it`, remedy),
    ];
  }
  const type = findMount(directory, host)?.type ?? "unknown";
  const kind = NETWORKED.includes(type)
    ? lacks("file-system", purpose, `${directory} is on ${type}, a network file system`, ELSEWHERE)
    : works("file-system", purpose, `${directory} is on ${type}`);
  return [kind, ...await tryStorage(directory, host)];
}

const OVERLAY = "quick builds", XATTRS = "--xattrs, overlays";

async function tryStorage(directory: string, host: DoctorHost): Promise<Finding[]> {
  const name = `.ch-doctor.${crypto.randomUUID()}`;
  try {
    Deno.mkdirSync(`${directory}/${name}`, { mode: 0o700 });
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/:.*/s, "") : String(error);
    return [lacks("build-overlay", OVERLAY, `can't write to ${directory}: ${reason}`, ELSEWHERE)];
  }
  using parent = openRoot(directory);
  try {
    const xattrs = tryXattr(`${directory}/${name}`);
    const tools = { host, spawn: spawnInit, signal: new AbortController().signal };
    const isAble = await probeOverlay(`${directory}/${name}`, tools);
    const overlay = isAble ? works("build-overlay", OVERLAY, "RUN works in an overlay") : absent(
      "build-overlay",
      OVERLAY,
      `none here: RUN works on a copy of the image; it needs Linux 5.11, and a file system that ` +
        `carries overlays: ${ELSEWHERE}`,
    );
    return [overlay, xattrs];
  } finally {
    removeTree(parent.fd, name);
  }
}

function tryXattr(directory: string): Finding {
  using opened = openRoot(directory);
  try {
    setXattr(opened.fd, "", "user.ch-doctor", new Uint8Array([1]));
    return works("user-xattrs", XATTRS, "extended attributes of users work");
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    if (!isSystemError(error, "EOPNOTSUPP", "EPERM")) throw error;
    return absent("user-xattrs", XATTRS, `none here; ${ELSEWHERE}`);
  }
}
