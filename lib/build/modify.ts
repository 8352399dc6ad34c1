// ch-image modify: an image from an image by shell code (spec ch-image §14.6), as the Dockerfile that would
// do the same.

import { CHARLIECLOUD } from "../dockerfile/dialect.ts";
import type { Dockerfile, Instruction } from "../dockerfile/instruction.ts";
import { ChError } from "../error.ts";
import type { ImageReference } from "../reference/reference.ts";
import type { Store } from "../store/store.ts";

/** What is done to the image. */
export type Modification =
  | { readonly mode: "commands"; readonly commands: readonly string[] }
  | {
    readonly mode: "script";
    /** As announced. */
    readonly name: string;
    /** An OsString. */
    readonly content: string;
  };

/** Throws a ChError unless BASE is an image in storage and OUTPUT another. */
export function checkModify(base: ImageReference, output: ImageReference, store: Store): void {
  if (!store.hasImage(base)) throw new ChError(`not in storage: ${base.text}`);
  if (base.text !== output.text) return;
  throw new ChError(`output must be different from source image (${base.text})`);
}

export const SCRIPT_PLACE = "/ch/script.sh";

/** Its instructions have no lines: -1. */
export function describeModification(
  base: ImageReference,
  shell: string,
  change: Modification,
): Dockerfile {
  const head = (keyword: string) => ({ keyword, position: { line: -1, column: 1 } });
  const plain = { options: [], heredocs: [] };
  const instructions: Instruction[] = [
    { kind: "from", ...head("FROM"), options: [], image: base.text, alias: undefined },
  ];
  switch (change.mode) {
    case "commands":
      instructions.push(
        { kind: "shell", ...head("SHELL"), argv: [shell, "-c"] },
        ...change.commands.map((command) =>
          ({ kind: "run", ...head("RUN"), ...plain, form: "shell", command }) as const
        ),
      );
      break;
    case "script": {
      const { name, content } = change;
      const script = { word: name, name: "script.sh", content, expand: false };
      instructions.push(
        {
          kind: "copy",
          ...head("COPY"),
          options: [],
          paths: [name, SCRIPT_PLACE],
          heredocs: [script],
        },
        { kind: "run", ...head("RUN"), ...plain, form: "list", argv: [shell, SCRIPT_PLACE] },
      );
      break;
    }
    default:
      change satisfies never;
  }
  return { file: "modify", dialect: CHARLIECLOUD, instructions };
}
