// How images are asked for: whom, how often, and when to give up.

import assert from "node:assert/strict";
import { sendBlob } from "../../fake_registry.ts";
import { makeTar } from "../../tar_archive.ts";
import { ANONYMOUS, atPullPlace } from "./pull_place.ts";

const SMALL = makeTar([{ name: "file", data: "text" }]);

Deno.test(
  "pullImage() tries again what failed for a reason that passes, and not what did not",
  atPullPlace(async ({ registry, pull }) => {
    await registry.addImage("1", [SMALL]);
    registry.intercept = (_request, url, count) =>
      url.pathname.endsWith("/1") && count < 2 ? new Response(null, { status: 502 }) : undefined;
    await pull("1");
    assert.equal(registry.count("GET", "/manifests/1"), 3);
    registry.asked.length = 0;
    registry.intercept = () => new Response(null, { status: 503 });
    await assert.rejects(
      pull("1"),
      /GET failed; expected status \{200, 401, 404\} but got 503: Service Unavailable/,
    );
    assert.equal(registry.asked.length, 4);
    registry.asked.length = 0;
    registry.intercept = () =>
      Response.json({ errors: [{ code: "DENIED", message: "no\u001b[31m" }] }, { status: 403 });
    await assert.rejects(
      pull("1"),
      /expected status \{200, 401, 404\} but got 403: Forbidden \(DENIED: no \[31m\)$/,
    );
    assert.equal(registry.asked.length, 1);
  }),
);

Deno.test(
  "pullImage() waits as long as a busy registry asks for, and gives up where it does not say",
  atPullPlace(async ({ registry, pull }) => {
    await registry.addImage("1", [SMALL]);
    registry.intercept = (_request, _url, count) =>
      count === 0
        ? new Response(null, { status: 429, headers: { "Retry-After": "0" } })
        : undefined;
    await pull("1");
    registry.intercept = () => new Response(null, { status: 429 });
    await assert.rejects(pull("1"), (error: Error & { hint?: string }) => {
      assert.equal(error.message, "registry rate limit exceeded (HTTP 429)");
      assert.equal(error.hint, "consider --auth");
      return true;
    });
  }),
);

Deno.test(
  "pullImage() gives up a connection that brings nothing",
  atPullPlace(async ({ registry, pull }) => {
    const [digest] = await registry.addImage("1", [SMALL]);
    registry.intercept = (_request, url, count) =>
      url.pathname.endsWith(digest!) && count === 0
        ? new Response(
          new ReadableStream({ start: (controller) => controller.enqueue(SMALL.subarray(0, 9)) }),
        )
        : undefined;
    await pull("1", { patience: 500 });
    assert.equal(registry.count("GET", digest!), 2);
  }),
);

Deno.test(
  "pullImage() follows redirections, but takes no authorization along",
  atPullPlace(async ({ registry, pull, read }) => {
    const [digest] = await registry.addImage("1", [SMALL]);
    const seen: (string | null)[] = [];
    await using other = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
      seen.push(request.headers.get("Authorization"));
      return sendBlob(SMALL, request.headers.get("Range"));
    });
    registry.intercept = (request, url) => {
      if (request.headers.get("Authorization") !== "Basic YTpi") {
        return new Response(null, {
          status: 401,
          headers: { "WWW-Authenticate": 'Basic realm="r"' },
        });
      }
      if (!url.pathname.endsWith(digest!)) return undefined;
      const { port } = other.addr as Deno.NetAddr;
      return Response.redirect(`http://127.0.0.1:${port}/elsewhere`, 307);
    };
    const given = { kind: "password", username: "a", password: "b" } as const;
    await pull("1", {
      credentials: {
        ...ANONYMOUS,
        mode: "authenticated",
        sources: { ...ANONYMOUS.sources, given },
      },
    });
    assert.equal(read("file"), "text");
    assert.deepEqual(seen, [null]);
  }),
);

