// One repository of one registry: requests to it, with authorization, redirects and retries taken care
// of (OCI distribution specification; spec ch-image §9.1).

import { ChError } from "../error.ts";
import type { Log } from "../log/log.ts";
import { Authorizer, isLoopback } from "./authorizer.ts";
import { type CredentialSettings, Keyring } from "./credentials.ts";
import { readErrorText } from "./response.ts";
import { DEFAULT_RETRIES, isTransient, pause, type RetrySettings } from "./retry.ts";
import { type HttpRequest, Transport, TransportError } from "./transport.ts";
import type { TrustSettings } from "./trust.ts";

export interface RegistrySettings {
  readonly trust: TrustSettings;
  readonly credentials: CredentialSettings;
  /** HTTP without TLS. Where this is this very machine it is tried when there is no TLS. */
  readonly plainHttp: boolean;
  readonly retries?: RetrySettings;
  readonly log: Log;
  readonly signal?: AbortSignal | undefined;
}

export interface RepositoryName {
  readonly host: string;
  readonly port: number;
  readonly path: readonly string[];
  readonly name: string;
}

export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  readonly query?: Readonly<Record<string, string>>;
  /** Any other status is an error. */
  readonly expected: readonly number[];
  /** False where doing it twice is not the same as doing it once. */
  readonly isRepeatable?: boolean;
  /** Beside the one of the settings. */
  readonly signal?: AbortSignal | undefined;
}

const MAX_REDIRECTS = 5;
/** A registry may ask for a wider scope after the first; more often it is out of its mind. */
const MAX_ROUNDS = 5;
/** A host that is not there will most likely not come. */
const CONNECT_RETRIES = 2;
/** A Retry-After up to here is worth waiting for, in seconds. */
const MAX_WAIT = 60;
/** Bytes a second that an upload reaches at least. */
const SLOW_UPLOAD = 30_000;

export class Repository implements Disposable {
  /** "library/debian" */
  readonly path: string;
  /** "HOST:PORT" */
  readonly registry: string;
  readonly log: Log;
  readonly retries: RetrySettings;
  readonly #settings: RegistrySettings;
  readonly #transport: Transport;
  readonly #authorizer: Authorizer;
  #scheme: "https" | "http";

