// ch-image build: ADD of what comes over the network, from a server in this test.

import assert from "node:assert/strict";
import { expect, test, type Workplace } from "../rig.ts";
import { prepare } from "./build_case.ts";

const MODIFIED = "Wed, 21 Oct 2015 07:28:00 GMT";
const SUM = "f67ab10ad4e4c53121b6a5fe4da9c10ddee905b978d3788d2723d7bfacbe28a9"; // of "F"

/** Serves ROOT's files. */
function serve(root: string) {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const path = root + decodeURIComponent(new URL(request.url).pathname);
    try {
      const headers = { "last-modified": MODIFIED };
      return new Response(await Deno.readFile(path), { headers });
    } catch {
      return new Response("no", { status: 404 });
    }
  });
}

/** Builds LINES on base, "URL" being the server's. */
async function build(work: Workplace, lines: string, url: string) {
  work.tree("context", { Dockerfile: `FROM base\n${lines.replaceAll("URL", url)}\n` });
  return await work.run(["ch-image", "build", "-t", "t", "context"]);
}

test("build: ADD of URLs", async (work) => {
  await prepare(work, "");
  work.tree("web", { f: "F", "d/g h": "G", "in/x": "X" });
  await work.must("cd web; tar -cf a.tar in");
  await using server = serve(`${work.path}/web`);
  const url = `http://127.0.0.1:${server.addr.port}`;
  expect(
    await build(
      work,
      `ADD --checksum=sha256:${SUM} --chmod=644 URL/f /f\nADD URL/d/g%20h?q=1 URL/f /dir/\n` +
        "ADD URL/a.tar /raw/\nADD --unpack URL/a.tar /to/",
      url,
    ),
    { code: 0 },
  );
  const shown = await work.must(
    "cd storage/img/t; cat f dir/f 'dir/g h' to/in/x; ls raw; stat -c '%a %Y' f dir/f",
  );
  assert.equal(shown, "FFGXa.tar\n644 1445412480\n600 1445412480\n");
});

test("build: ADD of URLs that will not do", async (work) => {
  await prepare(work, "");
  work.tree("web", { f: "F" });
  await using server = serve(`${work.path}/web`);
  const url = `http://127.0.0.1:${server.addr.port}`;
  const cases: readonly (readonly [string, RegExp])[] = [
    ["ADD URL/none /", /error: can’t fetch: http:.*\/none: 404 Not Found\n/],
    [
      "ADD http://127.0.0.1:65534/x /",
      /error: can’t fetch: http:\/\/127\.0\.0\.1:65534\/x.*refused/,
    ],
    [
      `ADD --checksum=sha256:${"0".repeat(64)} URL/f /`,
      new RegExp(`error: ADD: checksum does not match: .*/f: sha256:${SUM}\nhint: .*\n`),
    ],
    ["ADD --checksum=md5:0 URL/f /", /error: ADD: --checksum: not sha256:HEX: md5:0\n$/],
  ];
  for (const [line, message] of cases) {
    expect(await build(work, line, url), { code: 1, stderr: message });
    await work.must("test ! -e storage/img/t; test ! -e storage/imgtmp");
  }
});

test("build: ADD of Git repositories", async (work) => {
  await prepare(work, "");
  const commit = (await work.must(`
    git init -q -b main one; cd one
    git config user.name n; git config user.email e
    mkdir sub; echo old > sub/f; git add .; git commit -q -m 1; git tag v1
    echo new > sub/f; git commit -q -a -m 2
    cd ..; mkdir web; git clone -q --bare one web/r.git; cd web/r.git; git update-server-info
    cd ../../one; git rev-parse v1
  `)).trim();
  await using server = serve(`${work.path}/web`);
  const url = `http://127.0.0.1:${server.addr.port}`;
  expect(
    await build(
      work,
      `ADD URL/r.git /head\nADD --checksum=${commit.slice(0, 10)} URL/r.git#v1:sub /v1\n` +
        `ADD URL/r.git#${commit} /commit\nADD --keep-git-dir=true URL/r.git#main /kept`,
      url,
    ),
    { code: 0 },
  );
  const shown = await work.must(
    "cd storage/img/t; cat head/sub/f v1/f commit/sub/f; ls -A head; ls -d kept/.git",
  );
  assert.equal(shown, "new\nold\nold\nsub\nkept/.git\n");
  const wrong = await build(work, "ADD --checksum=0123456 URL/r.git /head", url);
  expect(wrong, { code: 1, stderr: /error: ADD: checksum does not match: / });
  const missing = await build(work, "ADD URL/r.git#none /head", url);
  expect(missing, { code: 1, stderr: /error: can’t clone: http:.*r\.git: .*none/ });
});

