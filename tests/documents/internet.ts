// The part of the internet that documents name, on this machine: Docker Hub with debian:bookworm, and
// registry.example.com, which lets charlie in. A proxy leads there, so that one types what one types in earnest.

import { makeCertificates } from "../interop/certificates.ts";
import { TestRegistry } from "../interop/registry.ts";
import { digestOf, FakeRegistry } from "../fake_registry.ts";
import { rig } from "../rig.ts";

const HUB = "registry-1.docker.io";
const PRIVATE = "registry.example.com";

export class Internet implements AsyncDisposable {
  readonly #proxy: Deno.TcpListener;
  readonly #addresses: ReadonlyMap<string, string>;
  readonly #registries: AsyncDisposableStack;
  readonly #directory: string;

  private constructor(
    directory: string,
    addresses: ReadonlyMap<string, string>,
    registries: AsyncDisposableStack,
  ) {
    this.#directory = directory;
    this.#addresses = addresses;
    this.#registries = registries;
    this.#proxy = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#serve();
  }

  /** DEBIAN is an archive of its root file system. */
  static async open(debian: string): Promise<Internet> {
    const directory = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "ch-internet." });
    Deno.chmodSync(directory, 0o755);
    const names = [HUB, PRIVATE].map((name) => `DNS:${name}`).join();
    const { signed: tls } = makeCertificates(directory, names);
    const registries = new AsyncDisposableStack();
    const hub = registries.use(openHub(tls));
    await publishDebian(hub, debian);
    const users = { [rig.user]: "secret" };
    const own = registries.use(await TestRegistry.start({ tls, users }));
    const addresses = new Map([[HUB, hub.address], [PRIVATE, own.address]]);
    return new Internet(directory, addresses, registries);
  }

  /** What a command needs in order to find it. */
  get environment(): Readonly<Record<string, string>> {
    return {
      HTTPS_PROXY: `http://127.0.0.1:${this.#proxy.addr.port}`,
      REQUESTS_CA_BUNDLE: `${this.#directory}/ca.crt`,
      SSL_CERT_FILE: `${this.#directory}/ca.crt`,
    };
  }

  async #serve(): Promise<void> {
    // A client that goes away in the middle is nobody's failure.
    for await (const connection of this.#proxy) this.#connect(connection).catch(() => {});
  }

  /** "CONNECT NAME:443 HTTP/1.1", and from then on bytes in both directions. */
  async #connect(client: Deno.TcpConn): Promise<void> {
    const head = new Uint8Array(4096);
    const length = await client.read(head) ?? 0;
    const name = /^CONNECT ([^:]+):443 /.exec(new TextDecoder().decode(head.subarray(0, length)))
      ?.[1];
    const address = this.#addresses.get(name ?? "");
    if (address === undefined) {
      await client.write(new TextEncoder().encode("HTTP/1.1 502 no such host\r\n\r\n"));
      client.close();
      return;
    }
    const [hostname, port] = address.split(":") as [string, string];
    const server = await Deno.connect({ hostname, port: Number(port) });
    await client.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
    // The streams close their connections.
    await Promise.allSettled([
      client.readable.pipeTo(server.writable),
      server.readable.pipeTo(client.writable),
    ]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#proxy.close();
    await this.#registries.disposeAsync();
    Deno.removeSync(this.#directory, { recursive: true });
  }
}

function openHub({ certificate, key }: { certificate: string; key: string }): FakeRegistry {
  return new FakeRegistry({
    cert: Deno.readTextFileSync(certificate),
    key: Deno.readTextFileSync(key),
  });
}

/** For one architecture. It is not compressed, which costs time and proves nothing here. */
async function publishDebian(hub: FakeRegistry, archive: string): Promise<void> {
  const config = { config: { Env: ["PATH=/usr/local/bin:/usr/bin:/bin"], Cmd: ["bash"] } };
  await hub.addImage("amd64", [Deno.readFileSync(archive)], config);
  const manifest = hub.manifests.get("amd64")!;
  const mediaType = "application/vnd.oci.image.index.v1+json";
  const entry = {
    mediaType: manifest.type,
    digest: await digestOf(manifest.bytes),
    size: manifest.bytes.length,
    platform: { architecture: "amd64", os: "linux" },
  };
  const index = { schemaVersion: 2, mediaType, manifests: [entry] };
  await hub.addManifest("bookworm", index, mediaType);
}
