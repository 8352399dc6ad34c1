import assert from "node:assert/strict";
import { hurrySockets } from "../../ffi/socket.ts";
import { hurry } from "../../lib/registry/hurry.ts";

async function withConnection(
  body: (request: () => Promise<Response>) => Promise<void>,
): Promise<void> {
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return new Response("text");
  });
  using client = Deno.createHttpClient({});
  await body(() => fetch(`http://127.0.0.1:${server.addr.port}`, { client }));
}

Deno.test("hurrySockets() finds connections that wait, once", async () => {
  await withConnection(async (request) => {
    hurrySockets();
    assert.equal(await (await request()).text(), "text");
    assert.ok(hurrySockets() > 0);
    assert.equal(hurrySockets(), 0);
  });
});

Deno.test("hurry() lets no connection of a request wait, and fails as the request does", async () => {
  await withConnection(async (request) => {
    assert.equal(await (await hurry(request())).text(), "text");
    assert.equal(hurrySockets(), 0);
    await assert.rejects(hurry(Promise.reject(new Error("broken on purpose"))), {
      message: "broken on purpose",
    });
  });
});
