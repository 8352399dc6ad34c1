// How ch-image is let into registries: passwords, saved logins, tokens and certificates, with Debian's
// docker-registry.

import assert from "node:assert/strict";
import { expect, test, type Workplace } from "../rig.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { TestRegistry } from "./registry.ts";
import { makeSample, pushSample } from "./sample_image.ts";
import { TokenServer } from "./token_server.ts";

const LOGIN = { CH_IMAGE_USERNAME: "alice", CH_IMAGE_PASSWORD: "pass:wörd" };
const USERS = { alice: "pass:wörd" };
const CREDS = "--dest-creds 'alice:pass:wörd'";
const YOLO = ["ch-image", "--arch=yolo"];

test("ch-image pull asks a registry with passwords only when told to", async (work) => {
  await using registry = await TestRegistry.start({ users: USERS });
  await makeSample(work, []);
  await pushSample(work, registry.address, "s", CREDS);
  const reference = `${registry.address}/s`;
  expect(await work.run(["ch-image", "pull", reference], { env: LOGIN }), {
    code: 1,
    stderr: new RegExp(
      `error: unauthorized or not in registry: ${reference}:latest\n` +
        "hint: if your registry needs authentication, use --auth\n$",
    ),
  });
  for (const [words, env] of [[["--auth"], {}], [[], { CH_IMAGE_AUTH: "yes" }]] as const) {
    expect(
      await work.run([...YOLO, ...words, "pull", reference], { env: { ...LOGIN, ...env } }),
      { code: 0 },
    );
  }
  expect(await work.run([...YOLO, "--auth", "pull", reference]), {
    code: 1,
    stderr: /error: no credentials for registry: .*\nhint: /,
  });
  const wrong = { ...LOGIN, CH_IMAGE_PASSWORD: "wrong" };
  expect(await work.run([...YOLO, "--auth", "pull", reference], { env: wrong }), {
    code: 1,
    stderr: /error: no further authentication possible, giving up\n/,
  });
  assert.deepEqual(await listCache(work), []);
}, "registry");

test("ch-image login saves what works, and pull uses it", async (work) => {
  await using registry = await TestRegistry.start({ users: USERS });
  await makeSample(work, []);
  await pushSample(work, registry.address, "s", CREDS);
  const login = ["ch-image", "login", "-u", "alice", "--password-stdin", registry.address];
  expect(await work.run(login, { stdin: "wrong\n" }), { code: 1, stderr: /error: login refused/ });
  expect(await work.run(login, { stdin: "pass:wörd\n" }), {
    code: 0,
    stderr: /^login for .* saved: .*\/home\/\.docker\/config\.json\n/,
  });
  await work.must('test "$(stat -c %a home/.docker/config.json)" = 600');
  const reference = `${registry.address}/s`;
  expect(await work.run([...YOLO, "pull", reference]), { code: 0 });
  expect(await work.run([...YOLO, "pull", reference], { env: { CH_IMAGE_AUTH: "no" } }), {
    code: 1,
    stderr: /unauthorized or not in registry/,
  });
  // podman and skopeo keep theirs in another place, and read this one.
  await work.must(`skopeo inspect --tls-verify=false docker://${reference}`, [], {
    env: { REGISTRY_AUTH_FILE: `${work.path}/home/.docker/config.json` },
  });
  expect(await work.run(["ch-image", "logout", registry.address]), {
    code: 0,
    stderr: /removed: .*config\.json/,
  });
  expect(await work.run([...YOLO, "pull", reference]), { code: 1 });
  const env = { XDG_RUNTIME_DIR: `${work.path}/home` };
  await work.must(
    `printf %s 'pass:wörd' | skopeo login --tls-verify=false -u alice --password-stdin ${registry.address}`,
    [],
    { env },
  );
  expect(await work.run([...YOLO, "pull", reference], { env }), { code: 0 });
}, "registry");

