// What an image's registry said about how to run it, for building on it: ch/config.pulled.json, which is
// only there if the image was pulled.

import { readWhole } from "../../ffi/descriptor.ts";
import { findEntry, openFile } from "../../ffi/tree.ts";
import { ChError } from "../error.ts";
import { type ImageSettings, pickSettings } from "./image_settings.ts";

const PULLED_FILE = "ch/config.pulled.json";
/** More than any configuration needs; a file may claim any size. */
const MAX_SIZE = 16 * 2 ** 20;

/** As the key of metadata that it becomes; nothing without such a file. PATH is the image's. */
export function readPulledSettings(
  rootFd: number,
  path: string,
): { readonly config?: ImageSettings } {
  const entry = findEntry(rootFd, PULLED_FILE);
  if (entry?.type !== "file") return {};
  try {
    using file = openFile(rootFd, PULLED_FILE);
    const text = new TextDecoder().decode(readWhole(file.fd, Math.min(entry.size, MAX_SIZE)));
    return { config: pickSettings((JSON.parse(text) as { config?: unknown } | null)?.config) };
  } catch (error) {
    throw new ChError(`can’t read: ${path}/${PULLED_FILE}`, { cause: error });
  }
}
