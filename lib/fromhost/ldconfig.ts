// What the image's ldconfig(8) says: `ldconfig -Nv` prints each directory of libraries on a line of its
// own, first the one that outranks the others, and what is in it below, indented.

import { ChError } from "../error.ts";

export interface LibraryDirectory {
  /** As printed; absolute in the image, or it would be no such line. */
  readonly path: string;
  /** The file that names it, where ldconfig (since glibc 2.35 or so) tells. */
  readonly from: string | undefined;
}

/** File of the image's linker configuration that is ours. */
export const OWN_CONFIGURATION = "/etc/ld.so.conf.d/ch-ofi.conf";

/** The directories that `ldconfig -Nv` lists, in its order. */
export function parseLibraryDirectories(output: string): LibraryDirectory[] {
  return output.split("\n").flatMap((line) => {
    const match = /^(\/[^:]*):(?: \(from (.*?)(?::[0-9]+)?(?: and .*)?\))?/.exec(line);
    return match === null ? [] : [{ path: match[1]!, from: match[2] }];
  });
}

/**
 * The first directory that is the image's own: those which an earlier injection named (OWN, and what
 * comes from our file) are the host's, and IS_THERE tells whether the image has one. Throws a ChError.
 */
export function chooseLibraryDirectory(
  directories: readonly LibraryDirectory[],
  own: readonly string[],
  isThere: (path: string) => boolean,
): string {
  const found = directories.find(({ path, from }) =>
    from !== OWN_CONFIGURATION && !own.includes(path) && isThere(path)
  );
  if (found === undefined) {
    throw new ChError("empty path from ldconfig", {
      hint: "the image needs a working /sbin/ldconfig, or name the directory with --dest",
    });
  }
  return found.path;
}
