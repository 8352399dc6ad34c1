// What ch-image does with registries beside others and by ways of others: two commands at once, programs that
// keep logins. The registry is made up, so that it can be slow and count.

import assert from "node:assert/strict";
import { FakeRegistry, sendBlob } from "../fake_registry.ts";
import { expect, rig, test } from "../rig.ts";
import { makeTar } from "../tar_archive.ts";

const LAYER = makeTar([{ name: "file", data: "x".repeat(3 << 20) }]);

test("two ch-image pull at once share what they download", async (work) => {
  await using registry = new FakeRegistry();
  const [digest] = await registry.addImage("1", [LAYER]);
  // The first has some of the layer and waits for the rest until the second has come as far.
  const bothHere = Promise.withResolvers<void>();
  registry.intercept = (request, url) => {
    if (registry.count("GET", "/manifests/1") === 2) setTimeout(bothHere.resolve, 500);
    if (!url.pathname.endsWith(digest!)) return undefined;
    const whole = sendBlob(LAYER, request.headers.get("Range"));
    return new Response(
      new ReadableStream({
        async start(controller) {
          const bytes = new Uint8Array(await whole.arrayBuffer());
          controller.enqueue(bytes.subarray(0, 1 << 20));
          await bothHere.promise;
          controller.enqueue(bytes.subarray(1 << 20));
          controller.close();
        },
      }),
      { status: whole.status, headers: whole.headers },
    );
  };
  expect(await work.run(["ch-image", "list"]), { code: 0 });
  const pull = (name: string) =>
    work.run(["ch-image", "--plain-http", "--arch=yolo", "-v", "pull"].concat([
      `${registry.address}/a/b:1`,
      name,
    ]));
  const results = await Promise.all([pull("x"), pull("y")]);
  for (const result of results) expect(result, { code: 0, stderr: /image arch: amd64\ndone\n$/ });
  assert.equal(registry.count("GET", digest!), 1);
  assert(results.some(({ stderr }) => stderr.includes("another process is downloading")));
  for (const name of ["x", "y"]) {
    assert.equal(Deno.statSync(`${work.path}/storage/img/${name}/file`).size, 3 << 20);
  }
  const names = [...Deno.readDirSync(`${work.path}/storage/dlcache`)].map(({ name }) => name);
  assert.deepEqual(names.filter((name) => /^(part|lock)_/.test(name)), []);
});

test("two ch-image pull of one image at once both have it", async (work) => {
  await using registry = new FakeRegistry();
  await registry.addImage("1", [LAYER, makeTar([{ name: "other", data: "y" }])]);
  expect(await work.run(["ch-image", "list"]), { code: 0 });
  const pull = () =>
    work.run(
      [
        "ch-image",
        "--no-lock",
        "--plain-http",
        "--arch=yolo",
        "pull",
        `${registry.address}/a/b:1`,
        "x",
      ],
    );
  for (const result of await Promise.all([pull(), pull(), pull()])) expect(result, { code: 0 });
  assert.equal(Deno.readTextFileSync(`${work.path}/storage/img/x/other`), "y");
  expect(await work.run(["ch-image", "list"]), { code: 0, stdout: "x\n", stderr: "" });
});

/** Keeps one login a file, named after the registry with its colon as "_"; notes how it was called. */
const HELPER = `#!/bin/sh
read -r input
echo "$1 $input" >>"$HOME/calls"
case $1 in
    get) cat "$HOME/$(echo "$input" | tr : _)" 2>/dev/null || { echo "credentials not found in native keychain"; exit 1; } ;;
    store) echo "$input" >"$HOME/$(echo "$input" | sed 's/.*"ServerURL":"\\([^"]*\\)".*/\\1/' | tr : _)" ;;
    erase) rm "$HOME/$(echo "$input" | tr : _)" ;;
esac
`;

