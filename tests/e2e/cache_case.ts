// Builds in a small storage directory, and what their cache says.

import { expect, type Workplace } from "../rig.ts";

/** Builds TEXT with the tag "t", or OPTIONS' own. */
export async function build(
  work: Workplace,
  text: string,
  options: readonly string[] = ["-t", "t"],
) {
  await work.must("mkdir -p context");
  await work.must('printf %s "$1" >context/Dockerfile', [text]);
  const result = await work.run(["ch-image", "build", ...options, "context"]);
  expect(result, { code: 0 });
  return result;
}

/** The status of each instruction but the first: "**." */
export function statusOf({ stderr }: { readonly stderr: string }): string {
  return [...stderr.matchAll(/^ +\d+([*. ]) (?!FROM)/gm)].map(([, status]) => status).join("");
}

export async function cache(work: Workplace, ...options: string[]): Promise<string> {
  const result = await work.run(["ch-image", "build-cache", ...options]);
  expect(result, { code: 0 });
  return result.stdout;
}

export async function importBase(work: Workplace, name = "base"): Promise<void> {
  const image = work.image();
  await work.must('ch-image import "$1" "$2"', [image, name]);
}