/** Builds twice, CHANGE between; whether the second build took ADD from the cache. */
async function isHit(
  work: Workplace,
  line: string,
  url: string,
  change: () => Promise<unknown> | void,
): Promise<boolean> {
  expect(await build(work, line, url), { code: 0 });
  await change();
  const again = await build(work, line, url);
  expect(again, { code: 0, stderr: / {2}2[*.] ADD / });
  return again.stderr.includes("  2* ADD ");
}

test("build: ADD of a URL is taken from the cache only while the server has the same", async (work) => {
  await prepare(work, "");
  let content = "1";
  let headers: Record<string, string> = {};
  let isHeadKnown = true;
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    ({ method }) =>
      method === "HEAD" && !isHeadKnown
        ? new Response(null, { status: 405 })
        : new Response(method === "HEAD" ? null : content, { headers }),
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const same = () => {};
  const other = () => void (content += "x");
  const read = () => work.must("cat storage/img/t/f");
  const cases = [
    ["by content", {}, true],
    ["by content, without HEAD", { etag: '"e"' }, false],
  ] as const;
  for (const [name, given, hasHead] of cases) {
    headers = given;
    isHeadKnown = hasHead;
    assert.equal(await isHit(work, `ADD URL/f?${name.length} /f`, url, same), true, name);
    assert.equal(await isHit(work, `ADD URL/f?${name.length} /f`, url, other), false, name);
    assert.equal(await read(), content, name);
  }
  isHeadKnown = true;
  for (const header of ["etag", "last-modified"]) {
    headers = { [header]: '"one"' };
    const line = `ADD URL/${header} /f`;
    assert.equal(await isHit(work, line, url, same), true, header);
    const change = () => {
      other();
      headers = { [header]: '"two"' };
    };
    assert.equal(await isHit(work, line, url, change), false, header);
    assert.equal(await read(), content, header);
  }
  // With a checksum nobody is asked.
  const sum = new Uint8Array(
    await crypto.subtle.digest("SHA-256", new TextEncoder().encode(content)),
  ).toHex();
  assert.equal(await isHit(work, `ADD --checksum=sha256:${sum} URL/f /f`, url, other), true);
});

test("build: ADD of a Git branch is taken from the cache only while it stays where it is", async (work) => {
  await prepare(work, "");
  const publish = async (content: string) =>
    (await work.must(
      `
    test -d one || git init -q -b main one; cd one
    git config user.name n; git config user.email e
    echo ${content} >f; git add .; git commit -q -m ${content}
    rm -rf ../web; mkdir ../web; git clone -q --bare . ../web/r.git
    git -C ../web/r.git update-server-info; git rev-parse HEAD`,
    )).trim();
  const commit = await publish("1");
  await using server = serve(`${work.path}/web`);
  const url = `http://127.0.0.1:${server.addr.port}`;
  assert.equal(await isHit(work, "ADD URL/r.git#main /r", url, () => {}), true);
  assert.equal(await isHit(work, "ADD URL/r.git#main /r", url, () => publish("2")), false);
  assert.equal(await work.must("cat storage/img/t/r/f"), "2\n");
  assert.equal(await isHit(work, "ADD URL/r.git /r", url, () => publish("3")), false);
  assert.equal(await isHit(work, `ADD URL/r.git#${commit} /r`, url, () => publish("4")), true);
});
