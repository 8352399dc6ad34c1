// The rig's Debian without what no example looks at: copying it would be most of the time that documents take.

import { rig, type Workplace } from "../rig.ts";

const NOT_NEEDED = [
  ...["./usr/share/doc", "./usr/share/locale", "./usr/share/man"],
  "./usr/lib/x86_64-linux-gnu/gconv",
];

/** Returns the path of the archive. */
export async function makeSmallDebian(work: Workplace): Promise<string> {
  const path = `${work.path}/debian.tar`;
  await work.must('from=$1 to=$2; shift 2; tar --delete -f - "$@" <"$from" >"$to"', [
    rig.debianTar,
    path,
    ...NOT_NEEDED,
  ]);
  return path;
}
