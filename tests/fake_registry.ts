// A registry made up for a test, in this process: it serves what it is told to, right or wrong, and
// remembers what it was asked.

import { gunzipSync } from "node:zlib";

export interface Asked {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
}

/** Answers a request in its own way; undefined lets the registry answer. */
export type Intercept = (request: Request, url: URL, count: number) =>
  | Response
  | Promise<Response | undefined>
  | undefined;

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

export class FakeRegistry implements AsyncDisposable {
  readonly asked: Asked[] = [];
  readonly blobs = new Map<string, Uint8Array<ArrayBuffer>>();
  /** By tag or digest. */
  readonly manifests = new Map<string, { type: string; bytes: Uint8Array<ArrayBuffer> }>();
  intercept: Intercept = () => undefined;
  /** Uploads that have begun and not ended. */
  readonly uploads = new Map<string, Uint8Array<ArrayBuffer>>();
  /** Whether it sends parts of blobs. */
  hasRanges = true;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** With CERTIFICATE and its key, both as PEM text, it speaks TLS. */
  constructor(tls: { readonly cert: string; readonly key: string } | object = {}) {
    this.#server = Deno.serve(
      {
        ...tls,
        hostname: "127.0.0.1",
        port: 0,
        onListen() {},
        onError: () => new Response(null, { status: 500 }),
      },
      (request) => this.#answer(request),
    );
  }

  get port(): number {
    return this.#server.addr.port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** How often a path that ends so was asked for. */
  count(method: string, end: string): number {
    return this.asked.filter((one) => one.method === method && one.path.endsWith(end)).length;
  }

  async addBlob(bytes: Uint8Array<ArrayBuffer> | string): Promise<string> {
    const data = typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes;
    const digest = await digestOf(data);
    this.blobs.set(digest, data);
    return digest;
  }

  async addManifest(tag: string, value: unknown, type = MANIFEST): Promise<string> {
    const bytes = new TextEncoder().encode(
      typeof value === "string" ? value : JSON.stringify(value),
    );
    const digest = await digestOf(bytes);
    this.manifests.set(tag, { type, bytes });
    this.manifests.set(digest, { type, bytes });
    return digest;
  }

  /** An image with these LAYERS, compressed by gzip or not; returns their digests. CONFIG may say otherwise. */
  async addImage(
    tag: string,
    layers: readonly Uint8Array<ArrayBuffer>[],
    config: object = {},
  ): Promise<string[]> {
    const digests: string[] = [];
    for (const layer of layers) digests.push(await this.addBlob(layer));
    const configText = JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: await Promise.all(layers.map(diffIdOf)) },
      history: [],
      ...config,
    });
    const configDigest = await this.addBlob(configText);
    await this.addManifest(tag, {
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: {
        mediaType: "application/vnd.oci.image.config.v1+json",
        digest: configDigest,
        size: new TextEncoder().encode(configText).length,
      },
      layers: layers.map((layer, index) => ({
        mediaType: "application/vnd.oci.image.layer.v1.tar",
        digest: digests[index],
        size: layer.length,
      })),
    });
    return digests;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    const path = url.pathname + url.search;
    const count = this.asked.filter((one) => one.path === path && one.method === request.method)
      .length;
    this.asked.push({
      method: request.method,
      path,
      authorization: request.headers.get("Authorization") ?? undefined,
      range: request.headers.get("Range") ?? undefined,
    });
    const own = await this.intercept(request, url, count);
    if (own !== undefined) return own;
    const [, kind, name] = /\/(manifests|blobs)\/([^/]+)$/.exec(url.pathname) ?? [];
    if (url.pathname === "/v2/") return new Response();
    if (url.pathname.includes("/blobs/uploads/")) return await this.#answerUpload(request, url);
    if (kind === "manifests" && request.method === "PUT") {
      await this.addManifest(name!, await request.text(), request.headers.get("Content-Type")!);
      return new Response(null, { status: 201 });
    }
    if (kind === "manifests") {
      const found = this.manifests.get(name!);
      if (found === undefined) return new Response(null, { status: 404 });
      return new Response(found.bytes, { headers: { "Content-Type": found.type } });
    }
    const blob = this.blobs.get(name ?? "");
    if (blob === undefined) return new Response(null, { status: 404 });
    return sendBlob(blob, this.hasRanges ? request.headers.get("Range") : null);
  }

  async #answerUpload(request: Request, url: URL): Promise<Response> {
    const headers = (id: string) => ({
      Location: `/v2/a/b/blobs/uploads/${id}?state=${this.uploads.get(id)?.length}`,
      Range: `0-${Math.max((this.uploads.get(id)?.length ?? 0) - 1, 0)}`,
    });
    if (request.method === "POST") {
      const id = crypto.randomUUID();
      this.uploads.set(id, new Uint8Array());
      return new Response(null, { status: 202, headers: headers(id) });
    }
    const id = url.pathname.split("/").at(-1)!;
    const before = this.uploads.get(id);
    if (before === undefined) return new Response(null, { status: 404 });
    const body = new Uint8Array(await request.arrayBuffer());
    switch (request.method) {
      case "GET":
        return new Response(null, { status: 204, headers: headers(id) });
      case "DELETE":
        this.uploads.delete(id);
        return new Response(null, { status: 204 });
      case "PATCH": {
        const [start] = request.headers.get("Content-Range")!.split("-").map(Number);
        if (start !== before.length) return new Response(null, { status: 416 });
        this.uploads.set(id, join(before, body));
        return new Response(null, { status: 202, headers: headers(id) });
      }
      default: {
        const digest = await this.addBlob(join(before, body));
        this.uploads.delete(id);
        if (digest === url.searchParams.get("digest")) return new Response(null, { status: 201 });
        this.blobs.delete(digest);
        return new Response(null, { status: 400 });
      }
    }
  }
}

function join(left: Uint8Array, right: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(left.length + right.length);
  whole.set(left);
  whole.set(right, left.length);
  return whole;
}

export function sendBlob(blob: Uint8Array<ArrayBuffer>, range: string | null): Response {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
  if (from === undefined) return new Response(blob);
  const start = Number(from), end = to ? Number(to) + 1 : blob.length;
  return new Response(blob.subarray(start, end), {
    status: 206,
    headers: { "Content-Range": `bytes ${start}-${end - 1}/${blob.length}` },
  });
}

/** The first bytes of a blob, and then the connection breaks. */
export function sendBroken(blob: Uint8Array<ArrayBuffer>, count: number): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(blob.subarray(0, count));
    },
    async pull(controller) {
      await new Promise((done) => setTimeout(done, 50));
      controller.error(new Error("broken on purpose"));
    },
  }, { highWaterMark: 0 });
  return new Response(body, { headers: { "Content-Length": String(blob.length) } });
}

async function diffIdOf(layer: Uint8Array<ArrayBuffer>): Promise<string> {
  try {
    return await digestOf(new Uint8Array(gunzipSync(layer)));
  } catch {
    return await digestOf(layer); // no gzip, or bad
  }
}

export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return `sha256:${new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex()}`;
}
