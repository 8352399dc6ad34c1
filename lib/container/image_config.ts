// What an image says of itself: environment, command and working directory, where it comes from a
// Dockerfile or a registry. In the container these are
//
//     /ch/environment         NAME=VALUE lines, ch-image's and ch-convert's
//     /ch/metadata.json       ch-image's, up to date with the Dockerfile; what it has under "config" is as in
//                             config.pulled.json, and takes its place
//     /ch/config.pulled.json  the registry's, of the image pulled first (OCI image specification,
//                             config.md)

import { ChError } from "../error.ts";
import { type Assignment, parseAssignments } from "./assignments.ts";
import { IMAGE_FILE } from "./environment.ts";

/** Content of a file of the image; undefined if it has none of that name. */
export type FindImageFile = (path: string) => Uint8Array | undefined;

export interface ImageCommand {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  /** WORKDIR; undefined if the image does not say. */
  readonly cwd: string | undefined;
}

/** The image's environment; from the first of the three files that has one. Empty without any. */
export function readImageEnvironment(find: FindImageFile): readonly Assignment[] {
  const file = find(IMAGE_FILE);
  if (file !== undefined) return parseAssignments(file, "\n", IMAGE_FILE);
  const metadata = readMetadata(find);
  if (metadata?.["env"] !== undefined) {
    const env = requireObject(metadata["env"], METADATA, "env");
    return Object.keys(env).map((name) => ({
      name: requireName(name),
      value: requireText(env[name], METADATA, "env"),
    }));
  }
  return listOf(readPulled(find)?.["Env"], PULLED, "Env").map((entry) => {
    const at = entry.indexOf("=");
    if (at <= 0) throw badValue(PULLED, "Env");
    return { name: entry.slice(0, at), value: entry.slice(at + 1) };
  });
}

/** The image's command. ENTRYPOINT and CMD belong together, so both are of one file. */
export function readImageCommand(find: FindImageFile): ImageCommand {
  const metadata = readMetadata(find);
  const pulled = readPulled(find);
  const config = metadata?.["config"];
  const own = config === undefined ? undefined : requireObject(config, METADATA, "config");
  const cwd = metadata?.["cwd"] ?? pulled?.["WorkingDir"];
  return {
    ...(own !== undefined
      ? {
        entrypoint: listOf(own["Entrypoint"], METADATA, "Entrypoint"),
        cmd: listOf(own["Cmd"], METADATA, "Cmd"),
      }
      : {
        entrypoint: listOf(pulled?.["Entrypoint"], PULLED, "Entrypoint"),
        cmd: listOf(pulled?.["Cmd"], PULLED, "Cmd"),
      }),
    // A registry's "" means that nobody said.
    cwd: cwd === undefined || cwd === null || cwd === ""
      ? undefined
      : requireText(cwd, metadata?.["cwd"] === undefined ? PULLED : METADATA, "working directory"),
  };
}

const METADATA = "/ch/metadata.json";
const PULLED = "/ch/config.pulled.json";

type Values = Readonly<Record<string, unknown>>;

function readMetadata(find: FindImageFile): Values | undefined {
  return readObject(METADATA, find);
}

/** The part that is for running; the rest tells how the image was made. */
function readPulled(find: FindImageFile): Values | undefined {
  const config = readObject(PULLED, find)?.["config"];
  return config === undefined || config === null
    ? undefined
    : requireObject(config, PULLED, "config");
}

function readObject(path: string, find: FindImageFile): Values | undefined {
  const file = find(path);
  if (file === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(file));
  } catch (error) {
    throw new ChError(`can't parse JSON: ${path}: ${(error as SyntaxError).message}`);
  }
  return requireObject(value, path, "the whole");
}

function requireObject(value: unknown, path: string, what: string): Values {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badValue(path, what);
  }
  return value as Values;
}

/** No list at all is an empty one. */
function listOf(value: unknown, path: string, what: string): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw badValue(path, what);
  return value.map((each) => requireText(each, path, what));
}

/** A NUL cannot be passed to a program. */
function requireText(value: unknown, path: string, what: string): string {
  if (typeof value !== "string" || value.includes("\0")) throw badValue(path, what);
  return value;
}

function requireName(name: string): string {
  if (name === "" || name.includes("=")) throw badValue(METADATA, "env");
  return requireText(name, METADATA, "env");
}

function badValue(path: string, what: string): ChError {
  return new ChError(`bad value in ${path}: ${what}`, {
    hint: "the image's metadata are damaged; leave out --image-env and --image-cmd, or mend them",
  });
}