test("ch-image login, pull and logout use a credential helper", async (work) => {
  await using registry = new FakeRegistry();
  await registry.addImage("1", [LAYER]);
  registry.intercept = (request) =>
    request.headers.get("Authorization") === "Basic YWxpY2U6c2VjcmV0" // alice:secret
      ? undefined
      : new Response(null, { status: 401, headers: { "WWW-Authenticate": 'Basic realm="r"' } });
  const { address } = registry;
  const path = `${
    work.tree("bin", {
      "docker-credential-test": { content: HELPER, mode: 0o755 },
    })
  }:${rig.bin}:/usr/bin:/bin`;
  work.tree("home", {
    ".docker/config.json": JSON.stringify({ credHelpers: { [address]: "test" } }),
  });
  const options = { env: { PATH: path } };
  const pull = () =>
    work.run(
      ["ch-image", "--plain-http", "--arch=yolo", "pull", `${address}/a/b:1`, "x"],
      options,
    );
  expect(await pull(), { code: 1, stderr: /unauthorized or not in registry/ });
  expect(
    await work.run(
      ["ch-image", "--plain-http", "login", "-u", "alice", "--password-stdin", address],
      { ...options, stdin: "secret\n" },
    ),
    { code: 0, stderr: /docker-credential-test/ },
  );
  expect(await pull(), { code: 0 });
  expect(await work.run(["ch-image", "logout", address], options), { code: 0 });
  expect(await pull(), { code: 1, stderr: /unauthorized or not in registry/ });
  const calls = Deno.readTextFileSync(`${work.path}/home/calls`);
  assert.match(calls, /^store \{.*"Username":"alice","Secret":"secret"\}$/m);
  assert.match(calls, /^erase /m);
  // The file names the helper, and nothing secret.
  assert.doesNotMatch(
    Deno.readTextFileSync(`${work.path}/home/.docker/config.json`),
    /c2VjcmV0|secret/,
  );
});

test("ch-image pull exchanges an identity token that a helper keeps", async (work) => {
  await using registry = new FakeRegistry();
  await registry.addImage("1", [LAYER]);
  const { address } = registry;
  const asked: string[] = [];
  registry.intercept = (request, url) => {
    if (url.pathname === "/token") {
      return request.text().then((text) => {
        asked.push(`${request.method} ${text}`);
        return Response.json({ access_token: "granted", expires_in: 300 });
      });
    }
    if (request.headers.get("Authorization") === "Bearer granted") return undefined;
    return new Response(null, {
      status: 401,
      headers: {
        "WWW-Authenticate":
          `Bearer realm="http://${address}/token",service="r",scope="repository:a/b:pull"`,
      },
    });
  };
  work.tree("bin", { "docker-credential-test": { content: HELPER, mode: 0o755 } });
  work.tree("home", {
    ".docker/config.json": JSON.stringify({ credsStore: "test" }),
    [address.replace(":", "_")]: JSON.stringify({ Username: "<token>", Secret: "refresh+me" }),
  });
  expect(
    await work.run(["ch-image", "--plain-http", "--arch=yolo", "pull", `${address}/a/b:1`, "x"], {
      env: { PATH: `${work.path}/bin:${rig.bin}:/usr/bin:/bin` },
    }),
    { code: 0 },
  );
  assert.match(asked[0]!, /^POST .*grant_type=refresh_token/);
  assert.match(asked[0]!, /refresh_token=refresh%2Bme/);
});

for (
  const [what, script, message] of [
    ["is not there", undefined, /no such program in PATH/],
    ["fails", "#!/bin/sh\necho broken keychain\nexit 1\n", /broken keychain/],
    ["answers nonsense", "#!/bin/sh\necho hello\n", /answer is not the expected JSON/],
  ] as const
) {
  test(`ch-image pull says that a credential helper ${what}`, async (work) => {
    await using registry = new FakeRegistry();
    registry.intercept = () =>
      new Response(null, { status: 401, headers: { "WWW-Authenticate": 'Basic realm="r"' } });
    if (script !== undefined) {
      work.tree("bin", { "docker-credential-test": { content: script, mode: 0o755 } });
    }
    work.tree("home", { ".docker/config.json": JSON.stringify({ credsStore: "test" }) });
    expect(
      await work.run(["ch-image", "--plain-http", "pull", `${registry.address}/a/b:1`], {
        env: { PATH: `${work.path}/bin:${rig.bin}:/usr/bin:/bin` },
      }),
      { code: 1, stderr: message },
    );
  });
}
