import assert from "node:assert/strict";
import {
  canonicalizeReference,
  formatParseReport,
  type RegistryDefaults,
} from "../../../lib/reference/canonical.ts";
import { parseReference } from "../../../lib/reference/reference.ts";

const site: RegistryDefaults = { host: "reg.site", port: 8443, pathPrefix: ["p", "q"] };

const cases: readonly [given: string, defaults: RegistryDefaults, printed: string][] = [
  ["debian:buster", {}, "registry-1.docker.io:443/library/debian:buster"],
  ["a/b", {}, "registry-1.docker.io:443/a/b:latest"],
  ["docker.io/b", {}, "docker.io:443/b:latest"],
  ["registry-1.docker.io/b", {}, "registry-1.docker.io:443/library/b:latest"],
  ["n@sha256:ff", {}, "registry-1.docker.io:443/library/n@sha256:ff"],
  ["h.x:5000/n", {}, "h.x:5000/n:latest"],
  ["a/b", site, "reg.site:8443/p/q/a/b:latest"],
  ["h.x/n", site, "h.x:443/n:latest"],
  ["n", { host: "reg.site" }, "reg.site:443/n:latest"],
];

for (const [given, defaults, printed] of cases) {
  Deno.test(`canonicalizeReference() makes ${printed} of ${given}`, () => {
    assert.equal(canonicalizeReference(parseReference(given), defaults).text, printed);
  });
}

Deno.test("formatParseReport() shows every field", () => {
  const report = formatParseReport(parseReference("example.com:8080%p%n:t"));
  assert.equal(
    report,
    `as string:    example.com:8080/p/n:t
for filename: example.com+8080%p%n+t
fields:
  host    'example.com'
  port    8080
  path    ['p']
  name    'n'
  tag     't'
  digest  None`,
  );
  assert.match(
    formatParseReport(parseReference("n")),
    /host {4}None\n {2}port {4}None\n {2}path {4}\[\]/,
  );
});
