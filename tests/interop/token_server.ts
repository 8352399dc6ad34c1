// A server of bearer tokens for a registry (Docker's "token authentication specification"): it says who
// asked for what, so that tests can look at it.

import assert from "node:assert/strict";

export interface TokenRequest {
  readonly method: string;
  readonly scopes: readonly string[];
  /** "NAME:PASSWORD"; undefined if it came without. */
  readonly credentials: string | undefined;
}

export interface TokenServerOptions {
  /** Who may push; who does not say who he is may pull. */
  readonly users: Readonly<Record<string, string>>;
  /** Seconds that a token lasts. */
  readonly lifetime?: number;
  /** Whether even pulling needs a login. */
  readonly isClosed?: boolean;
  /** Name of the token in its answer. */
  readonly member?: "token" | "access_token";
}

const SERVICE = "test registry";

export class TokenServer implements AsyncDisposable {
  readonly requests: TokenRequest[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly #directory: string;

  private constructor(
    directory: string,
    readonly key: CryptoKey,
    readonly certificate: string,
    readonly options: TokenServerOptions,
  ) {
    this.#directory = directory;
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      (request) => this.#answer(request),
    );
  }

  static async start(options: TokenServerOptions): Promise<TokenServer> {
    const directory = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "ch-token." });
    makeCertificate(directory);
    const key = await crypto.subtle.importKey(
      "pkcs8",
      decodePem(Deno.readTextFileSync(`${directory}/key.pem`)),
      { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
      false,
      ["sign"],
    );
    const certificate = decodePem(Deno.readTextFileSync(`${directory}/cert.pem`)).toBase64();
    return new TokenServer(directory, key, certificate, options);
  }

  /** For the registry. */
  get configuration() {
    return {
      realm: `http://127.0.0.1:${this.#server.addr.port}/token`,
      service: SERVICE,
      issuer: "test",
      rootcertbundle: `${this.#directory}/cert.pem`,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    Deno.removeSync(this.#directory, { recursive: true });
  }

  async #answer(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const credentials = readBasic(request.headers.get("Authorization"));
    const scopes = searchParams.getAll("scope");
    this.requests.push({ method: request.method, scopes, credentials });
    if (searchParams.get("service") !== SERVICE) return new Response(null, { status: 400 });
    const [, name, password] = /^([^:]*):(.*)$/s.exec(credentials ?? "") ?? [];
    const isUser = name !== undefined && this.options.users[name] === password;
    if (credentials === undefined ? this.options.isClosed : !isUser) {
      return new Response(null, { status: 401 });
    }
    const access = scopes.map((scope) => {
      const [type, path, actions] = scope.split(":") as [string, string, string];
      const allowed = actions.split(",").filter((action) => isUser || action === "pull");
      return { type, name: path, actions: allowed };
    });
    const lifetime = this.options.lifetime ?? 300;
    const token = await this.#sign(access, lifetime);
    return Response.json({ [this.options.member ?? "token"]: token, expires_in: lifetime });
  }

  async #sign(access: unknown, lifetime: number): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const head = { typ: "JWT", alg: "RS256", x5c: [this.certificate] };
    const claims = {
      iss: "test",
      sub: "anybody",
      aud: SERVICE,
      iat: now,
      nbf: now - 10,
      exp: now + lifetime,
      jti: crypto.randomUUID(),
      access,
    };
    const encode = (bytes: Uint8Array) =>
      bytes.toBase64({ alphabet: "base64url", omitPadding: true });
    const text = [head, claims].map((part) =>
      encode(new TextEncoder().encode(JSON.stringify(part)))
    ).join(".");
    const signature = await crypto.subtle.sign(
      "RSASSA-PKCS1-v1_5",
      this.key,
      new TextEncoder().encode(text),
    );
    return `${text}.${encode(new Uint8Array(signature))}`;
  }
}

function readBasic(header: string | null): string | undefined {
  const text = /^Basic (.*)$/.exec(header ?? "")?.[1];
  return text === undefined ? undefined : new TextDecoder().decode(Uint8Array.fromBase64(text));
}

function makeCertificate(directory: string): void {
  runOpenssl(
    "req",
    ...["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=tokens"],
    ...["-keyout", `${directory}/key.pem`, "-out", `${directory}/cert.pem`],
  );
}

export function runOpenssl(...args: string[]): void {
  const { success, stderr } = new Deno.Command("openssl", { args }).outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
}

function decodePem(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromBase64(text.replace(/-----[^-]+-----|\s/g, ""));
}
