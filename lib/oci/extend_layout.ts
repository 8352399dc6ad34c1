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

/** ADD puts an image into the layout at PATH, which is also PRESENT as it was, and finishes. If it throws, so
 * does this, and the layout is as it was. */
export async function extendLayout(
  path: string,
  add: (writer: LayoutWriter, present: Layout) => Promise<void>,
): Promise<void> {
  // That file is never replaced.
  using _lock = await lock(`${path}/${LAYOUT_FILE}`);
  using root = openRoot(path);
  const files = new DirectoryFiles(path);
  const layout = await Layout.open(files);
  const writer = new LayoutWriter(root.fd, 0, await readIndex(files, layout));
  writer.removeUnfinished();
  try {
    await add(writer, layout);
  } catch (error) {
    writer.undo();
    throw error;
  }
}

/** As it stands there: what others have put into it is to stay, whether we know it or not. */
async function readIndex(files: DirectoryFiles, { index }: Layout): Promise<LayoutIndex> {
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
