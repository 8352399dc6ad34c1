// The man pages and --help tell of the same options, and the pages are sound roff.

import assert from "node:assert/strict";
import { rig, test, type Workplace } from "../rig.ts";

/** A page and the command lines whose help it covers. */
const PAGES: readonly (readonly [string, readonly (readonly string[])[]])[] = [
  ["ch", [["ch"]]],
  ["ch-run", [["ch-run"]]],
  ["ch-convert", [["ch-convert"]]],
  ["ch-checkns", [["ch-checkns"]]],
  [
    "ch-image",
    [
      ["ch-image"],
      ...["build", "delete", "gestalt", "import", "list", "reset", "storage-path"]
        .map((name) => ["ch-image", name]),
    ],
  ],
];

for (const [page, commands] of PAGES) {
  const path = `${rig.projectRoot}docs/man/${page}.1`;

  test(`${page}(1) has the options of --help`, async (work) => {
    const shown = new Set<string>();
    for (const command of commands) {
      for (const option of await readHelp(work, command)) shown.add(option);
    }
    assert.notEqual(shown.size, 0);
    assert.deepEqual([...readPage(path)].sort(), [...shown].sort());
  });

  test(`${page}(1) is sound roff`, async (work) => {
    const text = Deno.readTextFileSync(path);
    const result = await work.run(["man", "--warnings", "-E", "UTF-8", "-l", "-"], { stdin: text });
    assert.equal(result.stderr, "");
    assert.match(result.stdout, /NAME/);
  }, "man");
}

test("every sub-command of ch-image is in its page", async (work) => {
  const help = (await work.run(["ch-image", "--help"])).stdout;
  const names = [...help.matchAll(/^ {2}([a-z-]+) {2,}/gm)].map((match) => match[1] as string);
  const text = Deno.readTextFileSync(`${rig.projectRoot}docs/man/ch-image.1`).replaceAll(
    "\\-",
    "-",
  );
  const sections = [...text.matchAll(/^\.SS ([a-z-]+)/gm)].map((match) => match[1] as string);
  assert.deepEqual(sections.sort(), names.sort());
});

/** The options that begin a row of the help, or stand in its first lines of usage. */
async function readHelp(work: Workplace, command: readonly string[]): Promise<Set<string>> {
  const { stdout, stderr } = await work.run([...command, "--help"]);
  const text = stdout + stderr;
  const rows = text.split("\n").filter((line) => /^ {2,6}-/.test(line))
    .map((line) => line.trim().split(/ {2,}/)[0] as string);
  const usage = /^ {7}ch --.*$/m.exec(text)?.[0] ?? "";
  return findOptions([...rows, usage].join(" "));
}

/** The options that head a paragraph (the line after .TP). */
function readPage(path: string): Set<string> {
  const text = Deno.readTextFileSync(path).replaceAll(/\\f[BIRP]/g, "").replaceAll("\\-", "-");
  return findOptions(
    [...text.matchAll(/^\.TP\n\.(?:B|BR) (-.*)$/gm)].map((match) => match[1]).join(" "),
  );
}

function findOptions(text: string): Set<string> {
  return new Set(
    [...text.matchAll(/(?<![\w-])(--[a-z][a-z0-9-]*|-[A-Za-z?])(?![\w])/g)].map((match) =>
      match[1] as string
    ),
  );
}
