// Certificates for tests: an authority of the test's own, a server's signed by it, and one that signs
// itself.

import { runOpenssl } from "./token_server.ts";

export interface Certificates {
  /** Of the authority. */
  readonly authority: string;
  readonly signed: { readonly certificate: string; readonly key: string };
  readonly selfSigned: { readonly certificate: string; readonly key: string };
}

const NAMES = "DNS:localhost,IP:127.0.0.1";

/** Makes them in DIRECTORY, readable by anybody, for servers of these alternative NAMES. */
export function makeCertificates(directory: string, names = NAMES): Certificates {
  const alternatives = `subjectAltName=${names}`;
  const file = (name: string) => `${directory}/${name}`;
  const days = ["-days", "30"];
  const key = ["-newkey", "rsa:2048", "-nodes"];
  runOpenssl(
    ...["req", "-x509", ...key, ...days, "-subj", "/CN=test authority"],
    ...["-keyout", file("ca.key"), "-out", file("ca.crt")],
    ...["-addext", "basicConstraints=critical,CA:TRUE"],
  );
  runOpenssl(
    ...["req", ...key, "-subj", "/CN=localhost"],
    ...["-keyout", file("signed.key"), "-out", file("signed.csr")],
  );
  Deno.writeTextFileSync(file("extensions"), alternatives);
  runOpenssl(
    ...["x509", "-req", "-in", file("signed.csr"), "-CA", file("ca.crt"), "-CAkey", file("ca.key")],
    ...["-CAcreateserial", ...days, "-out", file("signed.crt"), "-extfile", file("extensions")],
  );
  runOpenssl(
    ...["req", "-x509", ...key, ...days, "-subj", "/CN=localhost", "-addext", alternatives],
    ...["-keyout", file("self.key"), "-out", file("self.crt")],
  );
  for (const name of ["ca.crt", "signed.crt", "self.crt"]) Deno.chmodSync(file(name), 0o644);
  return {
    authority: file("ca.crt"),
    signed: { certificate: file("signed.crt"), key: file("signed.key") },
    selfSigned: { certificate: file("self.crt"), key: file("self.key") },
  };
}
