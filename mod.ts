/**
 * Charliecloud as a library: reading, making, building and running container images without privilege.
 *
 * Every image format is a {@linkcode Source} of entries, a {@linkcode Sink}, or both, so that any two of
 * them can be put together with {@linkcode copyEntries}:
 *
 * ```ts
 * import { copyEntries, openRoot, readTree, SquashfsWriter } from "./mod.ts";
 *
 * async function pack(directory: string, file: string): Promise<void> {
 *   using root = openRoot(directory);
 *   using writer = new SquashfsWriter(file);
 *   await copyEntries(readTree(root.fd), writer);
 * }
 * ```
 *
 * What holds throughout:
 *
 * - File names, arguments and environment entries are bytes to Linux. Here they are strings that lose
 *   nothing: {@linkcode decodeOsString} and {@linkcode encodeOsString}.
 * - Functions throw {@linkcode ChError} for what a user can do something about, with the system's reason,
 *   a {@linkcode SystemError}, as its `cause`. A `TypeError` is a programming error.
 * - What must be released is `Disposable`: bind it with `using`. Output that is disposed of before it is
 *   finished or committed leaves nothing behind.
 * - Nothing prints: messages go to the {@linkcode Log} that a function is given.
 *
 * All but parsing and planning calls C code: `make` builds it as `build/libch.so` and `build/ch-init`, which
 * are found beside this file. Linux on x86-64 only.
 *
 * @module
 */

export { VERSION } from "./lib/version.ts";

// Errors, messages, strings.

export { ChError, type ChErrorOptions, TextError } from "./lib/error.ts";
export { SystemError } from "./ffi/system_error.ts";
export type { Log, LogLevel, Progress } from "./lib/log/log.ts";
export { decodeOsString, displayOsString, encodeOsString } from "./ffi/os_string.ts";

// References, e.g. "example.com:8080/a/b:tag".

export {
  type ImageReference,
  mangleReference,
  parseReference,
  unmangleName,
} from "./lib/reference/reference.ts";
export { canonicalizeReference, type RegistryDefaults } from "./lib/reference/canonical.ts";

// Dockerfiles.

export {
  decodeDockerfile,
  DockerfileError,
  type DockerfileSource,
} from "./lib/dockerfile/source.ts";
export { parseDockerfile } from "./lib/dockerfile/parse.ts";
export { divideIntoStages, type Program, type Stage } from "./lib/dockerfile/program.ts";
export type * from "./lib/dockerfile/instruction.ts";

// Entries of images, and where they come from and go to: tar archives, directories, SquashFS files.

export {
  type Content,
  copyEntries,
  type Entry,
  type EntryType,
  type Owner,
  type Sink,
  type Source,
} from "./lib/layer/entry.ts";
export {
  type Compression,
  decompress,
  detectCompression,
  openFileChunks,
} from "./lib/layer/codec.ts";
export { compress, type Compressor, type LevelRange, LEVELS } from "./lib/layer/compress.ts";
export { readTar } from "./lib/layer/tar_reader.ts";
export { type Output, TarWriter, type TarWriterOptions } from "./lib/layer/tar_writer.ts";
export { CONVERT_RULES, type ImageRules, readImageArchive } from "./lib/layer/image_rules.ts";
export { openRoot } from "./ffi/tree.ts";
export type { Descriptor } from "./ffi/descriptor.ts";
export type { CodecKind } from "./ffi/codec.ts";
export type { ImageCounts } from "./ffi/squashfs_writer.ts";
export { readTree, type ReadTreeOptions } from "./lib/layer/tree_reader.ts";
export { TreeWriter, type TreeWriterOptions } from "./lib/layer/tree_writer.ts";
export { readSquashfs, type ReadSquashfsOptions, SquashfsImage } from "./lib/squashfs/reader.ts";
export { type SquashfsOptions, SquashfsWriter } from "./lib/squashfs/writer.ts";
export type { SquashfsCompression } from "./lib/squashfs/compression.ts";

// Conversion between formats, by descriptors as ch-convert(1) has them.

export { convertImage } from "./lib/convert/convert.ts";
export {
  type Builder,
  BUILDERS,
  chooseFormat,
  type Format,
  FORMATS,
} from "./lib/convert/format.ts";
export type { ConvertRequest, ConvertSettings, Endpoint } from "./lib/convert/request.ts";
export { BuilderProgram, type RunProgram } from "./lib/convert/builder.ts";
export type { OutputWishes } from "./lib/convert/output_options.ts";

// The storage directory and the images in it.

export { locateStore, type StoreLocation } from "./lib/store/location.ts";
export { openStore, type Store, type StoreOptions } from "./lib/store/store.ts";
export type { FileLock } from "./ffi/lock.ts";
export type { ImageTransaction } from "./lib/store/transaction.ts";
export { importEntries, importImage, type ImportOptions } from "./lib/store/import.ts";
export { deleteImages } from "./lib/store/delete.ts";
export { resetStore } from "./lib/store/reset.ts";
export { type Metadata, parseMetadata } from "./lib/store/metadata.ts";
export { readMetadata, writeMetadata } from "./lib/store/metadata_files.ts";

// Building an image from a Dockerfile.

export { buildImage, type BuildOptions, type BuildTools } from "./lib/build/build.ts";
export type { BuildEvent, BuildOutline, BuildView, OpenView } from "./lib/build/view.ts";
export { chooseForce, type Force, FORCE_MODES, type ForceMode } from "./lib/build/force.ts";
export type { ForceCommand } from "./lib/build/force_command.ts";
export type { ContainerTools } from "./lib/build/container.ts";
export { parseBuildArguments } from "./lib/build/build_arguments.ts";

// Running a command in a container: find the image, make the plan, carry it out. The plan is data; to
// make it needs no system call but those of the Host it is given.

export { findImage, type Image, type ImageRequest } from "./lib/container/image.ts";
export { openSquashFiles } from "./lib/container/squash_files.ts";
export {
  defaultMountPoint,
  findMountPoint,
  listMissingDirectories,
} from "./lib/container/mount_point.ts";
export type { FileKind, Files, Group, Host, User } from "./lib/container/host.ts";
export { openSystemHost } from "./lib/container/system_host.ts";
export { type Bind, type DefaultBind, listDefaultBinds, parseBind } from "./lib/container/binds.ts";
export type { EnvironmentChange } from "./lib/container/environment.ts";
export { type Assignment, parseAssignment, type Separator } from "./lib/container/assignments.ts";
export type { RunOptions } from "./lib/container/run_options.ts";
export type { Join } from "./lib/container/join.ts";
export type { PlanImage } from "./lib/container/plan_image.ts";
export { type PlanLog, planRun, STATUS_EXEC, STATUS_FAIL } from "./lib/container/plan.ts";
export { type BuildRun, planBuildRun } from "./lib/container/build_plan.ts";
export { formatPlan } from "./lib/container/format_plan.ts";
export type { Plan, Step, WhenMissing } from "./ffi/plan.ts";
export {
  type Child,
  type Ending,
  type Identity,
  replaceByInit,
  spawnInit,
  type Stdio,
} from "./ffi/process.ts";