test("ch-image pull gets tokens without saying who it is", async (work) => {
  await using tokens = await TokenServer.start({ users: USERS });
  await using registry = await TestRegistry.start({ tokens });
  await makeSample(work, []);
  await pushSample(work, registry.address, "a/s", CREDS);
  tokens.requests.length = 0;
  expect(await work.run([...YOLO, "pull", `${registry.address}/a/s`], { env: LOGIN }), { code: 0 });
  assert.deepEqual(tokens.requests, [
    { method: "GET", scopes: ["repository:a/s:pull"], credentials: undefined },
  ]);
  tokens.requests.length = 0;
  expect(await work.run([...YOLO, "--auth", "pull", `${registry.address}/a/s`], { env: LOGIN }), {
    code: 0,
  });
  assert.deepEqual(tokens.requests.map(({ credentials }) => credentials), ["alice:pass:wörd"]);
}, "registry");

test(
  "ch-image push asks for wider scopes when they are needed, and renews tokens",
  async (work) => {
    await using tokens = await TokenServer.start({
      users: USERS,
      lifetime: 2,
      member: "access_token",
    });
    await using registry = await TestRegistry.start({ tokens });
    await work.must("ch-image import $1 s", [work.image()]);
    expect(await work.run(["ch-image", "push", "s", `${registry.address}/a/s`], { env: LOGIN }), {
      code: 0,
      stderr: /layer 1\/1: .{7}: not present, uploading[^]*done\n$/,
    });
    // The registry names what is allowed in any order.
    const wider = /^repository:a\/s:(pull,push|push,pull)$/;
    assert.ok(tokens.requests.some(({ scopes }) => scopes.some((scope) => wider.test(scope))));
    expect(await work.run(["ch-image", "push", "s", `${registry.address}/a/s`]), {
      code: 1,
      stderr: /error: no credentials for registry/,
    });
    expect(
      await work.run(["ch-image", "push", "s", `${registry.address}/a/s`], {
        env: { ...LOGIN, CH_IMAGE_PASSWORD: "wrong" },
      }),
      { code: 1, stderr: /error: unhandled authentication failure/ },
    );
  },
  "registry",
);

test("ch-image talks TLS with authorities it is told to trust, or any", async (work) => {
  const { authority, signed, selfSigned } = prepareCertificates(work);
  await work.must("ch-image import $1 s 2>&1", [work.image()]);
  for (const tls of [signed, selfSigned]) {
    await using registry = await TestRegistry.start({ tls });
    const reference = `${registry.address}/a/s`;
    expect(await work.run(["ch-image", "push", "s", reference]), {
      code: 1,
      stderr: /error: GET failed: .*certificate verify failed: .*\nhint: REQUESTS_CA_BUNDLE/,
    });
    const env = { REQUESTS_CA_BUNDLE: authority };
    expect(await work.run(["ch-image", "--tls-no-verify", "push", "s", reference], { env }), {
      code: 0,
    });
    expect(await work.run([...YOLO, "--tls-no-verify", "pull", reference], { env }), { code: 0 });
    if (tls === selfSigned) continue;
    for (const name of ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]) {
      expect(await work.run([...YOLO, "pull", reference], { env: { [name]: authority } }), {
        code: 0,
      });
    }
    expect(await work.run(["ch-image", "push", "s", reference], { env }), {
      code: 0,
      stderr: /already present/,
    });
  }
}, "registry");

test("ch-image with a CA bundle that is none", async (work) => {
  await using registry = await TestRegistry.start({ tls: prepareCertificates(work).signed });
  const pull = ["ch-image", "pull", `${registry.address}/s`];
  expect(await work.run(pull, { env: { REQUESTS_CA_BUNDLE: "/nonexistent" } }), {
    code: 1,
    stderr: /error: can.t read CA bundle: \/nonexistent/,
  });
  work.tree("other", { "text": "no certificate\n" });
  expect(await work.run(pull, { env: { REQUESTS_CA_BUNDLE: `${work.path}/other/text` } }), {
    code: 1,
    stderr: /error: no certificate in CA bundle: .*text/,
  });
}, "registry");

function prepareCertificates(work: Workplace): Certificates {
  const directory = work.tree("certificates", {});
  return makeCertificates(directory);
}

async function listCache(work: Workplace): Promise<string[]> {
  return (await work.must("ls storage/dlcache")).split("\n")
    .filter((name) => /^(part|lock)_/.test(name));
}
