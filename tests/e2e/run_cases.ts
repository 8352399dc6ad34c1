// Tables of ch-run command lines and what comes of them.

import { expect, type Expected, type Need, test, type Tree, type Workplace } from "../rig.ts";

export interface RunCase {
  readonly name: string;
  /** Words after "ch-run". "{D}" stands for the image directory, "{W}" for the test's own. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Put into the image besides busybox. */
  readonly image?: Tree;
  /** Put into the test's own directory. */
  readonly files?: Tree;
  /** Shell script run before, in the test's own directory, with {D} and {W} as above. */
  readonly before?: string;
  readonly expected: Expected;
  /** Shell script run after, which must succeed. */
  readonly after?: string;
  readonly needs?: readonly Need[];
}

export function testRuns(title: string, cases: readonly RunCase[]): void {
  for (const entry of cases) {
    test(`${title}: ${entry.name}`, (work) => carryOut(work, entry), ...(entry.needs ?? []));
  }
}

async function carryOut(work: Workplace, entry: RunCase): Promise<void> {
  const image = work.image("image", entry.image);
  if (entry.files !== undefined) work.tree(".", entry.files);
  const fill = (text: string) => text.replaceAll("{D}", image).replaceAll("{W}", work.path);
  if (entry.before !== undefined) await work.must(fill(entry.before));

  const env = Object.entries(entry.env ?? {}).map(([name, value]) =>
    [name, value === undefined ? undefined : fill(value)] as const
  );
  const result = await work.run(["ch-run", ...entry.args.map(fill)], {
    env: Object.fromEntries(env),
  });
  const { stdout } = entry.expected;
  expect(result, {
    ...entry.expected,
    ...(typeof stdout === "string" && { stdout: fill(stdout) }),
  });
  if (entry.after !== undefined) await work.must(fill(entry.after));
}
