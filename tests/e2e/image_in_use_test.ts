// A container keeps the files it began with, whatever becomes of its image meanwhile, and what it keeps goes
// when it has ended.

import assert from "node:assert/strict";
import { exists, expect, test, type Workplace } from "../rig.ts";

/** A container that waits for a line, and tells then what it sees. */
class Container {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #output: ReadableStreamDefaultReader<string>;

  constructor(work: Workplace, options: readonly string[]) {
    const script = "echo ready; read line; cat /version /d/*; ls /";
    const command = ["ch-run", ...options, "t", "--", "sh", "-c", script];
    this.#child = work.spawn(command, { stdin: "" });
    this.#input = this.#child.stdin.getWriter();
    this.#output = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  async begin(): Promise<void> {
    assert.equal((await this.#output.read()).value, "ready\n");
  }

  async look(): Promise<string> {
    await this.#input.write(new TextEncoder().encode("now\n"));
    await this.#input.close();
    let text = "";
    for (;;) {
      const { done, value } = await this.#output.read();
      if (done) break;
      text += value;
    }
    await this.#child.stderr.cancel();
    assert.equal((await this.#child.status).code, 0);
    return text;
  }
}

async function build(work: Workplace, version: string): Promise<void> {
  const dockerfile =
    `FROM base\nRUN echo ${version} >/version && mkdir /d && echo x >/d/${version}\n`;
  work.tree("context", { Dockerfile: dockerfile });
  expect(await work.run(["ch-image", "build", "-t", "t", "context"]), { code: 0 });
}

for (const options of [[], ["--write-fake"]]) {
  test(`a container's files stay while its image is made anew: ${options}`, async (work) => {
    await work.must('ch-image import "$1" base', [work.image()]);
    await build(work, "one");
    const container = new Container(work, options);
    await container.begin();
    const before = Deno.statSync(`${work.path}/storage/img/t`).ino;
    // The second would begin with the tree that the first replaced; more than two are not kept.
    for (const version of ["two", "three", "four", "five"]) await build(work, version);
    assert.equal(await work.must("cat storage/img/t/version"), "five\n");
    expect(await work.run(["ch-image", "build-cache", "--gc"]), { code: 0, stderr: /^[^w]/ });
    const seen = await container.look();
    assert.match(seen, /^one\nx\n/);
    assert.match(seen, /^version$/m);
    // Now it goes, and no word about it.
    expect(await work.run(["ch-image", "list"]), { stdout: "base\nt\n", stderr: "" });
    const kept = await work.must('find storage -inum "$1"', [String(before)]);
    assert.equal(kept, "");
    assert(!exists(`${work.path}/storage/imgtmp`));
  });
}

test("a container's files stay while its image is deleted or imported", async (work) => {
  const image = work.image("image", { "version": "one\n", "d/x": "x\n" });
  for (const mode of ["--cache", "--no-cache"]) {
    await work.must('ch-image "$2" import "$1" t', [image, mode]);
    const imported = new Container(work, []);
    await imported.begin();
    await work.must('ch-image "$2" import "$1" t', [image, mode]);
    const deleted = new Container(work, []);
    await deleted.begin();
    await work.must('ch-image "$1" delete t', [mode]);
    assert.equal(await work.must("ch-image list"), "");
    for (const container of [imported, deleted]) assert.match(await container.look(), /^one\nx\n/);
    assert.equal(await work.must("ch-image list"), "");
    assert(!exists(`${work.path}/storage/imgtmp`));
  }
});
