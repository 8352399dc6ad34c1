// What a build is given: the context directory and the Dockerfile (spec dockerfile §1.1).

import { displayOsString } from "../../ffi/os_string.ts";
import { SystemError } from "../../ffi/system_error.ts";
import type { Host } from "../container/host.ts";
import { decodeDockerfile, type DockerfileSource } from "../dockerfile/source.ts";
import type { Dialect } from "../dockerfile/dialect.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { PathFilter } from "./path_filter.ts";

/** In place of a path: standard input, or no context. */
const STDIN = "-";

export interface InputRequest {
  /** As given; "-" for none, and the Dockerfile from standard input. */
  readonly context: string;
  /** `--file`; "-" for standard input. */
  readonly file: string | undefined;
}

export interface Input {
  /** Absolute; undefined if there is none. */
  readonly context: string | undefined;
  readonly source: DockerfileSource;
}

/** Checks the context and reads the Dockerfile. READ_STDIN gives all of standard input. */
export function readInput(
  request: InputRequest,
  readStdin: () => Uint8Array,
  host: Host,
): Input {
  const { context } = request;
  if (/^(?:git|git\+ssh|http|https|ssh):\/\/|^[^/@]+@[^/:]+:/.test(context)) {
    throw new ChError(`not yet supported: issue #773: URL context: ${context}`);
  }
  const hasContext = context !== STDIN;
  const isFromStdin = !hasContext || request.file === STDIN;
  if (hasContext && kindOf(context, host) !== "directory") {
    throw new ChError(`context must be a directory: ${displayOsString(context)}`);
  }
  const file = nameDockerfile(request);
  const bytes = isFromStdin ? readStdin() : readFile(file, host);
  return {
    context: hasContext ? makeAbsolute(context, host) : undefined,
    source: decodeDockerfile(displayOsString(file), bytes),
  };
}

/**
 * What of the context shall be left out: by DOCKERFILE.dockerignore, which upstream does not know, or else,
 * by Docker's rules only, by the context's .dockerignore. Throws a ChError for one that is wrong.
 */
export function readIgnore(
  request: InputRequest,
  { rules }: Dialect,
  host: Host,
  log: Log,
): PathFilter | undefined {
  const { context, file } = request;
  if (context === STDIN) return undefined;
  const own = file === STDIN ? undefined : `${nameDockerfile(request)}.dockerignore`;
  const general = joinName(context, ".dockerignore");
  const found = [own, general].find((path) => path !== undefined && kindOf(path, host) === "file");
  if (found === undefined) return undefined;
  if (found === general && rules !== "docker") {
    log.warning(
      "not yet supported, ignored: issue #777: .dockerignore file",
      "“# syntax=docker/dockerfile:1” as first line of the Dockerfile makes it count",
    );
    return undefined;
  }
  const text = new TextDecoder().decode(readFile(found, host));
  return PathFilter.parse(text, displayOsString(found));
}

/** The Dockerfile as messages name it, and as an image's name is inferred from it. */
export function nameDockerfile({ context, file }: InputRequest): string {
  return file ?? joinName(context, "Dockerfile");
}

/** PATH as seen from the current directory; `.` and `..` are taken out as text. */
export function makeAbsolute(path: string, host: Host): string {
  const components: string[] = [];
  for (
    const component of (path.startsWith("/") ? path : `${host.realPath(".")}/${path}`).split("/")
  ) {
    if (component === "..") components.pop();
    else if (component !== "" && component !== ".") components.push(component);
  }
  return `/${components.join("/")}`;
}

function joinName(directory: string, name: string): string {
  if (directory === ".") return name;
  return directory.endsWith("/") ? `${directory}${name}` : `${directory}/${name}`;
}

function kindOf(path: string, host: Host) {
  try {
    return host.stat(path);
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

function readFile(path: string, host: Host): Uint8Array {
  try {
    return host.readFile(path);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new ChError(`can’t open for rt: ${displayOsString(path)}`, { cause: error });
  }
}
