// The man pages against the option tables: an option that one has and the other lacks, another name for
// its argument or another order of a sub-command's words is a failure. And every page is sound roff.

import assert from "node:assert/strict";
import { CONVERT } from "../../cli/convert_options.ts";
import { FROMHOST } from "../../cli/fromhost_options.ts";
import { formatUsage } from "../../cli/help.ts";
import { CH_IMAGE } from "../../cli/image/help.ts";
import { SUB_COMMANDS } from "../../cli/image/table.ts";
import { type Command, listSpellings, spellOption } from "../../cli/options.ts";
import { OPERATIONS, RUN_OCI } from "../../cli/run_oci_table.ts";
import { RUN_COMMAND, RUN_SYNOPSIS } from "../../cli/run_table.ts";
import { CH_TEST, PHASES } from "../../cli/test_table.ts";
import { FORMATS } from "../../lib/convert/format.ts";
import { SETTING_RULES } from "../../lib/dockerfile/grammar_settings.ts";
import { ChError } from "../../lib/error.ts";
import { parseReference } from "../../lib/reference/reference.ts";
import { VERSION } from "../../lib/version.ts";
import { type ManPage, parseManPage } from "../man_page.ts";

const root = new URL("../..", import.meta.url).pathname;
const directory = `${root}docs/man/`;
const pages = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();

Deno.test("every name of the program has a man page", () => {
  assert.deepEqual(pages, [
    "ch-checkns.1",
    "ch-convert.1",
    "ch-fromhost.1",
    "ch-image.1",
    "ch-run-oci.1",
    "ch-run.1",
    "ch-test.1",
    "ch.1",
  ]);
});

Deno.test("ch-run(1) has the options and the synopsis of its table", () => {
  const page = readPage("ch-run");
  checkOptions(page, "OPTIONS", RUN_COMMAND);
  assert.equal(page.textOf("SYNOPSIS").replaceAll(/ +/g, " ").trim(), RUN_SYNOPSIS);
});

Deno.test("ch-convert(1) has the options, formats and synopsis of its table", () => {
  const page = readPage("ch-convert");
  checkOptions(page, "OPTIONS", CONVERT);
  checkSynopsis(page, CONVERT);
  const described = new Set(page.headsOf("FORMATS").flatMap((head) => head.split(", ")));
  assert.deepEqual([...described].sort(), [...FORMATS].sort());
});

Deno.test("ch-fromhost(1) has the options and the synopsis of its table", () => {
  const page = readPage("ch-fromhost");
  checkOptions(page, "OPTIONS", FROMHOST);
  checkSynopsis(page, FROMHOST);
});

Deno.test("ch-run-oci(1) has the options and operations of its tables", () => {
  const page = readPage("ch-run-oci");
  checkOptions(page, "OPTIONS", RUN_OCI);
  checkSynopsis(page, RUN_OCI);
  assert.deepEqual(page.headsOf("DESCRIPTION").map((head) => head.split(" ")[0]), [...OPERATIONS]);
});

Deno.test("ch-test(1) has the options, phases and synopsis of its table", () => {
  const page = readPage("ch-test");
  checkOptions(page, "OPTIONS", CH_TEST);
  checkSynopsis(page, CH_TEST);
  assert.deepEqual(page.headsOf("DESCRIPTION"), [...PHASES]);
});

Deno.test("ch-image(1) has the common options of its table", () => {
  checkOptions(readPage("ch-image"), "COMMON OPTIONS", CH_IMAGE);
});

Deno.test("ch-image(1) has a section for each sub-command, with its usage and its own options", async () => {
  const page = readPage("ch-image");
  const commands = await Promise.all(Object.values(SUB_COMMANDS).map(({ load }) => load()));
  assert.deepEqual(
    page.sectionsIn("SUB-COMMANDS"),
    commands.map((command) => formatUsage(command).replace("usage: ch-image ", "")),
  );
  for (const command of commands) {
    checkOptions(page, formatUsage(command).replace("usage: ch-image ", ""), command);
  }
});

