// Proving to a registry who we are, or that we may come without saying (spec ch-image §9.2; Docker's
// "token authentication specification"). Nothing is sent before the registry has asked.

import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { type Challenge, parseChallenges, tokenUrl } from "./challenge.ts";
import { basicAuthorization, type Credentials, type Keyring } from "./credentials.ts";
import { readToken, type Token } from "./token.ts";
import type { Transport } from "./transport.ts";

export interface AuthorizerTools {
  readonly keyring: Keyring;
  readonly transport: Transport;
  /** Whether the registry itself is reached without TLS. */
  readonly isPlain: () => boolean;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
}

/** What was last sent, and for which challenge. */
interface Present {
  readonly header: string;
  readonly challenge: Challenge;
  /** Milliseconds of Date.now(). */
  readonly expires: number;
  /** Whether the registry accepted it since. */
  isProven: boolean;
}

export class Authorizer {
  readonly #tools: AuthorizerTools;
  #present: Present | undefined;
  /** Requests run in parallel; one of them looks for a new header, and the others wait. */
  #renewal: Promise<boolean> | undefined;

  constructor(tools: AuthorizerTools) {
    this.#tools = tools;
  }

  /** What to send; undefined as long as nothing was asked for. A token about to end is renewed. */
  async header(): Promise<string | undefined> {
    const present = this.#present;
    if (present !== undefined && present.expires <= Date.now() && present.isProven) {
      await this.#renew(() => this.#take(present.challenge));
    }
    return this.#present?.header;
  }

  /** The registry took HEADER. */
  accepted(header: string | undefined): void {
    if (this.#present?.header === header && this.#present !== undefined) {
      this.#present.isProven = true;
    }
  }

  /** RESPONSE is a 401 to a request with header USED. Whether to try again with another. */
  async answer(response: Response, used: string | undefined): Promise<boolean> {
    if (this.#present?.header !== used) return true; // another request was faster
    return await this.#renew(() => this.#answer(response));
  }

  async #renew(look: () => Promise<boolean>): Promise<boolean> {
    try {
      return await (this.#renewal ??= look());
    } finally {
      this.#renewal = undefined;
    }
  }

  async #answer(response: Response): Promise<boolean> {
    const text = response.headers.get("WWW-Authenticate");
    if (text === null) {
      throw new ChError("don’t know how to authenticate: WWW-Authenticate not found");
    }
    const challenges = parseChallenges(text);
    for (const scheme of ["bearer", "basic"]) {
      const challenge = challenges.find((one) => one.scheme === scheme);
      if (challenge !== undefined && await this.#take(challenge)) return true;
    }
    return false;
  }

  async #take(challenge: Challenge): Promise<boolean> {
    const before = this.#present;
    const isSame = before?.challenge.text === challenge.text;
    switch (challenge.scheme) {
      case "bearer":
        // What never worked will not work the second time.
        if (isSame && !before.isProven && before.expires > Date.now()) return false;
        return await this.#takeToken(challenge);
      case "basic": {
        if (!challenge.parameters.has("realm")) {
          throw new ChError("WWW-Authenticate missing key: realm");
        }
        const { keyring } = this.#tools;
        if (before?.challenge.scheme === "basic" && !before.isProven) {
          throw new ChError("no further authentication possible, giving up");
        }
        const credentials = await keyring.find();
        if (credentials?.kind !== "password") return false;
        const header = basicAuthorization(credentials.username, credentials.password);
        this.#present = { header, challenge, expires: Infinity, isProven: false };
        return true;
      }
      default:
        return false;
    }
  }

  async #takeToken(challenge: Challenge): Promise<boolean> {
    const { keyring, log } = this.#tools;
    const credentials = await keyring.find();
    let token = await this.#requestToken(challenge, credentials);
    if (token === undefined && credentials !== undefined && keyring.settings.mode === "saved") {
      log.warning(`saved login refused, going on without: ${keyring.registry}`);
      token = await this.#requestToken(challenge, undefined);
    }
    if (token === undefined) return false;
    const { text, expires } = token;
    this.#present = { header: `Bearer ${text}`, challenge, expires, isProven: false };
    return true;
  }

  /** Undefined if it is refused. */
  async #requestToken(
    challenge: Challenge,
    credentials: Credentials | undefined,
  ): Promise<Token | undefined> {
    const { transport, signal, log } = this.#tools;
    const url = tokenUrl(challenge);
    if (credentials !== undefined) this.#requireSafe(url);
    log.verbose(`requesting token: ${url.origin}`);
    const isIdentity = credentials?.kind === "identity";
    const response = isIdentity
      ? await transport.send({ ...identityRequest(url, credentials.token), signal })
      : await transport.send({
        method: "GET",
        url,
        headers: credentials === undefined
          ? {}
          : { Authorization: basicAuthorization(credentials.username, credentials.password) },
        signal,
      });
    return await readToken(response, url);
  }

  /** Credentials do not go over the network in the clear unless the registry's own address does. */
  #requireSafe({ protocol, hostname, origin }: URL): void {
    if (protocol === "https:" || this.#tools.isPlain() || isLoopback(hostname)) return;
    throw new ChError(`refusing to send credentials without TLS: ${origin}`);
  }
}

/** OAuth 2, as Docker's "OAuth 2 token authentication" has it. */
function identityRequest(url: URL, token: string) {
  const form = new URLSearchParams(url.search);
  const scopes = form.getAll("scope");
  form.delete("scope");
  if (scopes.length > 0) form.set("scope", scopes.join(" "));
  form.set("grant_type", "refresh_token");
  form.set("refresh_token", token);
  form.set("client_id", "charliecloud");
  return {
    method: "POST",
    url: new URL(url.pathname, url.origin),
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new TextEncoder().encode(form.toString()),
  };
}

/** Whether HOSTNAME is this very machine. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname.endsWith(".localhost") ||
    /^127(\.\d{1,3}){3}$/.test(hostname) || hostname === "[::1]" || hostname === "::1";
}
