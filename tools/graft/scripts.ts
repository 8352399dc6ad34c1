// The bundle's chunks name one another by file name; in the executable they are descriptors. Each
// name becomes three digits that the entry code fills in at start (c/entry/payload.h).

export interface Script {
  readonly bytes: Uint8Array;
  /** Where in the text the number of another script belongs. */
  readonly patches: readonly { readonly at: number; readonly script: number }[];
}

/**
 * Turns the chunks of a bundle into scripts, the main module first.
 *
 * @param files file name → text; imports between them read `"./NAME"`
 * @param main name of the main module
 * @throws Error if a chunk names one that is not there
 */
export function linkScripts(files: ReadonlyMap<string, string>, main: string): Script[] {
  const names = [main, ...[...files.keys()].filter((name) => name !== main).sort()];
  return names.map((name) => {
    const text = files.get(name);
    if (text === undefined) throw new Error(`no chunk named ${name}`);
    return linkScript(text, names);
  });
}

const REFERENCE = /(["'])\.\/([A-Za-z0-9_.-]+\.js)\1/g;

function linkScript(text: string, names: readonly string[]): Script {
  const encoder = new TextEncoder();
  const patches: { at: number; script: number }[] = [];
  let linked = "";
  let from = 0;
  for (const match of text.matchAll(REFERENCE)) {
    const script = names.indexOf(match[2]!);
    if (script < 0) throw new Error(`a chunk refers to ${match[2]}, which is not in the bundle`);
    linked += text.slice(from, match.index) + `"./`;
    patches.push({ at: encoder.encode(linked).length, script });
    linked += `000"`;
    from = match.index + match[0].length;
  }
  return { bytes: encoder.encode(linked + text.slice(from)), patches };
}