Deno.test("ch-image(1) names the instructions about running images", () => {
  const text = readPage("ch-image").textOf("Instructions");
  for (const keyword of Object.keys(SETTING_RULES)) {
    assert.match(text, new RegExp(`\\b${keyword}\\b`));
  }
});

Deno.test("ch-image(1) has the section that a wrong image reference points to", () => {
  assert.throws(() => parseReference("WRONG!"), (error) => {
    assert(error instanceof ChError);
    const section = /section “(.+)” of ch-image\(1\)/.exec(error.hint ?? "")?.[1];
    assert.notEqual(readPage("ch-image").textOf(section!.toUpperCase()), "");
    return true;
  });
});

for (const [name, words, count] of [["ch", [], 2], ["ch-checkns", ["checkns"], 4]] as const) {
  Deno.test(`${name}(1) has the options that its help shows`, () => {
    const { stdout, stderr } = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", "--quiet", `${root}cli/start.ts`, ...words, "--help"],
    }).outputSync();
    const help = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    const shown = [...help.matchAll(/(?:^ +(?:ch )?|\| )((?:-\w, )?--[a-z]+)/gm)].map((match) =>
      match[1]
    );
    assert.deepEqual(readPage(name).headsOf("OPTIONS"), shown);
    assert.equal(shown.length, count);
  });
}

for (const name of pages) {
  Deno.test(`${name} has this version in its footer, and sections in the usual order`, () => {
    const page = parseManPage(Deno.readTextFileSync(directory + name));
    assert.equal(page.footer, `ch ${VERSION}`);
    const usual = [
      ...["NAME", "SYNOPSIS", "DESCRIPTION", "SUB-COMMANDS", "FORMATS", "OPTIONS"],
      ...[
        "COMMON OPTIONS",
        "IMAGE REFERENCES",
        "REGISTRIES",
        "DOCKERFILE",
        "BUILD CACHE",
        "FOREIGN ARCHITECTURES",
        "STORAGE DIRECTORY",
        "ENVIRONMENT",
      ],
      ...["EXIT STATUS", "DIAGNOSTICS", "BUILD EVENTS", "EXAMPLES", "NOTES", "SEE ALSO"],
    ];
    assert.deepEqual(page.sections, usual.filter((section) => page.sections.includes(section)));
    for (const section of ["NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "SEE ALSO"]) {
      assert.notEqual(page.textOf(section), "", section);
    }
  });

  const lacksMan = !hasMan();
  Deno.test({
    name: `${name} is sound roff${lacksMan ? " [lacking: no man]" : ""}`,
    ignore: lacksMan && Deno.env.get("CH_MUST_WORK") !== "1",
    fn() {
      const { code, stderr } = new Deno.Command("man", {
        args: ["--warnings", "-E", "UTF-8", "-l", directory + name],
        env: { MANPAGER: "cat", MANWIDTH: "80", LC_ALL: "C.UTF-8" },
        stdin: "null",
      }).outputSync();
      assert.equal(new TextDecoder().decode(stderr), "");
      assert.equal(code, 0);
    },
  });
}

function readPage(name: string): ManPage {
  return parseManPage(Deno.readTextFileSync(`${directory}${name}.1`));
}

/** The section describes the options of COMMAND, all of them and no other, in the order of the table. */
function checkOptions(page: ManPage, section: string, command: Command): void {
  const heads = page.headsOf(section).filter((head) => head.startsWith("-"));
  const spellings = listSpellings(command);
  const shown = command.options.filter(({ long }) => spellings.includes(`--${long}`));
  assert.deepEqual(heads, shown.map(spellOption), section);
}

function checkSynopsis(page: ManPage, command: Command): void {
  assert.equal(`usage: ${page.textOf("SYNOPSIS").trim()}`, formatUsage(command));
}

function hasMan(): boolean {
  try {
    return new Deno.Command("man", { args: ["--version"], stdout: "null" }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
