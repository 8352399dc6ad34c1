// Whether a registry accepts a name and password.

import { ChError } from "../error.ts";
import type { Credentials } from "./credentials.ts";
import { type RegistrySettings, Repository } from "./repository.ts";

/** Throws a ChError if REGISTRY does not accept CREDENTIALS, or asks for none. */
export async function verifyLogin(
  registry: { readonly host: string; readonly port: number },
  credentials: Credentials,
  settings: RegistrySettings,
): Promise<void> {
  let isAsked = false;
  const only = () => {
    isAsked = true;
    return Promise.resolve(credentials);
  };
  const sources = { given: undefined, findSaved: only };
  const name = `${registry.host}:${registry.port}`;
  using repository = new Repository({ ...registry, path: [], name: "any" }, {
    ...settings,
    credentials: { mode: "authenticated", sources, remember: true },
  });
  try {
    await repository.ping();
  } catch (error) {
    if (!isAsked) throw error;
    throw new ChError(`login refused: ${name}`, { cause: error });
  }
  if (!isAsked) throw new ChError(`registry does not ask for a login: ${name}`);
}
