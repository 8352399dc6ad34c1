import assert from "node:assert/strict";
import { sendBroken } from "../../fake_registry.ts";
import { makeTar } from "../../tar_archive.ts";
import { assertNothing, atPullPlace } from "./pull_place.ts";

const SMALL = makeTar([{ name: "file", data: "text" }]);
/** Some MiB that do not compress. */
const LARGE = makeLarge(5);
const VERY_LARGE = makeLarge(37);

function makeLarge(mebibytes: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(mebibytes << 20);
  for (let at = 0; at < bytes.length; at += 4096) bytes[at] = 1 + (at / 4096) % 250;
  return makeTar([{ name: "large", data: new TextDecoder("latin1").decode(bytes) }]);
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    return 0;
  }
}

Deno.test(
  "pullImage() goes on where a connection broke off",
  atPullPlace(async ({ registry, pull, read }) => {
    const [digest] = await registry.addImage("1", [LARGE]);
    registry.intercept = (_request, url, count) =>
      url.pathname.endsWith(digest!) && count === 0 ? sendBroken(LARGE, 3 << 20) : undefined;
    await pull("1");
    assert.equal(read("large").length, 5 << 20);
    const ranges = registry.asked.filter(({ path }) => path.endsWith(digest!)).map((one) =>
      one.range
    );
    assert.equal(ranges.length, 2);
    const from = Number(/^bytes=(\d+)-/.exec(ranges[1]!)![1]);
    assert(from > 0 && from <= 3 << 20, String(from));
  }),
);

Deno.test(
  "pullImage() goes on where an earlier one was stopped",
  atPullPlace(async (place) => {
    const { registry, pull, read, cached, store } = place;
    const [digest] = await registry.addImage("1", [LARGE]);
    const stop = new AbortController();
    registry.intercept = (_request, url) => {
      if (!url.pathname.endsWith(digest!)) return undefined;
      const path = `${store.path}/dlcache/part_${digest!.slice("sha256:".length)}.tar.gz`;
      const timer = setInterval(() => {
        if (sizeOf(path) < 2 << 20) return;
        clearInterval(timer);
        stop.abort(new Error("stopped"));
      }, 20);
      return new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(LARGE.subarray(0, 2 << 20)),
        }),
        { headers: { "Content-Length": String(LARGE.length) } },
      );
    };
    await assert.rejects(pull("1", { signal: stop.signal }), /stopped/);
    assertNothing(place);
    assert.equal(cached("part_").length, 1);
    registry.asked.length = 0;
    registry.intercept = () => undefined;
    await pull("1");
    assert.equal(read("large").length, 5 << 20);
    const asked = registry.asked.filter(({ path }) => path.endsWith(digest!));
    assert.deepEqual(asked.map(({ range }) => range), [`bytes=${2 << 20}-${LARGE.length - 1}`]);
    assert.deepEqual(cached("part_"), []);
  }),
);

Deno.test(
  "pullImage() does with a registry that sends whole blobs only",
  atPullPlace(async ({ registry, pull, read }) => {
    const [digest] = await registry.addImage("1", [VERY_LARGE]);
    registry.hasRanges = false;
    registry.intercept = (_request, url, count) =>
      url.pathname.endsWith(digest!) && count === 0 ? sendBroken(VERY_LARGE, 9 << 20) : undefined;
    await pull("1");
    assert.equal(read("large").length, 37 << 20);
    assert.equal(registry.count("GET", digest!), 2);
  }),
);

Deno.test(
  "pullImage() asks for large blobs in parts, and for a broken one again",
  atPullPlace(async ({ registry, pull, read }) => {
    const [digest] = await registry.addImage("1", [VERY_LARGE]);
    let isBroken = false;
    registry.intercept = (request, url) => {
      const range = request.headers.get("Range");
      if (!url.pathname.endsWith(digest!) || !range?.startsWith("bytes=16777216-") || isBroken) {
        return undefined;
      }
      isBroken = true;
      return new Response(null, { status: 503 });
    };
    await pull("1");
    assert(isBroken);
    assert.equal(read("large").length, 37 << 20);
    assert.equal(registry.count("GET", digest!), 6);
  }),
);

for (
  const [what, wrong] of [
    ["other bytes", (blob: Uint8Array<ArrayBuffer>) => blob.with(700, 1)],
    [
      "too few bytes, without Content-Length",
      (blob: Uint8Array<ArrayBuffer>) => blob.slice(0, 1024),
    ],
    ["too many bytes", (blob: Uint8Array<ArrayBuffer>) => new Uint8Array([...blob, 1])],
  ] as const
) {
  Deno.test(
    `pullImage() refuses a blob with ${what}`,
    atPullPlace(async (place) => {
      const { registry, pull, read, cached } = place;
      const [digest] = await registry.addImage("1", [SMALL]);
      registry.intercept = (_request, url) => {
        if (!url.pathname.endsWith(digest!)) return undefined;
        const chunk = wrong(SMALL);
        return new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(chunk);
              controller.close();
            },
          }),
        );
      };
      await assert.rejects(
        pull("1"),
        what.startsWith("too few")
          ? /connection closed early/
          : /registry streamed response content is invalid/,
      );
      assertNothing(place);
      if (!what.startsWith("too few")) assert.deepEqual(cached("part_"), []);
      registry.intercept = () => undefined;
      await pull("1");
      assert.equal(read("file"), "text");
    }),
  );
}

Deno.test(
  "pullImage() says that bytes are wrong rather than what is odd about them",
  atPullPlace(async (place) => {
    const { registry, pull } = place;
    const [digest] = await registry.addImage("1", [SMALL]);
    registry.blobs.set(digest!, new Uint8Array(SMALL.length).fill(7));
    await assert.rejects(pull("1"), /registry streamed response content is invalid/);
    assertNothing(place);
  }),
);

Deno.test(
  "pullImage() refuses a blob of another size than the manifest says before it is there",
  atPullPlace(async (place) => {
    const { registry, pull } = place;
    const [digest] = await registry.addImage("1", [SMALL]);
    registry.blobs.set(digest!, LARGE);
    await assert.rejects(pull("1"), /wrong size: sha256:.*: \d+ bytes instead of 2048/);
    assertNothing(place);
  }),
);

Deno.test(
  "pullImage() fetches each blob once, and none that is there",
  atPullPlace(async ({ registry, pull, log }) => {
    const other = makeTar([{ name: "other", data: "text" }]);
    const digests = await registry.addImage("1", [SMALL, other, SMALL]);
    await pull("1");
    for (const digest of digests) assert.equal(registry.count("GET", digest), 1);
    log.lines.length = 0;
    await pull("1");
    for (const digest of digests) assert.equal(registry.count("GET", digest), 1);
    assert.equal(log.lines.filter((line) => line.endsWith("using existing file")).length, 4);
    await pull("1", { always: true });
    for (const digest of digests) assert.equal(registry.count("GET", digest), 2);
  }),
);
