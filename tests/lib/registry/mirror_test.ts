import assert from "node:assert/strict";
import { parseMirrors, selectMirrors } from "../../../lib/registry/mirror.ts";

Deno.test("parseMirrors() reads what CH_REGY_MIRRORS may say", () => {
  assert.deepEqual(parseMirrors(" \n"), []);
  const show = (text: string) =>
    parseMirrors(text).map(({ of, host, port, path, plainHttp }) =>
      `${of} ${plainHttp ? "http" : "https"} ${host}:${port} ${path.join("/")}`
    );
  assert.deepEqual(show("docker.io=http://mirror:5000,other.example.com/hub quay.io=m2"), [
    "registry-1.docker.io http mirror:5000 ",
    "registry-1.docker.io https other.example.com:443 hub",
    "quay.io https m2:443 ",
  ]);
  assert.deepEqual(show("a:5000=http://b/c/d/"), ["a:5000 http b:80 c/d"]);
});

Deno.test("parseMirrors() names the mistake", () => {
  for (
    const item of ["mirror", "=mirror", "a=", "a=b,", "a=ftp://b", "a=b:port", "a=b/C", "a=b@c"]
  ) {
    assert.throws(() => parseMirrors(`x=y ${item}`), {
      name: "ChError",
      message: `$CH_REGY_MIRRORS: not REGISTRY=MIRROR[,MIRROR...]: ${item}`,
    });
  }
});

Deno.test("selectMirrors() goes by host and port", () => {
  const mirrors = parseMirrors("a=m1 a:443=m2 a:5000=m3 docker.io=m4");
  const hosts = (host: string, port: number) =>
    selectMirrors(mirrors, { host, port }).map(({ host }) => host);
  assert.deepEqual(hosts("a", 443), ["m1", "m2"]);
  assert.deepEqual(hosts("a", 5000), ["m3"]);
  assert.deepEqual(hosts("registry-1.docker.io", 443), ["m4"]);
  assert.deepEqual(hosts("b", 443), []);
});
