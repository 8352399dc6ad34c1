// Which fakeroot configuration an image gets.

import { strictEqual, throws } from "node:assert/strict";
import { chooseFakerootConfig, needsFakeroot } from "../../../lib/build/fakeroot.ts";

const CASES: readonly (readonly [string, string, string | undefined])[] = [
  ["/etc/fedora-release", "Fedora release 38 (Thirty Eight)\n", "fedora"],
  ["/etc/fedora-release", "Fedora release 23\n", undefined],
  ["/etc/redhat-release", "CentOS Linux release 7.9.2009 (Core)\n", "rhel7"],
  ["/etc/redhat-release", "AlmaLinux release 8.8 (Sapphire Caracal)\n", "rhel8"],
  ["/etc/redhat-release", "Rocky Linux release 10.0\n", "rhel8"],
  ["/etc/redhat-release", "CentOS release 6.10\n", undefined],
  [
    "/etc/os-release",
    'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\n',
    "debderiv",
  ],
  ["/etc/os-release", 'NAME="Debian GNU/Linux"\nVERSION_ID="8"\nID=debian\n', undefined],
  ["/etc/os-release", 'NAME="Ubuntu"\nVERSION_ID="22.04"\n', "debderiv"],
  ["/etc/os-release", "NAME=Mint\nID_LIKE=debian\n", "debderiv"],
  ["/etc/os-release", 'NAME=Mint\nID_LIKE="ubuntu debian"\n', "debderiv"],
  ["/etc/os-release", 'NAME=x\nID_LIKE="suse opensuse"\n', "suse"],
  ["/etc/os-release", 'NAME="Arch Linux"\nID=arch\n', "arch"],
  ["/etc/os-release", "ID=archaic\n", undefined],
  ["/etc/alpine-release", "3.19.1\n", "alpine"],
];

for (const [file, text, key] of CASES) {
  Deno.test(`chooseFakerootConfig() of ${JSON.stringify(text)} is ${key}`, () => {
    const choose = () => chooseFakerootConfig((path) => path === file ? text : undefined);
    if (key !== undefined) return strictEqual(choose().key, key);
    throws(choose, { message: "--force=fakeroot not available (no suitable config found)" });
  });
}

Deno.test("needsFakeroot() looks for whole words", () => {
  const config = chooseFakerootConfig((path) => path.includes("fedora") ? "release 30" : undefined);
  strictEqual(needsFakeroot(["/bin/sh", "-c", "echo dnf"], config), true);
  strictEqual(needsFakeroot(["yum"], config), true);
  strictEqual(needsFakeroot(["/bin/sh", "-c", "true&&dnf"], config), false);
});
