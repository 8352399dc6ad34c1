// A build as a row of a table: Dockerfile and context, what is printed, what is in the image.

import assert from "node:assert/strict";
import { expect, type Expected, type RunOptions, test, type Tree, type Workplace } from "../rig.ts";

export interface BuildCase {
  readonly name: string;
  readonly dockerfile: string;
  /** Options before the context. */
  readonly args?: readonly string[];
  readonly env?: RunOptions["env"];
  /** Files of the context besides the Dockerfile. */
  readonly context?: Tree;
  /** Shell script run before, in the test's own directory. */
  readonly before?: string;
  readonly expected: Expected;
  /** Shell script run after, which must succeed and print this; $I is the built image. */
  readonly after?: string;
  readonly prints?: string;
}

/** A test for each of CASES. */
export function testBuilds(cases: readonly BuildCase[]): void {
  for (const entry of cases) test(`ch-image build: ${entry.name}`, (work) => build(work, entry));
}

/** Builds with the tag "t" from a context directory "context"; the base image is "base". */
export async function build(work: Workplace, entry: BuildCase): Promise<void> {
  await prepare(work, entry.dockerfile, entry.context);
  if (entry.before !== undefined) await work.must(entry.before);
  const args = entry.args ?? ["-t", "t"];
  const result = await work.run(["ch-image", "build", ...args, "context"], { env: entry.env });
  expect(result, entry.expected);
  if (entry.after !== undefined) {
    const printed = await work.must(entry.after, [], {
      env: { I: `${work.path}/storage/img/t` },
    });
    if (entry.prints !== undefined) assert.equal(printed, entry.prints);
  }
}

export async function prepare(
  work: Workplace,
  dockerfile: string,
  context: Tree = {},
): Promise<void> {
  const image = work.image();
  work.tree("context", { ...context, "Dockerfile": dockerfile });
  await work.must('ch-image import "$1" base', [image]);
}
