// Registries that only a proxy can reach: requests by HTTP, and tunnels for TLS.

import assert from "node:assert/strict";
import { FakeRegistry } from "../fake_registry.ts";
import { expect, test } from "../rig.ts";
import { makeTar } from "../tar_archive.ts";
import { makeCertificates } from "./certificates.ts";

const LAYER = makeTar([{ name: "file", data: "x".repeat(3 << 20) }]);

test("ch-image pull goes through a proxy, but for what $no_proxy names", async (work) => {
  await using registry = new FakeRegistry();
  await registry.addImage("1", [LAYER]);
  const seen: string[] = [];
  // A registry of a name that only the proxy knows.
  await using proxy = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const url = new URL(request.url);
    seen.push(`${request.method} ${url.host}`);
    return fetch(`http://${registry.address}${url.pathname}${url.search}`, {
      method: request.method,
      headers: request.headers,
    });
  });
  const address = `http://127.0.0.1:${(proxy.addr as Deno.NetAddr).port}`;
  const pull = (from: string, env: Record<string, string>) =>
    work.run(["ch-image", "--plain-http", "--arch=yolo", "pull", `${from}/a/b:1`, "x"], { env });
  expect(await pull("registry.invalid", { http_proxy: address }), { code: 0 });
  assert(seen.length >= 3, seen.join(" "));
  assert(seen.every((one) => one === "GET registry.invalid:443" || one === "GET registry.invalid"));
  seen.length = 0;
  expect(await pull(registry.address, { http_proxy: address, no_proxy: "127.0.0.1" }), { code: 0 });
  assert.deepEqual(seen, []);
  expect(await pull("registry.invalid", { http_proxy: address, no_proxy: ".invalid" }), {
    code: 1,
    stderr: /error: .*registry\.invalid/,
  });
  assert.deepEqual(seen, []);
});

test("ch-image --tls-no-verify goes through a proxy, too", async (work) => {
  await using registry = new FakeRegistry();
  await registry.addImage("1", [LAYER]);
  const { certificate, key } = makeCertificates(work.tree("certificates", {})).selfSigned;
  using secure = Deno.listenTls({
    hostname: "127.0.0.1",
    port: 0,
    cert: Deno.readTextFileSync(certificate),
    key: Deno.readTextFileSync(key),
  });
  serve(secure, (connection) => join(connection, registry.port));
  using proxy = new TunnelProxy((secure.addr as Deno.NetAddr).port);
  const run = (words: readonly string[], env: Record<string, string>) =>
    work.run(["ch-image", "--tls-no-verify", "--arch=yolo", ...words], { env });
  const reference = "registry.invalid/a/b:1";
  const login = { https_proxy: `http://al%40ice:se%3Acret@${proxy.address}` };
  const result = await run(["pull", reference, "x"], login);
  expect(result, { code: 0 });
  assert.doesNotMatch(result.stderr, /proxy/);
  assert.equal(Deno.statSync(`${work.path}/storage/img/x/file`).size, 3 << 20);
  const authorization = `Basic ${btoa("al@ice:se:cret")}`;
  assert.deepEqual([...new Set(proxy.asked)], [
    `CONNECT registry.invalid:443 HTTP/1.1 ${authorization}`,
  ]);
  // Bodies go through as well.
  await work.must("ch-image import $1 y", [work.image()]);
  expect(await run(["push", "y", "registry.invalid/a/b:2"], { HTTPS_PROXY: proxy.address }), {
    code: 0,
  });
  assert(registry.manifests.has("2"));

  proxy.asked.length = 0;
  const no_proxy = "elsewhere.org, .invalid";
  expect(await run(["pull", reference, "x"], { ...login, no_proxy }), {
    code: 1,
    stderr: /^error: GET failed: registry\.invalid/m,
  });
  assert.deepEqual(proxy.asked, []);
  proxy.refuses = true;
  expect(await run(["pull", reference, "x"], login), {
    code: 1,
    stderr:
      /^error: proxy 127\.0\.0\.1:\d+ refused a tunnel to registry\.invalid:443: 407 Who are you$/m,
  });
  expect(await run(["pull", reference, "x"], { https_proxy: "socks5://localhost:1" }), {
    code: 1,
    stderr: /^error: --tls-no-verify: proxy is not of the form http:\/\/HOST:PORT: socks5:/m,
  });
}, "registry");

/** Whatever host is asked for is the one at a port of this machine. */
class TunnelProxy implements Disposable {
  /** First lines of requests, and authorization. */
  readonly asked: string[] = [];
  refuses = false;
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  constructor(target: number) {
    serve(this.#listener, async (connection) => {
      const bytes = new Uint8Array(4096);
      const head = new TextDecoder().decode(bytes.subarray(0, await connection.read(bytes) ?? 0));
      const login = /^Proxy-Authorization: (.*)\r$/im.exec(head)?.[1] ?? "nobody";
      this.asked.push(`${head.split("\r\n")[0]} ${login}`);
      const answer = this.refuses ? "407 Who are you" : "200 Connection established";
      await connection.write(new TextEncoder().encode(`HTTP/1.1 ${answer}\r\n\r\n`));
      if (this.refuses) connection.close();
      else await join(connection, target);
    });
  }

  get address(): string {
    return `127.0.0.1:${(this.#listener.addr as Deno.NetAddr).port}`;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

/** Until LISTENER is closed. */
async function serve(
  listener: AsyncIterable<Deno.Conn>,
  handle: (connection: Deno.Conn) => Promise<void>,
): Promise<void> {
  for await (const connection of listener) handle(connection).catch(() => {}); // they went away
}

/** All bytes to the port PORT of this machine, and back. */
async function join(connection: Deno.Conn, port: number): Promise<void> {
  const other = await Deno.connect({ hostname: "127.0.0.1", port });
  await Promise.all([
    connection.readable.pipeTo(other.writable),
    other.readable.pipeTo(connection.writable),
  ]);
}
