// The registry that login and logout are about.

import { ChError } from "../../lib/error.ts";
import { canonicalizeReference } from "../../lib/reference/canonical.ts";
import { parseReference } from "../../lib/reference/reference.ts";
import { readRegistryDefaults } from "./registry_settings.ts";

export interface RegistryAddress {
  readonly host: string;
  readonly port: number;
}

/** WORD as a registry; that of references without a host if there is no word. Throws a ChError. */
export function parseRegistry(
  word: string | undefined,
  environment: ReadonlyMap<string, string>,
): RegistryAddress {
  if (word === undefined || word === "docker.io") {
    const { host, port } = canonicalizeReference(
      parseReference("any"),
      word === undefined ? readRegistryDefaults(environment) : {},
    );
    return { host, port };
  }
  const match = /^(?:https?:\/\/)?([A-Za-z0-9_.-]+)(?::(\d{1,5}))?\/?$/.exec(word);
  if (match === null) throw new ChError(`not a registry, HOST[:PORT]: ${word}`);
  return { host: match[1]!, port: match[2] === undefined ? 443 : Number(match[2]) };
}
