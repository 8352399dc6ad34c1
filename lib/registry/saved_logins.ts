// Logins that are kept on disk: found, saved and removed in the files of Docker and podman, so that who
// has logged in with those need not do it again.

import { ChError } from "../error.ts";
import { removeIfThere } from "../store/remove_if_there.ts";
import {
  type AuthFile,
  findPlainLogin,
  listHelpers,
  listKeys,
  parseAuthFile,
  withLogin,
  withoutLogin,
} from "./auth_file.ts";
import {
  type CallerEnvironment,
  eraseFromHelper,
  getFromHelper,
  storeInHelper,
} from "./credential_helper.ts";
import type { Credentials } from "./credentials.ts";

/** The login for the registry "HOST:PORT"; undefined if there is none. */
export async function findSavedLogin(
  registry: string,
  environment: CallerEnvironment,
): Promise<Credentials | undefined> {
  for (const path of listPaths(environment)) {
    const file = readFile(path);
    if (file === undefined) continue;
    for (const { helper, key } of listHelpers(file, registry)) {
      const found = await getFromHelper(helper, key, environment);
      if (found !== undefined) return found;
    }
    const found = findPlainLogin(file, registry);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Saves a login; returns where, for the user to know. Throws a ChError. */
export async function saveLogin(
  registry: string,
  username: string,
  password: string,
  environment: CallerEnvironment,
): Promise<string> {
  for (const path of listPaths(environment)) {
    const file = readFile(path);
    const [entry] = file === undefined ? [] : listHelpers(file, registry);
    if (entry === undefined) continue;
    await storeInHelper(entry.helper, entry.key, username, password, environment);
    return `docker-credential-${entry.helper}`;
  }
  const path = choosePath(environment);
  const file = readFile(path) ?? { path, values: {} };
  replaceFile(path, withLogin(file, registry, username, password));
  return path;
}

/** Removes every login for the registry; returns where there were any. */
export async function removeLogin(
  registry: string,
  environment: CallerEnvironment,
): Promise<readonly string[]> {
  const places: string[] = [];
  for (const path of listPaths(environment)) {
    const file = readFile(path);
    if (file === undefined) continue;
    for (const { helper, key } of listHelpers(file, registry)) {
      if (await eraseFromHelper(helper, key, environment)) {
        places.push(`docker-credential-${helper}`);
      }
    }
    const text = withoutLogin(file, registry);
    if (text === undefined) continue;
    replaceFile(path, text);
    places.push(path);
  }
  return places;
}

/** How users know the registry. */
export function displayRegistry(registry: string): string {
  return listKeys(registry)[0]!;
}

function listPaths(environment: CallerEnvironment): readonly string[] {
  const chosen = environment.get("REGISTRY_AUTH_FILE");
  if (chosen) return [chosen];
  const home = environment.get("HOME");
  const runtime = environment.get("XDG_RUNTIME_DIR");
  const config = environment.get("XDG_CONFIG_HOME") || (home && `${home}/.config`);
  const docker = environment.get("DOCKER_CONFIG") || (home && `${home}/.docker`);
  return [
    runtime && `${runtime}/containers/auth.json`,
    config && `${config}/containers/auth.json`,
    docker && `${docker}/config.json`,
  ].filter((path): path is string => Boolean(path));
}

/** As podman, in a directory that goes when the user's session ends, if there is one. */
function choosePath(environment: CallerEnvironment): string {
  const paths = listPaths(environment);
  const runtime = environment.get("XDG_RUNTIME_DIR");
  const path = runtime && isDirectory(runtime) ? paths[0] : paths.at(-1);
  if (path !== undefined) return path;
  throw new ChError("nowhere to save a login", { hint: "set HOME or REGISTRY_AUTH_FILE" });
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function readFile(path: string): AuthFile | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw new ChError(`can’t read saved logins: ${path}`, { cause: error });
  }
  return parseAuthFile(text, path);
}

/** Readable by the user alone; never half written. What a link leads to is replaced, not the link. */
function replaceFile(path: string, text: string): void {
  try {
    Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true, mode: 0o700 });
    const target = realPath(path);
    const fresh = `${target}.${crypto.randomUUID()}`;
    try {
      Deno.writeTextFileSync(fresh, text, { mode: 0o600, createNew: true });
      Deno.renameSync(fresh, target);
    } catch (error) {
      removeIfThere(fresh);
      throw error;
    }
  } catch (error) {
    throw new ChError(`can’t save login: ${path}`, { cause: error });
  }
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return path;
    throw error;
  }
}
