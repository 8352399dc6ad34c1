// Which proxy a request goes through, by the variables that programs know, and tunnels through it. Only for
// what the runtime's fetch, which has proxies of its own, is not used for.

import type { Socket } from "node:net";
import { ChError } from "../error.ts";

export interface ProxySettings {
  /** URL of the proxy for HTTPS ($https_proxy); undefined for none. */
  readonly https: string | undefined;
  /** Names and addresses that need none, with commas ($no_proxy). */
  readonly exceptions: string;
}

/** The proxy for URL, undefined if there is none. Throws a ChError if it is of a kind not known here. */
export function selectProxy({ https, exceptions }: ProxySettings, url: URL): URL | undefined {
  if (https === undefined || url.protocol !== "https:") return undefined;
  const host = url.hostname.toLowerCase();
  if (exceptions.split(",").some((one) => isMeant(one.trim().toLowerCase(), host))) {
    return undefined;
  }
  const text = https.includes("://") ? https : `http://${https}`;
  const proxy = URL.canParse(text) ? new URL(text) : undefined;
  if (proxy?.protocol === "http:") return proxy;
  throw new ChError(`--tls-no-verify: proxy is not of the form http://HOST:PORT: ${https}`);
}

/** EXCEPTION is a name, which means all below it as well, an address, a network or "*". */
function isMeant(exception: string, host: string): boolean {
  if (exception === "") return false;
  if (exception === "*") return true;
  const [network, bits] = exception.split("/") as [string, string | undefined];
  const own = parseAddress(host), other = parseAddress(network);
  if (own !== undefined && other !== undefined) {
    const size = 2 ** (32 - Number(bits ?? 32));
    return Math.floor(own / size) === Math.floor(other / size);
  }
  const name = exception.replace(/^\./, "");
  return host === name || host.endsWith(`.${name}`);
}

/** Of IPv4, as a number. */
function parseAddress(text: string): number | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  return text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** A connection through PROXY to the host and port of URL. Throws a ChError if the proxy refuses, else what
 * the network does. */
export async function openTunnel(
  proxy: URL,
  url: URL,
  signal: AbortSignal | undefined,
): Promise<Socket> {
  const http = await import("node:http");
  const target = `${url.hostname}:${url.port || 443}`;
  return await new Promise((resolve, reject) => {
    const request = http.request({
      method: "CONNECT",
      host: proxy.hostname.replace(/^\[|\]$/g, ""),
      port: proxy.port || 80,
      path: target,
      headers: { Host: target, ...authorize(proxy) },
      ...signal === undefined ? {} : { signal },
    });
    request.on("connect", ({ statusCode: status, statusMessage: reason }, socket) => {
      if (status === 200) return resolve(socket as Socket);
      socket.destroy();
      reject(new ChError(`proxy ${proxy.host} refused a tunnel to ${target}: ${status} ${reason}`));
    });
    request.on("error", reject);
    request.end();
  });
}

function authorize({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === "") return {};
  const login = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const text = new TextEncoder().encode(login).toBase64();
  return { "Proxy-Authorization": `Basic ${text}` };
}
