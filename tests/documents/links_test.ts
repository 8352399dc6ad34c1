// Links between documents lead somewhere: the file is there, and the heading in it.

import assert from "node:assert/strict";
import { exists, rig } from "../rig.ts";

const documents = [
  "README.md",
  "CHANGELOG.md",
  ...[...Deno.readDirSync(`${rig.projectRoot}docs`)].map(({ name }) => `docs/${name}`)
    .filter((path) => path.endsWith(".md")).sort(),
];

for (const path of documents) {
  Deno.test(`${path}: links lead somewhere`, () => {
    const base = new URL(path, `file://${rig.projectRoot}`);
    for (const [, target] of read(base).matchAll(/\]\(([^()\s]+)\)/g)) {
      const url = new URL(target!, base);
      if (url.protocol !== "file:") continue;
      assert(exists(url.pathname), `${target} is not there`);
      const anchor = url.hash.slice(1);
      if (anchor !== "") {
        assert(listAnchors(read(url)).includes(anchor), `${target}: no such heading`);
      }
    }
  });
}

/** Without what is in code blocks. */
function read(url: URL): string {
  return Deno.readTextFileSync(url.pathname).replaceAll(/^```[^]*?^```$/gm, "");
}

/** As the sites that render Markdown make them of headings. */
function listAnchors(text: string): readonly string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!.toLowerCase().replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-")
  );
}
