// The image of examples/mpihello, and what its program says. Tests only run the image; it is built
// once for the rig, which takes a minute, and again when the example has changed.

import assert from "node:assert/strict";
import { exists, type Result, rig, type Workplace } from "./rig.ts";

const MINUTE = 60_000;
const EXAMPLE = `${rig.projectRoot}/examples/mpihello`;
const FILES = ["Dockerfile", "hello.c"];

/**
 * Lets WORK's commands run the image: by the name "mpihello", or as the SquashFS file whose path is
 * returned. The storage is the rig's, and nothing may change it.
 */
export async function provideMpiHello(work: Workplace): Promise<string> {
  const directory = `${rig.directory}/mpihello-${await hashExample()}`;
  if (!exists(directory)) {
    using lock = Deno.openSync(`${rig.directory}/mpihello.lock`, { create: true, write: true });
    await lock.lock(true);
    if (!exists(directory)) await build(work, directory);
  }
  work.environment.CH_IMAGE_STORAGE = `${directory}/storage`;
  return `${directory}/mpihello.sqfs`;
}

async function hashExample(): Promise<string> {
  const text = FILES.map((name) => Deno.readTextFileSync(`${EXAMPLE}/${name}`)).join("\0");
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(hash).toHex().slice(0, 16);
}

/** In WORK's directory, which the ordinary user owns, and then moved as a whole. */
async function build(work: Workplace, directory: string): Promise<void> {
  for (const { name } of Deno.readDirSync(rig.directory)) {
    if (name.startsWith("mpihello-")) Deno.removeSync(`${rig.directory}/${name}`, RECURSIVE);
  }
  const context = Object.fromEntries(
    FILES.map((name) => [name, Deno.readTextFileSync(`${EXAMPLE}/${name}`)]),
  );
  work.tree("mpihello", context);
  await work.must(
    `export CH_IMAGE_STORAGE=$PWD/made/storage; mkdir made
    { ch-image --no-cache import "$1" debian && ch-image --no-cache build -t mpihello mpihello &&
      ch-image delete debian && ch-convert mpihello made/mpihello.sqfs
    } >log 2>&1 || { tail log >&2; false; }`,
    [rig.debianTar],
    { limit: 10 * MINUTE },
  );
  // Both may be on different file systems: complete, then there.
  await work.must('mv made "$1.new" && mv "$1.new" "$1"', [directory], { root: rig.isRoot });
}

const RECURSIVE = { recursive: true };

/** What the program says of itself. */
export interface Hello {
  readonly ranks: number;
  /** Node and user namespace of each rank, by its number. */
  readonly hosts: readonly string[];
  readonly containers: readonly string[];
  /** How many could read their neighbour's memory. */
  readonly readers: number;
}

/** Fails unless the program ended well, and all ranks belong to one job. */
export function readHello(result: Result): Hello {
  const all = `ended with ${result.code}\n${result.stdout}${result.stderr}`;
  assert.equal(result.code, 0, all);
  assert.match(result.stdout, /^0: send\/receive ok$/m, all);
  assert.match(result.stdout, /^0: finalize ok$/m, all);
  const lines = [...result.stdout.matchAll(/^(\d+): init ok (\S+), (\d+) ranks, userns (\d+)$/gm)]
    .map(([, rank, host, ranks, container]) => ({
      rank: Number(rank),
      host: host!,
      ranks: Number(ranks),
      container: container!,
    }))
    .sort((a, b) => a.rank - b.rank);
  const ranks = lines.length;
  assert.deepEqual(lines.map(({ rank }) => rank), Array.from({ length: ranks }, (_, i) => i), all);
  for (const line of lines) assert.equal(line.ranks, ranks, all);
  const readers = /^0: cross-memory attach: (\d+) of (\d+) ranks$/m.exec(result.stdout);
  assert.equal(Number(readers?.[2]), ranks, all);
  return {
    ranks,
    hosts: lines.map(({ host }) => host),
    containers: lines.map(({ container }) => container),
    readers: Number(readers![1]),
  };
}

/** Fails unless it is a job of COUNT ranks that share a container and read each other's memory. */
export function expectTogether(result: Result, count: number): void {
  const hello = readHello(result);
  assert.equal(hello.ranks, count);
  assert.equal(new Set(hello.containers).size, 1, result.stdout);
  assert.equal(hello.readers, count, result.stdout);
}

/** Fails unless it is a job of COUNT ranks in containers of their own, which cannot do that. */
export function expectApart(result: Result, count: number): void {
  const hello = readHello(result);
  assert.equal(hello.ranks, count);
  assert.equal(new Set(hello.containers).size, count, result.stdout);
  assert.equal(hello.readers, 0, result.stdout);
}
