// docs/security.md names the tests that hold what it says: they must be there.

import assert from "node:assert/strict";
import { rig } from "../rig.ts";

const text = Deno.readTextFileSync(`${rig.projectRoot}docs/security.md`).replaceAll(/\s+/g, " ");

/** Files as the page names them, and names of tests in the file before them, or beside it after a move. */
const MENTION = /`(?:(e2e|interop|lib|c)\/)?([\w./]+_test\.ts|[\w./]+\.c|[\w/]+\/)`|“([^”]+)”/g;

Deno.test("docs/security.md names tests that exist", () => {
  let directory = "", file = "", found = 0;
  for (const [mention, top, path, name] of text.matchAll(MENTION)) {
    if (path !== undefined) {
      if (top !== undefined) directory = top === "c" ? "c" : `tests/${top}`;
      file = `${directory}/${path}`;
      // A file without directory lies beside the one before.
      directory = file.slice(0, file.lastIndexOf("/"));
      Deno.statSync(rig.projectRoot + file);
      continue;
    }
    assert(readAll(directory).includes(name!), `${file} and its neighbours have no ${mention}`);
    found++;
  }
  assert(found > 10);
});

function readAll(directory: string): string {
  return [...Deno.readDirSync(rig.projectRoot + directory)].filter(({ isFile }) => isFile)
    .map(({ name }) => Deno.readTextFileSync(`${rig.projectRoot}${directory}/${name}`))
    .join("\n").replaceAll(/\s+/g, " ");
}
