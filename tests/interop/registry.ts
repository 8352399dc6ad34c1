// A registry for one test: Debian's docker-registry on a free port of this machine, its storage in a
// directory that goes with it.

import assert from "node:assert/strict";
import type { TokenServer } from "./token_server.ts";

export interface RegistryOptions {
  /** Certificate and key files; plain HTTP without. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Names and passwords that it lets in. */
  readonly users?: Readonly<Record<string, string>>;
  readonly tokens?: TokenServer;
  /** Where its storage is made. */
  readonly below?: string | undefined;
}

export class TestRegistry implements AsyncDisposable {
  /** "127.0.0.1:PORT" */
  readonly address: string;
  readonly #child: Deno.ChildProcess;
  readonly #directory: string;
  #hasEnded = false;

  private constructor(address: string, child: Deno.ChildProcess, directory: string) {
    this.address = address;
    this.#child = child;
    this.#directory = directory;
  }

  static async start(options: RegistryOptions = {}): Promise<TestRegistry> {
    const { below = "/var/tmp" } = options;
    const directory = Deno.makeTempDirSync({ dir: below, prefix: "ch-registry." });
    for (let attempt = 1;; attempt++) {
      const address = `127.0.0.1:${findFreePort()}`;
      const config = configure(directory, address, options);
      Deno.writeTextFileSync(`${directory}/config.json`, JSON.stringify(config));
      const child = new Deno.Command("docker-registry", {
        args: ["serve", `${directory}/config.json`],
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      if (await isListening(address, child)) return new TestRegistry(address, child, directory);
      assert.ok(attempt < 3, "docker-registry does not start");
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#child.kill("SIGKILL");
    await this.#child.status;
    Deno.removeSync(this.#directory, { recursive: true });
  }
}

/** YAML, of which JSON is a part. */
function configure(directory: string, address: string, { tls, users, tokens }: RegistryOptions) {
  const auth = tokens !== undefined
    ? { token: tokens.configuration }
    : users !== undefined
    ? { htpasswd: { realm: "test", path: writePasswords(directory, users) } }
    : undefined;
  return {
    version: "0.1",
    log: { level: "error" },
    storage: {
      filesystem: { rootdirectory: `${directory}/storage` },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: {
      addr: address,
      secret: "test",
      ...tls && { tls: { certificate: tls.certificate, key: tls.key } },
    },
    ...auth && { auth },
  };
}

function writePasswords(directory: string, users: Readonly<Record<string, string>>): string {
  const lines = Object.entries(users).map(([name, password]) => {
    const { stdout, success } = new Deno.Command("htpasswd", {
      args: ["-Bbn", "-C", "4", name, password],
    }).outputSync();
    assert.ok(success, "htpasswd failed");
    return new TextDecoder().decode(stdout).trim();
  });
  Deno.writeTextFileSync(`${directory}/htpasswd`, lines.join("\n") + "\n");
  return `${directory}/htpasswd`;
}

export function findFreePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/** False if the process ends instead, perhaps because somebody else took the port. */
async function isListening(address: string, child: Deno.ChildProcess): Promise<boolean> {
  const [hostname, port] = address.split(":") as [string, string];
  let hasEnded = false;
  child.status.then(() => hasEnded = true);
  for (let i = 0; i < 600 && !hasEnded; i++) {
    try {
      using _connection = await Deno.connect({ hostname, port: Number(port) });
      return !hasEnded;
    } catch {
      await new Promise((done) => setTimeout(done, 50));
    }
  }
  return false;
}
