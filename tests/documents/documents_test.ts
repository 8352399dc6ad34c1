// Every example of README.md and docs/*.md is run, and every output that they show compared (markdown.ts says how
// they are written). What cannot run here is marked in the document's source, and listed.

import assert from "node:assert/strict";
import { provideMpiHello } from "../mpi_hello.ts";
import { type Need, rig, test } from "../rig.ts";
import { SlurmCluster } from "../slurm.ts";
import { Internet } from "./internet.ts";
import { type MarkdownDocument, parseMarkdown } from "./markdown.ts";
import { carryOut } from "./session.ts";

const documents = [
  "README.md",
  ...[...Deno.readDirSync(`${rig.projectRoot}docs`)]
    .map(({ name }) => `docs/${name}`).filter((path) => path.endsWith(".md")).sort(),
];

for (const path of documents) {
  const document = read(path);
  if (document instanceof Error) {
    Deno.test(`${path} is written as its test needs it`, () => {
      throw document;
    });
    continue;
  }
  for (const part of document.parts) {
    if (part.type === "skipped") console.log(`${path}:${part.line} is not run: ${part.reason}`);
  }
  if (!document.parts.some(({ type }) => type === "transcript")) continue;

  test(`${path}: its examples do what it shows`, async (work) => {
    await using internet = document.needs.includes("registry") ? await Internet.open() : undefined;
    await using _cluster = document.needs.includes("slurm")
      ? await SlurmCluster.start(work)
      : undefined;
    const environment = {
      ...internet?.environment,
      BUSYBOX: work.image("busybox"),
      DEBIAN_TAR: rig.debianTar,
      MPIHELLO: document.needs.includes("slurm") ? await provideMpiHello(work) : "",
      PROJECT: rig.projectRoot,
    };
    const differences = await carryOut(document.parts, work, environment);
    if (differences.length > 0) assert.fail(`${path}: ${differences.join("\n\n")}`);
  }, ...document.needs as Need[]);
}

function read(path: string): MarkdownDocument | Error {
  try {
    return parseMarkdown(Deno.readTextFileSync(rig.projectRoot + path));
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}
