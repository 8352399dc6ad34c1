import assert from "node:assert/strict";
import {
  eraseFromHelper,
  getFromHelper,
  storeInHelper,
} from "../../../lib/registry/credential_helper.ts";

/** Runs BODY with a helper "x" that is the shell SCRIPT; $1 is what to do, standard input what with. */
async function withHelper(
  script: string,
  body: (environment: ReadonlyMap<string, string>, directory: string) => Promise<void>,
): Promise<void> {
  const directory = Deno.makeTempDirSync({ prefix: "ch-test." });
  try {
    const path = `${directory}/docker-credential-x`;
    Deno.writeTextFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    await body(new Map([["PATH", `${directory}:/usr/bin:/bin`], ["KEPT", "yes"]]), directory);
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
}

const ANSWERS: readonly [string, string, unknown][] = [
  ["a login", `echo '{"ServerURL":"k","Username":"u","Secret":"s"}'`, {
    kind: "password",
    username: "u",
    password: "s",
  }],
  ["a token", `echo '{"Username":"<token>","Secret":"t"}'`, { kind: "identity", token: "t" }],
  ["an empty name", `echo '{"Username":"","Secret":""}'`, undefined],
  ["none, in Docker's words", "echo credentials not found in native keychain; exit 1", undefined],
  ["what it was asked", `read -r key; echo '{"Username":"'$1-$KEPT-$key'","Secret":"s"}'`, {
    kind: "password",
    username: "get-yes-KEY",
    password: "s",
  }],
];

for (const [what, script, expected] of ANSWERS) {
  Deno.test(`getFromHelper() understands: ${what}`, () =>
    withHelper(script, async (environment) => {
      assert.deepEqual(await getFromHelper("x", "KEY", environment), expected);
    }));
}

const FAILURES: readonly [string, string, RegExp][] = [
  [
    "no JSON",
    "echo hello",
    /^credential helper docker-credential-x failed: answer is not the expected JSON$/,
  ],
  ["not all of it", `echo '{"Username":"u"}'`, /not the expected JSON$/],
  ["its own reason", "echo keyring is locked; exit 1", /failed: keyring is locked$/],
];

for (const [what, script, message] of FAILURES) {
  Deno.test(`getFromHelper() tells: ${what}`, () =>
    withHelper(script, async (environment) => {
      await assert.rejects(getFromHelper("x", "KEY", environment), { message });
    }));
}

Deno.test("helpers are programs of $PATH, and never of the current directory", async () => {
  const find = (helper: string, path: string) =>
    getFromHelper(helper, "KEY", new Map([["PATH", path]]));
  await assert.rejects(find("x", "/usr/bin:.:"), /no such program in PATH$/);
  await assert.rejects(find("../x", "/usr/bin"), /not a name$/);
  await assert.rejects(find("x y", "/usr/bin"), /not a name$/);
});

Deno.test("storeInHelper() and eraseFromHelper() hand over and remove", () =>
  withHelper(
    `cd "\${0%/*}"; case $1 in store) cat >kept ;; get) cat kept 2>/dev/null || { echo not found; exit 1; } ;; ` +
      "erase) cat >erased; rm kept ;; esac",
    async (environment, directory) => {
      assert.equal(await eraseFromHelper("x", "KEY", environment), false);
      await storeInHelper("x", "KEY", "ü", 'p"w', environment);
      assert.deepEqual(JSON.parse(Deno.readTextFileSync(`${directory}/kept`)), {
        ServerURL: "KEY",
        Username: "ü",
        Secret: 'p"w',
      });
      assert.equal(await eraseFromHelper("x", "KEY", environment), true);
      assert.equal(Deno.readTextFileSync(`${directory}/erased`), "KEY");
      assert.equal(await getFromHelper("x", "KEY", environment), undefined);
    },
  ));

Deno.test("storeInHelper() tells why it was not kept", () =>
  withHelper("echo no room; exit 1", async (environment) => {
    await assert.rejects(storeInHelper("x", "KEY", "u", "p", environment), /failed: no room$/);
  }));
