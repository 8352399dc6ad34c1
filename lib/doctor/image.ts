// An image: whether it can run here, and what of the host fits into it.

import type { Files } from "../container/host.ts";
import { findPlace } from "../container/view.ts";
import { type ElfSource, readElfKind } from "../elf/elf.ts";
import { isSameKind } from "../elf/same_kind.ts";
import { readLinkFacts } from "../elf/versions.ts";
import { ChError } from "../error.ts";
import { SystemError } from "../../ffi/system_error.ts";
import { absent, type Finding, lacks, works } from "./finding.ts";

/** An image's tree. */
export interface ImageFiles {
  readonly files: Files;
  /** Its root in FILES. */
  readonly root: string;
}

const C_LIBRARIES = [
  ...["/lib64/libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib64/libc.so.6"],
  ...["/lib/aarch64-linux-gnu/libc.so.6", "/lib/libc.so.6"],
];
const PROGRAMS = ["/bin/sh", "/bin/busybox", "/usr/bin/env", ...C_LIBRARIES];
const HOST: ImageFiles["root"] = "/";

/** HOST_FILES: those of the machine. */
export function examineImage(image: ImageFiles, hostFiles: Files): Finding[] {
  const ours = findLibrary({ files: hostFiles, root: HOST }), theirs = findLibrary(image);
  return [
    examineMountPoints(image),
    examineProcessor(image, hostFiles),
    examineLibrary(ours, theirs),
    examineInjection(image),
  ];
}

function examineMountPoints(image: ImageFiles): Finding {
  const purpose = "running the image";
  const missing = ["/dev", "/proc", "/sys", "/tmp"].filter((path) =>
    kindAt(image, path) !== "directory"
  );
  const files = ["/etc/passwd", "/etc/group"].filter((path) => kindAt(image, path) !== "file");
  if (missing.length + files.length === 0) {
    return works("image-mounts", purpose, "has all mount points");
  }
  return lacks(
    "image-mounts",
    purpose,
    `it has no ${[...missing, ...files].join(", ")}, which ch-run mounts on`,
    "make them in its Dockerfile; ch-run --no-passwd does without the two files in /etc",
  );
}

function examineProcessor(image: ImageFiles, hostFiles: Files): Finding {
  const purpose = "programs for this processor";
  const theirs = findFacts(image, PROGRAMS, readElfKind);
  const ours = findFacts({ files: hostFiles, root: HOST }, PROGRAMS, readElfKind);
  if (theirs === undefined || ours === undefined) {
    return absent("image-cpu", purpose, "no program that would tell");
  }
  const name = MACHINES[theirs.machine] ?? `ELF machine ${theirs.machine}`;
  if (isSameKind(theirs, ours)) return works("image-cpu", purpose, name);
  return lacks(
    "image-cpu",
    purpose,
    `the image is for ${name}, this machine is ${MACHINES[ours.machine] ?? "another"}`,
    "pull the image for this one (ch-image pull --arch=host), or install qemu-user-static with binfmt",
  );
}

const MACHINES: Readonly<Record<number, string>> = {
  3: "x86",
  21: "ppc64",
  22: "s390x",
  40: "arm",
  62: "x86-64",
  183: "aarch64",
  243: "riscv",
};

function examineLibrary(ours: string | undefined, theirs: string | undefined): Finding {
  const purpose = "host programs and drivers inside (ch-fromhost)";
  if (ours === undefined || theirs === undefined) {
    return absent(
      "image-glibc",
      purpose,
      theirs === undefined ? "the image has no glibc" : "the host has none",
    );
  }
  const detail = `image ${theirs}, host ${ours}`;
  if (theirs.localeCompare(ours, "en", { numeric: true }) >= 0) {
    return works("image-glibc", purpose, detail);
  }
  return lacks(
    "image-glibc",
    purpose,
    `${detail}: what was built for the host's may want newer symbols`,
    "ch-fromhost warns of what does not fit; build the image on a newer distribution then",
  );
}

function examineInjection(image: ImageFiles): Finding {
  const purpose = "ch-fromhost of libraries";
  if (kindAt(image, "/sbin/ldconfig") !== undefined) {
    return works("image-ldconfig", purpose, "has ldconfig");
  }
  return absent(
    "image-ldconfig",
    purpose,
    "no /sbin/ldconfig: bind libraries and set LD_LIBRARY_PATH instead",
  );
}

/** Version of the C library, e.g. "2.36". */
function findLibrary(image: ImageFiles): string | undefined {
  const facts = findFacts(image, C_LIBRARIES, readLinkFacts);
  const versions = [...facts?.provided ?? []].flatMap((name) =>
    /^GLIBC_([0-9.]+)$/.exec(name)?.[1] ?? []
  );
  return versions.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1);
}

/** What READ tells of the first of PATHS that is a program or library. */
function findFacts<T>(
  image: ImageFiles,
  paths: readonly string[],
  read: (source: ElfSource) => T | undefined,
): T | undefined {
  for (const path of paths) {
    const bytes = quietly(() => {
      const place = findPlace(path, [{ files: image.files, source: image.root, target: "/" }]);
      return place?.kind === "file" ? place.files.readFile(place.path) : undefined;
    });
    const facts = bytes &&
      quietly(() =>
        read({ size: bytes.length, read: (at, length) => bytes.subarray(at, at + length) })
      );
    if (facts !== undefined) return facts;
  }
  return undefined;
}

function kindAt({ files, root }: ImageFiles, path: string): string | undefined {
  return quietly(() => findPlace(path, [{ files, source: root, target: "/" }])?.kind);
}

/** A broken image has no more to tell than that. */
function quietly<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof ChError || error instanceof SystemError) return undefined;
    throw error;
  }
}
