// Command line of the graft:
//   deno run -A tools/graft/main.ts DENO ENTRY.elf ENTRY.bin SCRIPTS_DIR SHIM INIT OUTPUT

import { graft, readEntryCode } from "./graft.ts";
import { linkScripts } from "./scripts.ts";

const [deno, entryElf, entryBin, scriptsDir, shim, init, output] = Deno.args;
if (output === undefined) {
  console.error("usage: graft DENO ENTRY.elf ENTRY.bin SCRIPTS_DIR SHIM INIT OUTPUT");
  Deno.exit(1);
}

const files = new Map<string, string>();
for (const file of Deno.readDirSync(scriptsDir!)) {
  if (file.name.endsWith(".js")) {
    files.set(file.name, Deno.readTextFileSync(`${scriptsDir}/${file.name}`));
  }
}

try {
  const program = graft(
    Deno.readFileSync(deno!),
    readEntryCode(Deno.readFileSync(entryElf!), Deno.readFileSync(entryBin!)),
    {
      scripts: linkScripts(files, "main.js"),
      shim: Deno.readFileSync(shim!),
      init: Deno.readFileSync(init!),
    },
  );
  // Written aside and renamed: the old one may be running.
  Deno.writeFileSync(`${output}.new`, program, { mode: 0o755 });
  Deno.renameSync(`${output}.new`, output);
} catch (error) {
  console.error(`graft: ${deno}: ${error instanceof Error ? error.message : error}`);
  Deno.exit(1);
}
