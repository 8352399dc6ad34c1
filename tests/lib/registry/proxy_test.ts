import assert from "node:assert/strict";
import { selectProxy } from "../../../lib/registry/proxy.ts";

const CASES: readonly (readonly [string, string, boolean])[] = [
  ["https://example.com/", "", true],
  ["http://example.com/", "", false],
  ["https://example.com/", "*", false],
  ["https://example.com/", "example.com", false],
  ["https://Hub.Example.com/", ".example.com", false],
  ["https://hub.example.com/", "example.org, EXAMPLE.com", false],
  ["https://notexample.com/", "example.com,.example.com", true],
  ["https://10.1.2.3/", "10.0.0.0/8", false],
  ["https://11.1.2.3/", "10.0.0.0/8", true],
  ["https://10.1.2.3/", "10.1.2.3", false],
  ["https://10.1.2.34/", "10.1.2.3", true],
  ["https://10.1.2.3/", "0.0.0.0/0", false],
];
for (const [url, exceptions, isProxied] of CASES) {
  Deno.test(`selectProxy() ${isProxied ? "for" : "not for"} ${url}, with “${exceptions}”`, () => {
    const found = selectProxy({ https: "proxy:8080", exceptions }, new URL(url));
    assert.equal(found?.host, isProxied ? "proxy:8080" : undefined);
  });
}

Deno.test("selectProxy() wants one that speaks HTTP", () => {
  const url = new URL("https://example.com");
  assert.equal(selectProxy({ https: undefined, exceptions: "" }, url), undefined);
  for (const https of ["https://proxy", "socks5://proxy", "http://:"]) {
    assert.throws(() => selectProxy({ https, exceptions: "" }, url), /not of the form/);
  }
});
