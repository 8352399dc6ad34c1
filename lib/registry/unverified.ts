// HTTPS with whoever answers (--tls-no-verify). The runtime's fetch always verifies, Node's module need
// not; it is loaded for this only.

import type { TLSSocket } from "node:tls";
import { openTunnel, type ProxySettings, selectProxy } from "./proxy.ts";
import type { HttpRequest } from "./transport.ts";

/** Throws a ChError about the proxy, else what the network does. */
export async function sendUnverified(
  { method, url, headers, body, signal }: HttpRequest,
  proxies: ProxySettings,
): Promise<Response> {
  const https = await import("node:https");
  const http = await import("node:http");
  const { Readable } = await import("node:stream");
  const proxy = selectProxy(proxies, url);
  const tunnel = proxy && await openSecureTunnel(proxy, url, signal);
  const { request: send } = tunnel === undefined ? https : http;
  return await new Promise((resolve, reject) => {
    const request = send(
      url,
      {
        method,
        headers: {
          ...headers,
          ...body === undefined ? {} : { "Content-Length": String(body.length) },
        },
        // Through a tunnel that is encrypted already, HTTP is spoken as it is.
        ...tunnel === undefined
          ? { rejectUnauthorized: false }
          : { protocol: "http:", createConnection: () => tunnel },
        ...signal === undefined ? {} : { signal },
      },
      (answer) => {
        const status = answer.statusCode ?? 0;
        const isEmpty = method === "HEAD" || status === 204 || status === 304;
        if (isEmpty) answer.resume();
        const stream = isEmpty ? null : Readable.toWeb(answer) as ReadableStream<Uint8Array>;
        const received = new Headers();
        for (let i = 0; i < answer.rawHeaders.length; i += 2) {
          received.append(answer.rawHeaders[i]!, answer.rawHeaders[i + 1]!);
        }
        resolve(
          new Response(stream, {
            status,
            statusText: answer.statusMessage ?? "",
            headers: received,
          }),
        );
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}

async function openSecureTunnel(
  proxy: URL,
  url: URL,
  signal: AbortSignal | undefined,
): Promise<TLSSocket> {
  const tls = await import("node:tls");
  const socket = await openTunnel(proxy, url, signal);
  return await new Promise((resolve, reject) => {
    const servername = /^[\d.]+$|:/.test(url.hostname) ? "" : url.hostname; // an address is no name
    const secure = tls.connect({ socket, servername, rejectUnauthorized: false });
    secure.once("secureConnect", () => resolve(secure));
    secure.once("error", reject);
  });
}
