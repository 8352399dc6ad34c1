// Every example of README.md, docs/*.md and the man pages is run, and every output that they show compared
// (markdown.ts and man_examples.ts say how they are written). What cannot run here is marked in the document's
// source, and listed.

import assert from "node:assert/strict";
import { provideMpiHello } from "../mpi_hello.ts";
import { exists, type Need, rig, test } from "../rig.ts";
import { SlurmCluster } from "../slurm.ts";
import { Internet } from "./internet.ts";
import { parseManExamples } from "./man_examples.ts";
import { type MarkdownDocument, parseMarkdown } from "./markdown.ts";
import { makeSmallDebian } from "./small_debian.ts";
import { carryOut } from "./session.ts";

const documents = ["README.md", ...list("docs", ".md"), ...list("docs/man", ".1")];

function list(directory: string, end: string): string[] {
  return [...Deno.readDirSync(rig.projectRoot + directory)]
    .map(({ name }) => `${directory}/${name}`).filter((path) => path.endsWith(end)).sort();
}

for (const path of documents) {
  const document = read(path);
  if (document instanceof Error) {
    Deno.test(`${path} is written as its test needs it`, () => {
      throw document;
    });
    continue;
  }
  for (const part of document.parts) {
    if (part.type !== "skipped") continue;
    console.log(`${path}:${part.line} is not run: ${part.reason}`);
    const other = /(?:README\.md|(?:tests|docs)\/[\w./-]+\w)/.exec(part.reason)?.[0];
    if (other === undefined) continue;
    Deno.test(`${path}:${part.line} is run by ${other}`, () =>
      assert(exists(rig.projectRoot + other)));
  }
  const isRun = document.parts.some(({ type }) => type === "transcript" || type === "examples");
  if (!isRun) continue;

  test(`${path}: its examples do what it shows`, async (work) => {
    const debian = document.needs.includes("debian") ? await makeSmallDebian(work) : "";
    const needsInternet = document.needs.includes("registry");
    await using internet = needsInternet ? await Internet.open(debian) : undefined;
    await using _cluster = document.needs.includes("slurm")
      ? await SlurmCluster.start(work)
      : undefined;
    const environment = {
      ...internet?.environment,
      BUSYBOX: work.image("busybox"),
      DEBIAN_TAR: debian,
      MPIHELLO: document.needs.includes("slurm") ? await provideMpiHello(work) : "",
      PROJECT: rig.projectRoot,
    };
    const differences = await carryOut(document.parts, work, environment);
    if (differences.length > 0) assert.fail(`${path}: ${differences.join("\n\n")}`);
  }, ...document.needs as Need[]);
}

function read(path: string): MarkdownDocument | Error {
  try {
    const source = Deno.readTextFileSync(rig.projectRoot + path);
    return path.endsWith(".md") ? parseMarkdown(source) : parseManExamples(source);
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}
