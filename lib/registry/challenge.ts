// What a registry says in WWW-Authenticate when it wants to know who asks (RFC 9110 §11.6.1).

import { ChError } from "../error.ts";

export interface Challenge {
  /** Lower case: "bearer", "basic". */
  readonly scheme: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
  /** The same for challenges that ask for the same. */
  readonly text: string;
}

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const PARAMETER = new RegExp(`^(${TOKEN})\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s,"]+))`);
const SCHEME = new RegExp(`^(${TOKEN})(?=[\\s,]|$)`);

/** All challenges of a header, which may be several; what cannot be understood ends the list. */
export function parseChallenges(header: string): readonly Challenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  let rest = header;
  const skip = (length: number) => rest = rest.slice(length).replace(/^[\s,]+/, "");
  skip(0);
  while (rest !== "") {
    const parameter = PARAMETER.exec(rest);
    if (parameter !== null) {
      const [whole, name, quoted, plain] = parameter;
      found.at(-1)?.parameters.set(name!.toLowerCase(), plain ?? quoted!.replace(/\\(.)/g, "$1"));
      skip(whole.length);
      continue;
    }
    const scheme = SCHEME.exec(rest);
    if (scheme === null) break;
    found.push({ scheme: scheme[1]!.toLowerCase(), parameters: new Map() });
    skip(scheme[0].length);
  }
  return found.map(({ scheme, parameters }) => ({
    scheme,
    parameters,
    text: `${scheme} ${JSON.stringify([...parameters].sort())}`,
  }));
}

/** Where to get a token for CHALLENGE: its realm, everything else it says being the query. */
export function tokenUrl({ parameters }: Challenge): URL {
  const realm = parameters.get("realm");
  if (realm === undefined) throw new ChError("WWW-Authenticate missing key: realm");
  let url: URL;
  try {
    url = new URL(realm);
  } catch {
    throw new ChError(`WWW-Authenticate: realm is no URL: ${realm}`);
  }
  for (const [name, value] of parameters) {
    if (name === "realm" || name === "error" || name === "error_description") continue;
    // Several scopes, separated by blanks, are asked for one by one.
    const values = name === "scope" ? value.split(" ").filter((one) => one !== "") : [value];
    for (const one of values) url.searchParams.append(name, one);
  }
  return url;
}
