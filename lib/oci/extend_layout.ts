// One image more in an OCI layout that is there: others may read it all the time, and find the images that
// it had or those and the new one.

import { type FileLock, tryAcquireLock } from "../../ffi/lock.ts";
import { displayOsString } from "../../ffi/os_string.ts";
import { openRoot } from "../../ffi/tree.ts";
import { ChError } from "../error.ts";
import { parseJson } from "./json_value.ts";
import { INDEX_FILE, Layout, LAYOUT_FILE } from "./layout.ts";
import { type LayoutIndex, LayoutWriter } from "./layout_writer.ts";
import { DirectoryFiles, readSmallFile } from "./named_files.ts";

/** How often to look whether another process is done. */
const INTERVAL = 100;

/** ADD puts an image into the layout at PATH, and finishes. If it throws, so does this, and the layout is
 * as it was. */
export async function extendLayout(
  path: string,
  add: (writer: LayoutWriter) => Promise<void>,
): Promise<void> {
  // That file is never replaced.
  using _lock = await lock(`${path}/${LAYOUT_FILE}`);
  using root = openRoot(path);
  const writer = new LayoutWriter(root.fd, 0, await readIndex(path));
  writer.removeUnfinished();
  try {
    await add(writer);
  } catch (error) {
    writer.undo();
    throw error;
  }
}

/** As it stands there: what others have put into it is to stay, whether we know it or not. */
async function readIndex(path: string): Promise<LayoutIndex> {
  const files = new DirectoryFiles(path);
  const { index } = await Layout.open(files);
  const values = parseJson(await readSmallFile(files, INDEX_FILE), INDEX_FILE).object();
  return { ...index, ...values } as LayoutIndex;
}

async function lock(path: string): Promise<FileLock> {
  try {
    for (;;) {
      const lock = tryAcquireLock(path);
      if (lock !== undefined) return lock;
      await new Promise((done) => setTimeout(done, INTERVAL));
    }
  } catch (error) {
    throw new ChError(`can’t write: ${displayOsString(path)}`, { cause: error });
  }
}
