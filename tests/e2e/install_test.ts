// What `make install` and `make dist` put where (Makefile).

import assert from "node:assert/strict";
import { exists, expect, rig, test } from "../rig.ts";

const make = (...words: string[]) => ["make", "-s", "--no-print-directory", ...words];
const AS_BUILDER = { root: true, cwd: rig.projectRoot, limit: 600_000 } as const;

test(
  "make install puts program, man pages and completions where they are looked for",
  async (work) => {
    expect(
      await work.run(make("install", `DESTDIR=${work.path}/root`, "PREFIX=/opt/ch"), AS_BUILDER),
      {
        code: 0,
      },
    );
    const root = `${work.path}/root/opt/ch`;
    assert.match(
      await work.must('"$1/bin/ch-run" --version 2>&1; "$1/bin/ch" doctor --version', [root]),
      /^(0\..*)\n\1\n$/,
    );
    for (const name of ["image", "convert", "fromhost", "checkns", "run-oci", "test"]) {
      assert(
        exists(`${root}/bin/ch-${name}`) && exists(`${root}/share/man/man1/ch-${name}.1`),
        name,
      );
    }
    for (
      const file of [
        "bash-completion/completions/ch-image",
        "zsh/site-functions/_ch",
        "fish/vendor_completions.d/ch-run.fish",
      ]
    ) assert.match(Deno.readTextFileSync(`${root}/share/${file}`), /completion for ch 0\./, file);
    // Where it was put for packing is of no importance later.
    const bash = Deno.readTextFileSync(`${root}/share/bash-completion/completions/ch`);
    assert.match(bash, /^_ch_program='\/opt\/ch\/bin\/ch'$/m);
  },
  "root",
);

test(
  "make dist makes a release that can be checked",
  async (work) => {
    expect(await work.run(make("dist"), AS_BUILDER), { code: 0 });
    const dist = `${rig.projectRoot}build/dist`;
    const list = await work.must(
      'cd "$1"; sha256sum --quiet -c SHA256SUMS; ls',
      [dist],
      AS_BUILDER,
    );
    const [sums, file, archive, ...others] = list.trim().split("\n");
    assert.deepEqual([sums, archive, others], ["SHA256SUMS", `${file}.tar.gz`, []]);
    const members = await work.must('tar -tzf "$1"', [`${dist}/${archive}`], AS_BUILDER);
    for (
      const name of [
        "bin/ch",
        "bin/ch-run",
        "share/man/man1/ch.1",
        "share/doc/ch/LICENSE",
        "share/doc/ch/docs/tutorial.md",
      ]
    ) {
      assert(members.split("\n").includes(`${file}/${name}`), name);
    }
  },
  "root",
);
