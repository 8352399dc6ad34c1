// HTTPS with whoever answers (--tls-no-verify). The runtime's fetch always verifies, Node's module need
// not; it is loaded for this only.

import type { HttpRequest } from "./transport.ts";

/** Throws what the network does. */
export async function sendUnverified(
  { method, url, headers, body, signal }: HttpRequest,
): Promise<Response> {
  const https = await import("node:https");
  const { Readable } = await import("node:stream");
  return await new Promise((resolve, reject) => {
    const request = https.request(
      url,
      {
        method,
        headers: {
          ...headers,
          ...body === undefined ? {} : { "Content-Length": String(body.length) },
        },
        rejectUnauthorized: false,
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
