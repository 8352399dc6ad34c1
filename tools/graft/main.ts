// Command line of the graft:
//   deno run -A tools/graft/main.ts DENO ENTRY.elf ENTRY.bin SCRIPTS_DIR SHIM INIT OUTPUT

import { graft, readEntryCode, type Script } from "./graft.ts";

const [deno, entryElf, entryBin, scriptsDir, shim, init, output] = Deno.args;
if (output === undefined) {
  console.error("usage: graft DENO ENTRY.elf ENTRY.bin SCRIPTS_DIR SHIM INIT OUTPUT");
  Deno.exit(1);
}

/** The scripts of a directory by name, NAME.js and NAME.js.map; "ch" first. */
function readScripts(directory: string): Map<string, Script> {
  const names = [...Deno.readDirSync(directory)].map((file) => file.name)
    .filter((name) => name.endsWith(".js")).map((name) => name.slice(0, -".js".length));
  return new Map(
    names.sort().map((name) => [name, {
      text: Deno.readFileSync(`${directory}/${name}.js`),
      sourceMap: Deno.readFileSync(`${directory}/${name}.js.map`),
    }]),
  );
}

try {
  const program = graft(
    Deno.readFileSync(deno!),
    readEntryCode(Deno.readFileSync(entryElf!), Deno.readFileSync(entryBin!)),
    Deno.readFileSync(init!),
    { scripts: readScripts(scriptsDir!), shim: Deno.readFileSync(shim!) },
  );
  // Written aside and renamed: the old one may be running.
  Deno.writeFileSync(`${output}.new`, program, { mode: 0o755 });
  Deno.renameSync(`${output}.new`, output);
} catch (error) {
  console.error(`graft: ${deno}: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
