// Which certificates are trusted beside those compiled into the runtime: the system's, those of a
// bundle that the user names, and those that a site keeps for one registry (spec ch-image §9.4).

import { ChError } from "../error.ts";
import type { ProxySettings } from "./proxy.ts";

export type TrustSettings = VerifyingTrust | {
  /** No certificate is looked at (--tls-no-verify). */
  readonly verify: false;
  /** For that way to speak TLS; the other knows them. */
  readonly proxies: ProxySettings;
};

export interface VerifyingTrust {
  readonly verify: true;
  /** File or directory instead of the system's (REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE). */
  readonly bundle?: string | undefined;
}

/** Where distributions have all trusted certificates in one file; the first that exists. */
const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt", // Debian, Arch
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", // Red Hat
  "/etc/pki/tls/certs/ca-bundle.crt", // older Red Hat
  "/etc/ssl/ca-bundle.pem", // SUSE
  "/var/lib/ca-certificates/ca-bundle.pem",
  "/etc/ssl/cert.pem", // Alpine
];

/** Where Docker and podman look for what is needed for one registry. */
const REGISTRY_CERTIFICATES = ["/etc/containers/certs.d", "/etc/docker/certs.d"];

const CERTIFICATE = /-----BEGIN (?:TRUSTED )?CERTIFICATE-----/;

/** PEM texts for the registry at HOST ("example.com:5000"). Throws a ChError if the bundle is useless. */
export function readTrusted({ bundle }: VerifyingTrust, host: string): readonly string[] {
  return [
    ...bundle === undefined ? readSystemBundle() : [readBundle(bundle)],
    ...REGISTRY_CERTIFICATES.flatMap((directory) =>
      readDirectory(`${directory}/${host}`, /\.crt$/)
    ),
  ];
}

function readSystemBundle(): readonly string[] {
  for (const path of SYSTEM_BUNDLES) {
    const text = findText(path);
    if (text !== undefined && CERTIFICATE.test(text)) return [text];
  }
  return [];
}

function readBundle(path: string): string {
  let text: string;
  try {
    text = Deno.statSync(path).isDirectory
      ? readDirectory(path, /\.(crt|pem|\d+)$/).join("\n")
      : Deno.readTextFileSync(path);
  } catch (error) {
    throw new ChError(`can’t read CA bundle: ${path}`, { cause: error });
  }
  if (CERTIFICATE.test(text)) return text;
  throw new ChError(`no certificate in CA bundle: ${path}`);
}

function readDirectory(path: string, names: RegExp): readonly string[] {
  let found: string[];
  try {
    found = [...Deno.readDirSync(path)].map(({ name }) => name);
  } catch {
    return []; // most hosts have none
  }
  return found.filter((name) => names.test(name)).sort()
    .map((name) => findText(`${path}/${name}`))
    .filter((text): text is string => text !== undefined);
}

function findText(path: string): string | undefined {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return undefined; // not there, or not for us: others are asked
  }
}
