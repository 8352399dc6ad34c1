// Getting what ADD takes from elsewhere: over HTTP by ourselves, from Git repositories by the host's git.

import { Sha256 } from "../../ffi/sha256.ts";
import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import type { RemoteSource } from "./remote.ts";

export interface FetchTools {
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** The caller's environment, for git. */
  readonly caller: ReadonlyMap<string, string>;
}

/** What was got: its path in the directory, "" for the directory itself, and its name. */
export interface Fetched {
  readonly path: string;
  readonly given: string;
}

/** Gets SOURCE into DIRECTORY, which is empty. Throws a ChError. */
export async function fetchRemote(
  source: RemoteSource,
  directory: string,
  tools: FetchTools,
): Promise<Fetched> {
  switch (source.kind) {
    case "url":
      return await download(source, directory, tools);
    case "git":
      return await clone(source, directory, tools);
    default:
      return source satisfies never;
  }
}

async function download(
  { url, checksum }: Extract<RemoteSource, { kind: "url" }>,
  directory: string,
  { log, now, signal }: FetchTools,
): Promise<Fetched> {
  const name = nameFile(url);
  log.verbose(`fetching: ${url}`);
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new ChError(`can’t fetch: ${url}`, { cause: error });
  }
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new ChError(`can’t fetch: ${url}: ${response.status} ${response.statusText}`);
  }
  const path = `${directory}/${name}`;
  const digest = await save(response.body, path, url, signal);
  if (checksum !== undefined) check(digest, url, checksum);
  const modified = Date.parse(response.headers.get("last-modified") ?? "");
  const time = Number.isNaN(modified) ? now() : new Date(modified);
  Deno.chmodSync(path, 0o600);
  Deno.utimeSync(path, time, time);
  return { path: name, given: name };
}

/** The last component of the URL's path. */
function nameFile(url: string): string {
  const name = decodeURIComponent(new URL(url).pathname.split("/").at(-1)!);
  if (name === "" || name === "." || name === ".." || /[/\0]/.test(name)) return "index";
  return name;
}

/** Its digest. */
async function save(
  body: ReadableStream<Uint8Array>,
  path: string,
  url: string,
  signal: AbortSignal,
): Promise<string> {
  using file = Deno.openSync(path, { write: true, createNew: true, mode: 0o600 });
  const sum = new Sha256();
  try {
    for await (const chunk of body) {
      signal.throwIfAborted();
      for (let at = 0; at < chunk.length;) at += file.writeSync(chunk.subarray(at));
      await sum.add(chunk);
    }
    return `sha256:${sum.end()}`;
  } catch (error) {
    signal.throwIfAborted();
    throw new ChError(`can’t fetch: ${url}`, { cause: error });
  }
}

function check(found: string, url: string, checksum: string): void {
  if (found === checksum) return;
  throw new ChError(`ADD: checksum does not match: ${url}: ${found}`, {
    hint: `the Dockerfile wants ${checksum}`,
  });
}

async function clone(
  source: Extract<RemoteSource, { kind: "git" }>,
  directory: string,
  tools: FetchTools,
): Promise<Fetched> {
  const { repository, ref, checksum } = source;
  tools.log.verbose(`cloning: ${repository}`);
  const git = (...args: string[]) => runGit(args, directory, repository, tools);
  await git("init", "--quiet");
  await git("remote", "add", "origin", "--", repository);
  const wanted = ref ?? "HEAD";
  try {
    await git("fetch", "--quiet", "--depth=1", "--no-tags", "origin", wanted)
      // A plain web server has no short histories to give.
      .catch(() => git("fetch", "--quiet", "--no-tags", "origin", wanted));
    await git("checkout", "--quiet", "--detach", "FETCH_HEAD");
  } catch (error) {
    // A server may refuse to send a commit that no branch or tag names.
    if (!/^[0-9a-f]{7,64}$/.test(wanted)) throw error;
    await git("fetch", "--quiet", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*");
    await git("checkout", "--quiet", "--detach", wanted);
  }
  const commit = (await git("rev-parse", "HEAD")).trim();
  if (checksum !== undefined && !commit.startsWith(checksum)) {
    throw new ChError(`ADD: checksum does not match: ${repository}: ${commit}`, {
      hint: `the Dockerfile wants ${checksum}`,
    });
  }
  if (!source.keepsGitDirectory) Deno.removeSync(`${directory}/.git`, { recursive: true });
  return { path: source.directory, given: source.directory };
}

/** What git(1) printed. */
export async function runGit(
  args: readonly string[],
  cwd: string,
  repository: string,
  { caller, signal }: FetchTools,
): Promise<string> {
  const inherited = [...caller].filter(([, value]) => value.isWellFormed());
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("git", {
      args: ["-c", "advice.detachedHead=false", ...args],
      cwd,
      clearEnv: true,
      env: { ...Object.fromEntries(inherited), GIT_TERMINAL_PROMPT: "0" },
      stdin: "null",
      signal,
    }).output();
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new ChError(`ADD: git is needed, and not installed: ${repository}`, {
      hint: "install git, or clone the repository yourself and COPY from it",
    });
  }
  signal.throwIfAborted();
  const { success, stderr, stdout } = output;
  if (!success) {
    const reason = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
    throw new ChError(`can’t clone: ${repository}: ${reason}`);
  }
  return new TextDecoder().decode(stdout);
}
