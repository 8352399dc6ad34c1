// One HTTP request, one answer. Here is what TLS and the network do to it; status codes, redirects and
// authorization are for those above.

import { ChError } from "../error.ts";
import { hurry } from "./hurry.ts";
import { readTrusted, type TrustSettings } from "./trust.ts";

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** It did not come to an answer. */
export class TransportError extends ChError {
  constructor(
    message: string,
    readonly kind: "certificate" | "not TLS" | "port" | "connect" | "network",
    hint?: string,
  ) {
    super(message, hint === undefined ? {} : { hint });
  }
}

/** Connections to one host; dispose closes those that are kept open. */
export class Transport implements Disposable {
  readonly #trust: TrustSettings;
  readonly #clients = new Map<string, Deno.HttpClient>();

  constructor(trust: TrustSettings) {
    this.#trust = trust;
  }

  /** Redirects are answers, too. Throws a TransportError, or the signal's reason. */
  async send(request: HttpRequest): Promise<Response> {
    const { method, url, headers, body, signal } = request;
    signal?.throwIfAborted();
    try {
      if (url.protocol === "https:" && !this.#trust.verify) {
        const { sendUnverified } = await import("./unverified.ts");
        return await sendUnverified(request, this.#trust.proxies);
      }
      const client = this.#clientFor(url);
      const response = fetch(url, {
        method,
        // What is stored and what is hashed are the bytes as the registry has them.
        headers: { "Accept-Encoding": "identity", ...headers },
        redirect: "manual",
        ...body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> },
        ...signal === undefined ? {} : { signal },
        ...client === undefined ? {} : { client },
      });
      return await hurry(response);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ChError) throw error;
      throw describeFailure(method, url, error);
    }
  }

  [Symbol.dispose](): void {
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
  }

  #clientFor({ protocol, host }: URL): Deno.HttpClient {
    const key = `${protocol}${host}`;
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    const needsTrust = protocol === "https:" && this.#trust.verify;
    const caCerts = needsTrust ? [...readTrusted(this.#trust, host)] : [];
    // Transfers that go on side by side get a connection each: one would be shared by all of HTTP/2's.
    const client = Deno.createHttpClient({ caCerts, http2: false });
    this.#clients.set(key, client);
    return client;
  }
}

/** What fetch says where there is no connection, and what Node's module says. */
const NOT_THERE = /client error \(Connect\)|\b(ENOTFOUND|ECONNREFUSED|EHOSTUNREACH|ENETUNREACH)\b/;

/** The runtime's words are long and name the URL twice. */
function describeFailure(method: string, url: URL, error: unknown): TransportError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = cause instanceof Error ? cause.message : String(cause);
  const certificate = /invalid peer certificate: (.*)/.exec(text)?.[1];
  const where = url.host;
  if (certificate !== undefined) {
    return new TransportError(
      `${method} failed: ${where}: certificate verify failed: ${plainReason(certificate)}`,
      "certificate",
      "REQUESTS_CA_BUNDLE names a file of certificates to trust; --tls-no-verify trusts any",
    );
  }
  if (/^Fetch failed: Requests to port \d+ are blocked/.test(text)) {
    return new TransportError(
      `${method} failed: ${where}: port is reserved for another service`,
      "port",
      "the Fetch Standard lists ports that are no good for HTTP; let the registry have another",
    );
  }
  const isNotThere = NOT_THERE.test(text);
  const isNotTls = /InvalidContentType|corrupt message|wrong version/i.test(text);
  const detail = /client error \((\w+)\)(?:: (.*))?$/s.exec(text)?.[2] ?? text;
  return new TransportError(
    `${method} failed: ${where}: ${isNotTls ? "no TLS there" : detail}`,
    isNotTls ? "not TLS" : isNotThere ? "connect" : "network",
    isNotTls
      ? "--plain-http is for registries without TLS"
      : isNotThere
      ? "is it running, is its name right, can this machine reach it? https_proxy names a proxy"
      : undefined,
  );
}

function plainReason(reason: string): string {
  if (reason.includes("UnknownIssuer")) return "unknown issuer";
  if (reason.includes("CaUsedAsEndEntity")) {
    return "self-signed: it is an authority’s certificate, not a server’s";
  }
  if (reason.includes("NotValidForName")) return "it is for another host name";
  if (reason.includes("Expired")) return "expired";
  return reason;
}
