// The layer rules themselves, run on small sources as if they stood at a place in the tree.

import assert from "node:assert/strict";
import plugin from "../../tools/lint_layers.ts";

const ROOT = new URL("../..", import.meta.url).pathname;

const CASES: readonly { readonly file: string; readonly code: string; readonly says?: RegExp }[] = [
  { file: "cli/run.ts", code: `import { x } from "../lib/error.ts";` },
  { file: "cli/run.ts", code: `import { x } from "../ffi/library.ts";` },
  { file: "cli/image/list.ts", code: `import { x } from "../options.ts";` },
  { file: "lib/store/store.ts", code: `import { x } from "../log/log.ts";` },
  { file: "lib/store/store.ts", code: `import { x } from "node:path/posix";` },
  { file: "tests/lib/a_test.ts", code: `import { x } from "../../cli/run.ts"; console.log(1);` },
  { file: "lib/a.ts", code: `import { x } from "../cli/run.ts";`, says: /upwards from cli/ },
  { file: "lib/a.ts", code: `import type { X } from "../cli/run.ts";`, says: /upwards from cli/ },
  { file: "lib/a.ts", code: `export * from "../cli/run.ts";`, says: /upwards from cli/ },
  { file: "lib/a.ts", code: `await import("../cli/run.ts");`, says: /upwards from cli/ },
  { file: "ffi/a.ts", code: `import { x } from "../lib/error.ts";`, says: /upwards from lib/ },
  { file: "cli/a.ts", code: `import { x } from "../mod.ts";`, says: /users from outside/ },
  { file: "cli/a.ts", code: `import { x } from "../tests/rig.ts";`, says: /may not import/ },
  { file: "ffi/tree.ts", code: `Deno.dlopen("x", {});` },
  { file: "lib/a.ts", code: `Deno.dlopen("x", {});`, says: /Deno.dlopen belongs into ffi/ },
  { file: "cli/a.ts", code: `new Deno.UnsafePointerView(p);`, says: /belongs into ffi/ },
  { file: "cli/a.ts", code: `console.log(Deno.args); Deno.exit(1);` },
  { file: "lib/a.ts", code: `console.log(1);`, says: /console belongs into cli/ },
  { file: "lib/a.ts", code: `f(Deno.args);`, says: /Deno.args belongs into cli/ },
  { file: "ffi/a.ts", code: `Deno.exit(1);`, says: /Deno.exit belongs into cli/ },
  { file: "lib/a.ts", code: `Deno.env.get("HOME");`, says: /Deno.env belongs into cli/ },
];

for (const { file, code, says } of CASES) {
  Deno.test(`lint_layers ${says === undefined ? "accepts" : "refuses"} in ${file}: ${code}`, () => {
    const messages = Deno.lint.runPlugin(plugin, ROOT + file, code).map((found) => found.message);
    if (says === undefined) assert.deepEqual(messages, []);
    else assert.ok(messages.some((text) => says.test(text)), `reported: ${messages.join("; ")}`);
  });
}
