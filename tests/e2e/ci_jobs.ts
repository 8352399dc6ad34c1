// The jobs of docs/ci.md as shell scripts: what a CI system makes of their text, as far as these use it.

import assert from "node:assert/strict";

export interface Job {
  /** "GitLab" and so on. */
  readonly system: string;
  /** What the job does, after the variables that it sets. */
  readonly script: string;
}

/** The jobs in TEXT. In variables, `${{ NAME }}` is what VALUES have, of each name its last part. */
export function extractJobs(text: string, values: Readonly<Record<string, string>>): Job[] {
  const sections = [...text.matchAll(/^## (.*)\n[^]*?^```\w+\n([^]*?)^```$/gm)];
  return sections.map(([, system, code]) => {
    const lines = [...findVariables(code!, values), ...findCommands(code!)];
    return { system: system!, script: `set -e\n${lines.join("\n")}\n` };
  });
}

/** `NAME: value` of YAML, `NAME = 'value'` of Groovy. */
function findVariables(code: string, values: Readonly<Record<string, string>>): string[] {
  return [...code.matchAll(/^ +([A-Z_]+)(?:: | = ')(.*?)'?$/gm)].map(([, name, value]) => {
    const known = value!.replace(/\$\{\{ \w+\.(\w+) \}\}/g, (_, key) => {
      assert.ok(values[key] !== undefined, `no value for ${key}`);
      return values[key]!;
    });
    return `export ${name}="${values[name!] ?? known}"`;
  });
}

/** Items of `script:`, or the text of `run: |` or of `sh '''`. */
function findCommands(code: string): string[] {
  const items = /^ +script:\n((?: +- .*\n)+)/m.exec(code)?.[1]?.replace(/^ +- /gm, "");
  const block = /(?:run: \||sh ''')\n([^]*?)(?:'''|$(?![^]))/.exec(code)?.[1];
  const commands = (items ?? block ?? "").trim().split("\n").map((line) => line.trim());
  assert.ok(commands.length >= 5, `no job found in: ${code}`);
  return commands;
}