Deno.test(
  "pullImage() does not go round in circles",
  atPullPlace(async ({ registry, pull }) => {
    registry.intercept = (_request, url) => Response.redirect(url, 302);
    await assert.rejects(pull("1"), /too many redirections/);
    let count = 0;
    registry.intercept = (request) =>
      new URL(request.url).pathname === "/token"
        ? Response.json({ token: `t${count++}` })
        : new Response(null, {
          status: 401,
          headers: {
            "WWW-Authenticate": `Bearer realm="http://${registry.address}/token",scope="s${count}"`,
          },
        });
    await assert.rejects(pull("1"), /unauthorized or not in registry/);
    assert(count < 10, String(count));
  }),
);

Deno.test(
  "pullImage() asks mirrors first, and the registry where they fail",
  atPullPlace(async (place) => {
    const { registry, pull, log, read } = place;
    const [digest] = await registry.addImage("1", [SMALL]);
    const mirror = {
      of: registry.address,
      host: "127.0.0.1",
      port: registry.port,
      path: ["mirror"],
      plainHttp: true,
    };
    registry.intercept = (_request, url) =>
      url.pathname.startsWith("/v2/mirror/") && url.pathname.endsWith(digest!)
        ? new Response(null, { status: 404 })
        : undefined;
    await pull("1", { mirrors: [mirror] });
    assert.equal(read("file"), "text");
    assert.equal(registry.count("GET", "/v2/mirror/a/b/manifests/1"), 1);
    assert.equal(registry.count("GET", "/v2/a/b/manifests/1"), 0);
    assert.equal(registry.count("GET", `/v2/a/b/blobs/${digest}`), 1);
    assert(log.lines.some((line) => line.startsWith("verbose: mirror failed")));
  }),
);

Deno.test(
  "pullImage() with --last-layer leaves layers out, and does not pretend to have them",
  atPullPlace(async ({ registry, pull, read, log, store }) => {
    const other = makeTar([{ name: "other", data: "text" }]);
    await registry.addImage("1", [SMALL, other]);
    await pull("1", { lastLayer: 1 });
    assert.equal(read("file"), "text");
    assert.throws(() => read("other"), Deno.errors.NotFound);
    assert.throws(() => read("ch/manifest.pulled.json"), Deno.errors.NotFound);
    assert(log.lines.some((line) => /^layer 2\/2: .{7}: skipping per --last-layer$/.test(line)));
    assert.deepEqual(store.listImages(), ["x"]);
  }),
);

Deno.test(
  "pullImage() reports Docker Hub's limits",
  atPullPlace(async ({ registry, pull, log }) => {
    await registry.addImage("1", [SMALL]);
    const found = registry.manifests.get("1")!;
    registry.intercept = (_request, url) =>
      url.pathname.endsWith("/manifests/1")
        ? new Response(found.bytes, {
          headers: {
            "RateLimit-Limit": "100;w=21600",
            "RateLimit-Remaining": "98;w=21600",
            "Docker-RateLimit-Source": "192.0.2.1",
          },
        })
        : undefined;
    await pull("1");
    assert(
      log.lines.includes("Docker Hub rate limit: 98 pulls left of 100 per 6.0 hours (192.0.2.1)"),
    );
  }),
);

Deno.test(
  "pullImage() of scratch asks nobody",
  atPullPlace(async ({ store }) => {
    const { pullImage } = await import("../../../lib/registry/pull.ts");
    const { parseReference } = await import("../../../lib/reference/reference.ts");
    const { RecordingLog } = await import("../recording_log.ts");
    const log = new RecordingLog();
    const scratch = parseReference("scratch");
    await pullImage(store, { source: scratch, destination: scratch }, {
      registry: { trust: { verify: true }, credentials: ANONYMOUS, plainHttp: false, log },
      defaults: { host: "registry.invalid" },
      mirrors: [],
      architecture: "s390x",
      hostArchitecture: "amd64",
      always: false,
    });
    assert.deepEqual(store.listImages(), ["scratch"]);
    assert(log.lines.includes("manifest: using internal library"));
  }),
);
