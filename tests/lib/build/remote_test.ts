import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { parseRemote } from "../../../lib/build/remote.ts";

const PLAIN = { checksum: undefined, keepsGitDirectory: false };
const SUM = `sha256:${"0".repeat(64)}`;

/** Text; repository, ref and directory. */
const REPOSITORIES: readonly (readonly [string, string, string | undefined, string])[] = [
  ["https://h/r.git", "https://h/r.git", undefined, ""],
  ["https://h/r.git#main", "https://h/r.git", "main", ""],
  ["https://h/r.git#v1:/sub/dir/", "https://h/r.git", "v1", "sub/dir"],
  ["http://h/r.git#:sub", "http://h/r.git", undefined, "sub"],
  ["git@h:u/r.git", "git@h:u/r.git", undefined, ""],
  ["git://h/r", "git://h/r", undefined, ""],
  ["ssh://git@h/r#x", "ssh://git@h/r", "x", ""],
];

for (const [text, repository, ref, directory] of REPOSITORIES) {
  Deno.test(`parseRemote() of ${text} is a repository`, () => {
    deepStrictEqual(parseRemote(text, PLAIN), {
      kind: "git",
      repository,
      ref,
      directory,
      ...PLAIN,
    });
  });
}

Deno.test("parseRemote() tells URLs from files", () => {
  deepStrictEqual(parseRemote("https://h/f", { ...PLAIN, checksum: SUM }), {
    kind: "url",
    url: "https://h/f",
    checksum: SUM,
  });
  for (const text of ["f", "./http:/x", "ftp://h/f", "git/x", "a@b"]) {
    strictEqual(parseRemote(text, PLAIN), undefined, text);
  }
});

Deno.test("parseRemote() refuses checksums of another kind, and refs that git would take for options", () => {
  const cases = [["https://h/f", "md5:0"], ["https://h/f", "0123456"], ["git://h/r", SUM]] as const;
  for (const [text, checksum] of cases) {
    throws(() => parseRemote(text, { ...PLAIN, checksum }), /--checksum/, text);
  }
  throws(() => parseRemote("git://h/r#--upload-pack=x", PLAIN), /not a branch/);
});
