// Pulled images in the build cache, as the user sees them (spec build-cache §14; the numbers in names are those
// of the acceptance checklist). tests/lib/registry has what needs no command line.

import assert from "node:assert/strict";
import { FakeRegistry } from "../fake_registry.ts";
import { expect, test, type Workplace } from "../rig.ts";

/** Image a/b:1 of the registry is busybox, and /version says VERSION. */
async function publish(work: Workplace, registry: FakeRegistry, version: string): Promise<void> {
  await work.must("rm -rf image");
  work.image("image", { version });
  await work.must("tar -C image --sort=name --mtime=@0 -cf layer.tar .");
  await registry.addImage("1", [Deno.readFileSync(`${work.path}/layer.tar`)], {
    config: { Env: ["COLOR=green"], WorkingDir: "/etc" },
  });
}

async function pull(work: Workplace, source: string, ...names: string[]): Promise<string> {
  const result = await work.run(["ch-image", "pull", "--plain-http", source, ...names]);
  expect(result, { code: 0 });
  return /^pulled image: (.*)$/m.exec(result.stderr)?.[1] ?? "";
}

/** Status of FROM and RUN, e.g. "*.". */
async function build(work: Workplace, base: string, tag: string): Promise<string> {
  work.tree("context", {
    Dockerfile: `FROM ${base}\nRUN echo $COLOR $PWD $(cat /version) >/seen\n`,
  });
  const result = await work.run(["ch-image", "build", "-t", tag, "context"]);
  expect(result, { code: 0 });
  return [...result.stderr.matchAll(/^ +\d+([*. ]) /gm)].map(([, status]) => status).join("");
}

test("2: the tree of states says where an image was pulled from", async (work) => {
  await using registry = new FakeRegistry();
  await publish(work, registry, "one");
  const source = `${registry.address}/a/b:1`;
  assert.equal(await pull(work, source), "adding to build cache");
  const name = source.replaceAll("/", "%").replaceAll(":", "+");
  const tree = await work.must("ch-image build-cache --tree");
  assert.equal(tree.split("\n")[0]!.trimEnd(), `*  (${name}) PULL ${source}`);
});

test("34: FROM what was pulled under another name needs no registry", async (work) => {
  const source = await (async () => {
    await using registry = new FakeRegistry();
    await publish(work, registry, "one");
    await pull(work, `${registry.address}/a/b:1`, "mine");
    return `${registry.address}/a/b:1`;
  })();
  assert.equal(await work.must("ch-image list"), "mine\n");
  assert.equal(await build(work, source, "t"), "*.");
  assert.equal(await work.must("cat storage/img/t/seen"), "green /etc one\n");
  expect(await work.run(["ch-image", "pull", "--plain-http", source]), { code: 1 });
});

test("35, 36: an image that changed in the registry counts once it is pulled", async (work) => {
  await using registry = new FakeRegistry();
  const source = `${registry.address}/a/b:1`;
  const see = () => work.must("cat storage/img/t/seen");
  await publish(work, registry, "one");
  await pull(work, source);
  assert.equal(await build(work, source, "t"), "*.");

  await publish(work, registry, "two");
  const asked = registry.asked.length;
  assert.equal(await build(work, source, "t"), "**");
  assert.equal(registry.asked.length, asked);
  assert.equal(await see(), "green /etc one\n");
  assert.equal(await pull(work, source), "adding to build cache");
  assert.equal(await build(work, source, "t"), "*.");
  assert.equal(await see(), "green /etc two\n");

  await publish(work, registry, "one");
  assert.equal(await pull(work, source), "found in build cache");
  assert.equal(await build(work, source, "t"), "**");
  assert.equal(await see(), "green /etc one\n");
});
