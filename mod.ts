/**
 * The library behind `ch`, for programs that want to read, write and build images themselves.
 *
 * Paths of the host and names inside images are OsStrings: strings that hold any bytes
 * ({@linkcode decodeOsString}, {@linkcode encodeOsString}). What fails throws a {@linkcode ChError} with a
 * complete message; the system's reason is its `cause`.
 *
 * An image is a {@linkcode Source} of entries, parents before children; every format is a source, a
 * {@linkcode Sink}, or both, and {@linkcode copyEntries} connects them:
 *
 * ```ts
 * import { copyEntries, decompress, openFileChunks, readTar, SquashfsWriter } from "@ch/ch";
 *
 * using image = new SquashfsWriter("debian.sqfs");
 * const chunks = decompress(openFileChunks("debian.tar.gz"), "debian.tar.gz");
 * await copyEntries(readTar(chunks, "debian.tar.gz"), image);
 * ```
 *
 * The C parts are a shared library, which `make` puts into `build/`; `$CH_SHIM` names another.
 *
 * @module
 */

export { ChError, type ChErrorOptions, TextError } from "./lib/error.ts";
export type { Log, LogLevel, Progress } from "./lib/log/log.ts";
export { decodeOsString, encodeOsString } from "./ffi/os_string.ts";
export { VERSION } from "./lib/version.ts";

export { type ImageReference, parseReference } from "./lib/reference/reference.ts";
export { decodeDockerfile, type DockerfileSource } from "./lib/dockerfile/source.ts";
export { parseDockerfile } from "./lib/dockerfile/parse.ts";
export type { Dockerfile, Instruction } from "./lib/dockerfile/instruction.ts";

export {
  type Content,
  copyEntries,
  type Entry,
  type EntryType,
  type Sink,
  type Source,
} from "./lib/layer/entry.ts";
export { compressGzip, decompress, detectCompression, openFileChunks } from "./lib/layer/codec.ts";
export { readTar } from "./lib/layer/tar_reader.ts";
export { TarWriter } from "./lib/layer/tar_writer.ts";
export { readSquashfs, type ReadSquashfsOptions } from "./lib/squashfs/reader.ts";
export { type SquashfsOptions, SquashfsWriter } from "./lib/squashfs/writer.ts";

export { openStore, type Store, type StoreOptions } from "./lib/store/store.ts";
export { importImage, type ImportOptions } from "./lib/store/import.ts";
export { convertImage } from "./lib/convert/convert.ts";
export type { ConvertRequest, Endpoint } from "./lib/convert/request.ts";