  constructor({ host, port, path, name }: RepositoryName, settings: RegistrySettings) {
    this.path = [...path, name].join("/");
    this.registry = `${host}:${port}`;
    this.log = settings.log;
    this.retries = settings.retries ?? DEFAULT_RETRIES;
    this.#settings = settings;
    this.#scheme = settings.plainHttp ? "http" : "https";
    this.#transport = new Transport(settings.trust);
    this.#authorizer = new Authorizer({
      keyring: new Keyring(this.registry, settings.credentials),
      transport: this.#transport,
      isPlain: () => this.#scheme === "http",
      log: settings.log,
      signal: settings.signal,
    });
  }

  get isAnonymous(): boolean {
    return this.#settings.credentials.mode !== "authenticated";
  }

  get signal(): AbortSignal | undefined {
    return this.#settings.signal;
  }

  /** A request about the repository, e.g. `manifests/latest`. Throws a ChError. */
  request(method: string, path: string, options: RequestOptions): Promise<Response> {
    return this.requestUrl(method, () => this.#url(`${this.path}/${path}`), options);
  }

  /** Whether the registry is there and lets us in. */
  async ping(): Promise<void> {
    const response = await this.requestUrl("GET", () => this.#url(""), { expected: [200, 401] });
    await response.body?.cancel();
    if (response.status === 401) throw new ChError("unhandled authentication failure");
  }

  /** What the registry itself gave as an address, e.g. of an upload. */
  resolve(location: string): URL {
    const url = new URL(location, this.#url(""));
    if (url.protocol === "https:" || this.#scheme === "http") return url;
    if (this.#isOwn(url)) url.protocol = "https:"; // a proxy in front of it that it does not know of
    else throw new ChError(`refusing to go on without TLS: ${url.origin}`);
    return url;
  }

  async requestUrl(
    method: string,
    findUrl: () => URL,
    options: RequestOptions,
  ): Promise<Response> {
    const pauses = options.isRepeatable === false ? [] : this.retries.pauses;
    for (let attempt = 0;; attempt++) {
      const wait = pauses[attempt];
      try {
        const response = await this.#authorized(method, findUrl, options);
        const retry = retryAfter(response, wait);
        if (retry === undefined) return await this.#check(method, response, options);
        await response.body?.cancel();
        await this.#pause(retry, `${method} failed: status ${response.status}`);
      } catch (error) {
        if (!(error instanceof TransportError)) throw error;
        if (this.#fallBack(error)) continue;
        const isHopeless = error.kind === "connect"
          ? attempt >= CONNECT_RETRIES
          : error.kind !== "network";
        if (isHopeless || wait === undefined) throw error;
        await this.#pause(wait, error.message);
      }
    }
  }

  [Symbol.dispose](): void {
    this.#transport[Symbol.dispose]();
  }

  #pause(milliseconds: number, why: string): Promise<void> {
    return pause(milliseconds, why, this.log, this.signal);
  }

  async #authorized(
    method: string,
    findUrl: () => URL,
    options: RequestOptions,
  ): Promise<Response> {
    for (let round = 1;; round++) {
      const header = await this.#authorizer.header();
      const url = withQuery(findUrl(), options.query);
      const response = await this.#followed(method, url, header, options);
      if (response.status !== 401) {
        this.#authorizer.accepted(header);
        return response;
      }
      if (round === MAX_ROUNDS || !await this.#authorizer.answer(response, header)) return response;
      await response.body?.cancel();
    }
  }

  /** Redirects lead elsewhere: what is for the registry does not go along. */
  async #followed(
    method: string,
    start: URL,
    authorization: string | undefined,
    { headers = {}, body, signal }: RequestOptions,
  ): Promise<Response> {
    let url = start;
    for (let count = 0; count <= MAX_REDIRECTS; count++) {
      const own: Record<string, string> = authorization !== undefined && this.#isOwn(url)
        ? { Authorization: authorization }
        : {};
      const request = { method, url, headers: { ...headers, ...own }, body, signal };
      const response = await this.#sendPatiently(request);
      const location = response.headers.get("Location");
      const isRedirect = [301, 302, 303, 307, 308].includes(response.status);
      if (!isRedirect || location === null || (method !== "GET" && method !== "HEAD")) {
        return response;
      }
      await response.body?.cancel();
      const next = new URL(location, url);
      if (
        !/^https?:$/.test(next.protocol) || (url.protocol === "https:" && next.protocol === "http:")
      ) {
        throw new ChError(`refusing redirection without TLS: ${next.origin}`);
      }
      url = next;
    }
    throw new ChError(`${method} failed: too many redirections: ${start.host}`);
  }

  /** Gives up what does not answer. The body has to be watched by who reads it. */
  async #sendPatiently(request: HttpRequest): Promise<Response> {
    const { patience } = this.retries;
    const { method, url, body } = request;
    const controller = new AbortController();
    const limit = patience + (body?.length ?? 0) / SLOW_UPLOAD * 1000;
    const timer = setTimeout(() => {
      const seconds = Math.round(limit / 1000);
      controller.abort(
        new TransportError(`${method} failed: ${url.host}: no answer in ${seconds} s`, "network"),
      );
    }, limit);
    const signals = [controller.signal, this.signal, request.signal].filter((one) =>
      one !== undefined
    );
    try {
      return await this.#transport.send({ ...request, signal: AbortSignal.any(signals) });
    } finally {
      clearTimeout(timer);
    }
  }

  async #check(
    method: string,
    response: Response,
    { expected }: RequestOptions,
  ): Promise<Response> {
    const { status } = response;
    if (expected.includes(status)) return response;
    if (status === 429) {
      await response.body?.cancel();
      throw new ChError(
        "registry rate limit exceeded (HTTP 429)",
        this.isAnonymous ? { hint: "consider --auth" } : {},
      );
    }
    if (status === 401) {
      await response.body?.cancel();
      throw new ChError("unhandled authentication failure");
    }
    const text = await readErrorText(response);
    throw new ChError(
      `${method} failed; expected status {${expected.join(", ")}} but got ${status}: ` +
        `${response.statusText}${text}`,
    );
  }

  /** On this very machine a registry without TLS is no risk. */
  #fallBack(error: TransportError): boolean {
    const hostname = this.registry.replace(/:\d+$/, "");
    if (error.kind !== "not TLS" || this.#scheme === "http" || !isLoopback(hostname)) return false;
    this.log.verbose(`no TLS, using plain HTTP: ${this.registry}`);
    this.#scheme = "http";
    return true;
  }

  #isOwn(url: URL): boolean {
    return url.host === this.#url("").host;
  }

  #url(path: string): URL {
    return new URL(`${this.#scheme}://${this.registry}/v2/${path}`);
  }
}

/** Milliseconds to wait before RESPONSE's request is made again; undefined if it is the answer. */
function retryAfter({ status, headers }: Response, wait: number | undefined): number | undefined {
  if (wait === undefined) return undefined;
  if (isTransient(status)) return wait;
  const seconds = Number(headers.get("Retry-After") ?? NaN);
  return status === 429 && seconds <= MAX_WAIT ? Math.max(seconds * 1000, wait) : undefined;
}

function withQuery(url: URL, query: RequestOptions["query"]): URL {
  for (const [name, value] of Object.entries(query ?? {})) url.searchParams.set(name, value);
  return url;
}
