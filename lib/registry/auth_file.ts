// Files of saved logins, as Docker and podman keep them (containers-auth.json(5)): plain ones in
// `auths`, and the names of helpers that keep others. Text in, text out; auth_files.ts knows the files.

import { ChError } from "../error.ts";
import type { Credentials } from "./credentials.ts";

type Values = Readonly<Record<string, unknown>>;

export interface AuthFile {
  readonly path: string;
  readonly values: Values;
}

/** Throws a ChError if TEXT is no JSON object. */
export function parseAuthFile(text: string, path: string): AuthFile {
  try {
    const values: unknown = JSON.parse(text.trim() === "" ? "{}" : text);
    if (typeof values === "object" && values !== null && !Array.isArray(values)) {
      return { path, values: values as Values };
    }
  } catch (error) {
    throw new ChError(`can’t parse JSON: ${path}`, { cause: error });
  }
  throw new ChError(`can’t parse JSON: ${path}: not an object`);
}

/** Names under which logins for the registry "HOST:PORT" may be saved, the best first. */
export function listKeys(registry: string): readonly string[] {
  const host = registry.replace(/:443$/, "");
  const names = host === "registry-1.docker.io"
    ? ["docker.io", "https://index.docker.io/v1/", "index.docker.io", host]
    : [host];
  const all = names.includes(registry) ? names : [...names, registry];
  return [
    ...all,
    ...all.flatMap((name) => [`https://${name}`, `https://${name}/v1/`, `https://${name}/v2/`]),
  ];
}

/** The login in `auths`. */
export function findPlainLogin(file: AuthFile, registry: string): Credentials | undefined {
  const auths = objectOf(file.values.auths);
  for (const key of listKeys(registry)) {
    const login = Object.hasOwn(auths, key) ? objectOf(auths[key]) : {};
    const { auth, identitytoken: identity, username, password } = login;
    if (typeof identity === "string" && identity !== "") {
      return { kind: "identity", token: identity };
    }
    if (typeof auth === "string" && auth !== "") return decodeLogin(auth, file.path, key);
    if (typeof username === "string" && typeof password === "string" && username !== "") {
      return { kind: "password", username, password };
    }
  }
  return undefined;
}

/** Helper that keeps the login, and the name it knows the registry by. */
export interface HelperEntry {
  readonly helper: string;
  readonly key: string;
}

/** Helpers to ask, one for this registry before one for all. */
export function listHelpers({ values }: AuthFile, registry: string): readonly HelperEntry[] {
  const helpers = objectOf(values.credHelpers);
  const keys = listKeys(registry);
  const own = keys.flatMap((key) => {
    const helper = Object.hasOwn(helpers, key) ? helpers[key] : undefined;
    return typeof helper === "string" && helper !== "" ? [{ helper, key }] : [];
  });
  const { credsStore } = values;
  if (typeof credsStore !== "string" || credsStore === "") return own;
  return [...own, ...keys.map((key) => ({ helper: credsStore, key }))];
}

/** The file with a login for the registry instead of any it had. */
export function withLogin(
  { values }: AuthFile,
  registry: string,
  username: string,
  password: string,
): string {
  const auth = new TextEncoder().encode(`${username}:${password}`).toBase64();
  const auths = withoutKeys(objectOf(values.auths), listKeys(registry));
  return format({ ...values, auths: { ...auths, [listKeys(registry)[0]!]: { auth } } });
}

/** The file without it; undefined if it had none. */
export function withoutLogin({ values }: AuthFile, registry: string): string | undefined {
  const auths = objectOf(values.auths);
  const kept = withoutKeys(auths, listKeys(registry));
  if (Object.keys(kept).length === Object.keys(auths).length) return undefined;
  return format({ ...values, auths: kept });
}

function decodeLogin(auth: string, path: string, key: string): Credentials {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.fromBase64(auth));
    const at = text.indexOf(":");
    // Docker pads with NUL.
    if (at > 0) {
      const password = text.slice(at + 1).replace(/\0+$/, "");
      return { kind: "password", username: text.slice(0, at), password };
    }
  } catch {
    // as wrong as one without a colon
  }
  throw new ChError(`can’t decode saved login: ${path}: ${key}`, {
    hint: "make it anew with “ch-image login”",
  });
}

function withoutKeys(values: Values, keys: readonly string[]): Values {
  return Object.fromEntries(Object.entries(values).filter(([key]) => !keys.includes(key)));
}

function format(values: Values): string {
  return JSON.stringify(values, undefined, 2) + "\n";
}

function objectOf(value: unknown): Values {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Values
    : {};
}
