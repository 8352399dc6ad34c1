// What a server has at the moment of what ADD takes, told without getting it where that is possible: the
// build cache must not answer with what was there once.

import { Sha256 } from "../../ffi/sha256.ts";
import { ChError } from "../error.ts";
import { type FetchTools, runGit } from "./fetch.ts";
import type { RemoteSource } from "./remote.ts";

/**
 * A text that is another one when the content is; undefined if the instruction itself says by a checksum
 * or commit which content it wants. Throws a ChError if the server does not answer.
 */
export async function findRemoteVersion(
  source: RemoteSource,
  tools: FetchTools,
): Promise<string | undefined> {
  if (source.checksum !== undefined) return undefined;
  switch (source.kind) {
    case "url":
      return await askServer(source.url, tools);
    case "git":
      return await askGit(source, tools);
    default:
      return source satisfies never;
  }
}

async function askServer(url: string, { log, signal }: FetchTools): Promise<string> {
  log.verbose(`asking for the version of: ${url}`);
  const head = await request(url, "HEAD", signal);
  await head.body?.cancel();
  // Not all servers know HEAD, and some answer differently: GET decides what an error is.
  const version = head.ok ? describeHeaders(head.headers) : undefined;
  return version ?? await digestContent(url, signal);
}

/** A weak validator says nothing of each byte, but that is not for us to know better than the server. */
function describeHeaders(headers: Headers): string | undefined {
  const etag = headers.get("etag");
  if (etag !== null) return `etag ${etag}`;
  const modified = headers.get("last-modified");
  return modified === null
    ? undefined
    : `last-modified ${modified} ${headers.get("content-length") ?? ""}`.trim();
}

async function digestContent(url: string, signal: AbortSignal): Promise<string> {
  const response = await request(url, "GET", signal);
  if (!response.ok || response.body === null) {
    await response.body?.cancel();
    throw new ChError(`can’t fetch: ${url}: ${response.status} ${response.statusText}`);
  }
  const sum = new Sha256();
  try {
    for await (const chunk of response.body) await sum.add(chunk);
  } catch (error) {
    signal.throwIfAborted();
    throw new ChError(`can’t fetch: ${url}`, { cause: error });
  }
  return `sha256:${sum.end()}`;
}

async function request(url: string, method: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { method, signal });
  } catch (error) {
    signal.throwIfAborted();
    throw new ChError(`can’t fetch: ${url}`, { cause: error });
  }
}

async function askGit(
  { repository, ref = "HEAD" }: Extract<RemoteSource, { kind: "git" }>,
  tools: FetchTools,
): Promise<string | undefined> {
  // A commit is what it is.
  if (/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(ref)) return undefined;
  tools.log.verbose(`asking for the version of: ${repository}#${ref}`);
  const wanted = ref === "HEAD" || ref.startsWith("refs/")
    ? [ref, `${ref}^{}`]
    : [`refs/heads/${ref}`, `refs/tags/${ref}`, `refs/tags/${ref}^{}`];
  const found = await runGit(["ls-remote", "--", repository, ...wanted], "/", repository, tools);
  // Where there is no such name, it may be the beginning of a commit's; if not, the clone tells.
  return found.trim().split("\n").sort().join("\n");
}
