// The files that hold an image's metadata (spec ch-image §7), as its entries go by: taken note of, or
// replaced by those for a configuration from elsewhere.

import type { Source } from "../layer/entry.ts";
import { oneChunk } from "../layer/one_chunk.ts";
import { readContent } from "../layer/read_content.ts";
import type { Log } from "../log/log.ts";
import { PULLED_FILE, toImageDetails, toMetadata } from "../oci/image_metadata.ts";
import { type ImageDetails, MAX_DOCUMENT, parseImageConfig } from "../oci/model.ts";
import type { Image } from "../oci/unpack.ts";
import {
  formatEnvironment,
  formatMetadata,
  type Metadata,
  parseMetadata,
} from "../store/metadata.ts";
import { ENVIRONMENT_FILE, METADATA_FILE } from "../store/metadata_files.ts";

const FILES: readonly string[] = [METADATA_FILE, ENVIRONMENT_FILE, PULLED_FILE];

/** Notes what an image's own files say. */
export class MetadataNotes {
  readonly #texts = new Map<string, Uint8Array>();

  /** All of SOURCE. */
  async *watch(source: Source): Source {
    for await (const entry of source) {
      if (entry.type === "file" && FILES.includes(entry.path)) {
        const bytes = await readContent(entry, MAX_DOCUMENT);
        this.#texts.set(entry.path, bytes);
        yield { ...entry, content: { chunks: oneChunk(bytes) } };
      } else {
        yield entry;
      }
    }
  }

  /** What was noted, as a configuration. Throws a ChError if it is damaged. */
  details(): ImageDetails {
    const pulled = this.#texts.get(PULLED_FILE);
    return toImageDetails({
      metadata: this.metadata,
      environment: this.#texts.get(ENVIRONMENT_FILE),
      pulled: pulled && parseImageConfig(pulled, PULLED_FILE),
    });
  }

  get metadata(): Metadata | undefined {
    const bytes = this.#texts.get(METADATA_FILE);
    return bytes && parseMetadata(new TextDecoder().decode(bytes), METADATA_FILE);
  }
}

/** The files of IMAGE, those of its metadata as its configuration has it. */
export async function* withConfiguration(files: Source, image: Image, log: Log): Source {
  const notes = new MetadataNotes();
  let hasDirectory = false;
  for await (const entry of notes.watch(files)) {
    hasDirectory ||= entry.path === "ch";
    if (!FILES.includes(entry.path)) yield entry;
  }
  const metadata = toMetadata(image.config, notes.metadata);
  const { text, lost } = formatEnvironment(metadata.env);
  for (const name of lost) {
    log.warning(`value has a newline, not saved in ${ENVIRONMENT_FILE}: ${name}`);
  }
  const created = Math.floor(Date.parse(image.config.created ?? "") / 1000) || 0;
  const common = { uid: 0, gid: 0, mtime: created, mtimeNsec: 0 };
  if (!hasDirectory) yield { ...common, path: "ch", type: "directory", mode: 0o755 };
  const contents: readonly (readonly [string, Uint8Array])[] = [
    [PULLED_FILE, image.configBytes],
    [ENVIRONMENT_FILE, new TextEncoder().encode(text)],
    [METADATA_FILE, new TextEncoder().encode(formatMetadata(metadata))],
  ];
  for (const [path, bytes] of contents) {
    const content = { chunks: oneChunk(bytes) };
    yield { ...common, path, type: "file", mode: 0o644, size: bytes.length, content };
  }
}
