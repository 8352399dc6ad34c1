// Sources of ADD that are not in the context: files of HTTP servers, and Git repositories.

import { ChError } from "../error.ts";

export type RemoteSource =
  | {
    readonly kind: "url";
    readonly url: string;
    /** "sha256:…" */
    readonly checksum: string | undefined;
  }
  | {
    readonly kind: "git";
    readonly repository: string;
    /** Branch, tag or commit; undefined: what the repository has for HEAD. */
    readonly ref: string | undefined;
    /** Directory of the repository. */
    readonly directory: string;
    readonly keepsGitDirectory: boolean;
    /** Commit, or its beginning. */
    readonly checksum: string | undefined;
  };

export interface RemoteOptions {
  readonly checksum: string | undefined;
  readonly keepsGitDirectory: boolean;
}

/** TEXT if it names something remote, as BuildKit understands it. Throws a ChError. */
export function parseRemote(text: string, options: RemoteOptions): RemoteSource | undefined {
  const isGit = /^git@[^/:]+:/.test(text) || /^(?:git|ssh):\/\//.test(text) ||
    /^https?:\/\/[^#]+\.git(?:#.*)?$/.test(text);
  if (isGit) return parseGit(text, options);
  if (!/^https?:\/\//.test(text)) return undefined;
  const { checksum } = options;
  if (checksum !== undefined && !/^sha256:[0-9a-f]{64}$/.test(checksum)) {
    throw new ChError(`ADD: --checksum: not sha256:HEX: ${checksum}`);
  }
  return { kind: "url", url: text, checksum };
}

function parseGit(text: string, { checksum, keepsGitDirectory }: RemoteOptions): RemoteSource {
  const hash = text.indexOf("#");
  const repository = hash < 0 ? text : text.slice(0, hash);
  const [ref = "", directory = ""] = hash < 0 ? [] : text.slice(hash + 1).split(":");
  if (checksum !== undefined && !/^[0-9a-f]{7,64}$/.test(checksum)) {
    throw new ChError(`ADD: --checksum: not a commit: ${checksum}`);
  }
  // Git would take it for an option.
  if (ref.startsWith("-")) throw new ChError(`ADD: not a branch, tag or commit: ${ref}`);
  return {
    kind: "git",
    repository,
    ref: ref === "" ? undefined : ref,
    directory: directory.replace(/^\/+|\/+$/g, ""),
    keepsGitDirectory,
    checksum,
  };
}
