// What tests of ch-convert have in common. What failed conversions leave in $TMPDIR, to be looked into, must
// not be left on the machine.

import { type Need, test as testAnywhere, type Workplace } from "../rig.ts";

/** As the rig's, with a TMPDIR of the test's own. */
export function test(
  name: string,
  body: (work: Workplace) => Promise<void> | void,
  ...needs: Need[]
): void {
  testAnywhere(name, async (work) => {
    work.environment.TMPDIR = work.tree("home/tmp", {});
    await body(work);
  }, ...needs);
}

/** Names in $TMPDIR. */
export function listTemporary(work: Workplace): string[] {
  return listNames(`${work.path}/home/tmp`);
}

/** All names in a directory, hidden ones as well, in order. */
export function listNames(path: string): string[] {
  return [...Deno.readDirSync(path)].map(({ name }) => name).sort();
}

/** Lines of all files below a directory: type, mode, name, target, and their sums; but not of the
 * metadata, nor of the mount points that every directory gets. */
export const LIST =
  `cd "$1" && find . -path ./ch -prune -o ! -path './mnt*' ! -name . -printf '%y %m %P %l\\n' | sort
  find . -path ./ch -prune -o -type f -print0 | sort -z | xargs -0 md5sum`;

export async function listFiles(work: Workplace, path: string): Promise<string> {
  return await work.must(LIST, [path]);
}
