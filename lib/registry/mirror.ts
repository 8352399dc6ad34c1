// Mirrors: other registries that are asked first, for sites with slow lines or none. They are named in
// CH_REGY_MIRRORS, e.g. "docker.io=http://mirror:5000,other.example.com/hub quay.io=mirror2". What comes
// from them is verified like all else, but which manifest a tag names is theirs to say. Pure.

import { ChError } from "../error.ts";
import type { RepositoryName } from "./repository.ts";

export interface Mirror {
  /** Host and, if not 443, port of the registry that it stands for. */
  readonly of: string;
  readonly host: string;
  readonly port: number;
  readonly path: readonly string[];
  readonly plainHttp: boolean;
}

const HUB = "registry-1.docker.io";
const ADDRESS = /^(https?:\/\/)?([A-Za-z0-9_.-]+)(?::(\d+))?((?:\/[a-z0-9_.-]+)*)\/?$/;

/** Throws a ChError if TEXT is not as above. */
export function parseMirrors(text: string): readonly Mirror[] {
  return text.split(/\s+/).filter((item) => item !== "").flatMap((item) => {
    const [of = "", list = ""] = item.split(/=(.*)/s);
    return list.split(",").map((address) => parseMirror(of, address, item));
  });
}

function parseMirror(of: string, address: string, item: string): Mirror {
  const match = ADDRESS.exec(address);
  if (match === null || of === "") {
    throw new ChError(`$CH_REGY_MIRRORS: not REGISTRY=MIRROR[,MIRROR...]: ${item}`);
  }
  const [, scheme, host, port, path] = match;
  const plainHttp = scheme === "http://";
  return {
    of: of === "docker.io" ? HUB : of,
    host: host!,
    port: port === undefined ? plainHttp ? 80 : 443 : Number(port),
    path: path!.split("/").filter((part) => part !== ""),
    plainHttp,
  };
}

/** Mirrors of the registry at HOST and PORT, in order. */
export function selectMirrors(
  mirrors: readonly Mirror[],
  { host, port }: Pick<RepositoryName, "host" | "port">,
): readonly Mirror[] {
  const names = port === 443 ? [host, `${host}:443`] : [`${host}:${port}`];
  return mirrors.filter(({ of }) => names.includes(of));
}
