// `--secret` and `--ssh`: what RUN may be told by mounts, and what never gets into an image.

import { ChError } from "../error.ts";

export interface Secrets {
  /** Content of the secret; undefined if it was not given. Throws a ChError if it cannot be read. */
  findSecret(id: string): Uint8Array | undefined;
  /** Path of the agent's socket; undefined if there is none. */
  findAgent(id: string): string | undefined;
}

export const NO_SECRETS: Secrets = { findSecret: () => undefined, findAgent: () => undefined };

/**
 * From the options' arguments: `id=ID[,src=FILE|,env=VARIABLE]`, `ID[=SOCKET]`. VARIABLE finds a variable
 * of the caller's. Throws a ChError for what is not of that form.
 */
export function parseSecrets(
  secrets: readonly string[],
  agents: readonly string[],
  variable: (name: string) => string | undefined,
): Secrets {
  const sources = new Map(secrets.map((text) => parseSecret(text)));
  const sockets = new Map(agents.map((text) => parseAgent(text, variable)));
  return {
    findSecret: (id) => {
      const source = sources.get(id);
      return source === undefined ? undefined : readSecret(id, source, variable);
    },
    findAgent: (id) => sockets.get(id),
  };
}

type Source = { readonly file: string } | { readonly variable: string } | "same name";

function parseSecret(text: string): [string, Source] {
  const fields = new Map(
    text.split(",").map((part): [string, string] => {
      const equals = part.indexOf("=");
      if (equals < 0) throw badSecret(text);
      return [part.slice(0, equals), part.slice(equals + 1)];
    }),
  );
  const known = ["id", "src", "source", "env", "type"];
  const id = fields.get("id");
  if (id === undefined || id === "" || [...fields.keys()].some((name) => !known.includes(name))) {
    throw badSecret(text);
  }
  const type = fields.get("type");
  if (type !== undefined && type !== "file" && type !== "env") throw badSecret(text);
  const file = fields.get("src") ?? fields.get("source");
  const variable = fields.get("env") ?? (type === "env" ? file ?? id : undefined);
  if (variable !== undefined) return [id, { variable }];
  return [id, file === undefined ? "same name" : { file }];
}

function badSecret(text: string): ChError {
  return new ChError(`--secret: can’t understand: ${text}`, {
    hint: "id=ID,src=FILE or id=ID,env=VARIABLE",
  });
}

/** Without a source it is the variable called ID or, failing that, the file. */
function readSecret(
  id: string,
  source: Source,
  find: (name: string) => string | undefined,
): Uint8Array {
  const variable = source === "same name" ? id : "variable" in source ? source.variable : undefined;
  const value = variable === undefined ? undefined : find(variable);
  if (value !== undefined) return new TextEncoder().encode(value);
  if (source !== "same name" && "variable" in source) {
    throw new ChError(`--secret: ${id}: not in environment: ${source.variable}`);
  }
  const file = source === "same name" ? id : source.file;
  try {
    return Deno.readFileSync(file);
  } catch (error) {
    throw new ChError(`--secret: ${id}: can’t read: ${file}`, { cause: error });
  }
}

function parseAgent(
  text: string,
  variable: (name: string) => string | undefined,
): [string, string] {
  const equals = text.indexOf("=");
  const id = equals < 0 ? text : text.slice(0, equals);
  const socket = equals < 0 ? variable("SSH_AUTH_SOCK") : text.slice(equals + 1);
  if (socket === undefined || socket === "") {
    throw new ChError(`--ssh: ${id}: no agent: SSH_AUTH_SOCK is not set`);
  }
  return [id, socket];
}
