// ch-fromhost on a real Debian image, as an ordinary user (spec ch-fromhost §12; numbers are its lines).

import assert from "node:assert/strict";
import { exists, expect, test } from "../rig.ts";
import { buildSotest, freshImage, unpackDebian } from "./fromhost_place.ts";

test("ch-fromhost names what is wrong with its command line [1-12, 17, 33, 36, 44]", async (work) => {
  work.image("D");
  work.tree(".", { "file": "", "x.sqfs": "hsqs", "sotest/sotest.c": "" });
  const before = await work.must("find D | sort");
  const usage = /^usage: ch-fromhost \[OPTION\.\.\.\] IMGDIR$/m;
  const cases: readonly (readonly [args: readonly string[], stderr: string | RegExp])[] = [
    [[], usage],
    [["--path", "sotest/sotest.c"], "error: no image specified\n"],
    [["file"], "error: image not a directory: file\n"],
    [["x.sqfs"], "error: image not a directory: x.sqfs\n"],
    [["missing"], "error: image not a directory: missing\n"],
    [[""], "error: image path must not be empty\n"],
    [["D", "D"], "error: duplicate image: D\n"],
    [["D", "other"], "error: duplicate image: other\n"],
    [["D"], "error: empty file list\n"],
    [["--cmd", "true", "D"], "error: empty file list\n"],
    [["--file", "/dev/null", "D"], "error: empty file list\n"],
    [["--cmd", "false", "D"], "error: command failed: false\n"],
    // What comes after is not looked at.
    [["--cmd", "false", "missing"], "error: command failed: false\n"],
    [
      ["--cmd", "not-there-at-all", "D"],
      /^error: command failed: not-there-at-all: .*not found\n$/,
    ],
    [
      ["--file", "/doesnotexist", "D"],
      "error: cannot read file: /doesnotexist: No such file or directory\n",
    ],
    [["D", "--cmd"], "error: --cmd must not be empty\n"],
    [["D", "--file"], "error: --file must not be empty\n"],
    [["D", "--path"], "error: --path must not be empty\n"],
    [["D", "--path", ""], "error: --path must not be empty\n"],
    [["D", "--dest"], "error: --dest must not be empty\n"],
    [["--path", "foo:bar", "D"], "error: paths can't contain colon: foo:bar\n"],
    [["--path", "foo\nbar", "D"], /^error: no destination for: foo\n/],
    [["--bogus", "D"], /^invalid option: --bogus\nusage: /],
    [["--nvidia", "D"], /nvidia-container-cli: not found\n[^]*does this host have GPUs\?\n$/],
    [["--cray-cxi", "D"], "error: CH_FROMHOST_OFI_CXI is not set\n"],
    [["--cray-gni", "D"], "error: CH_FROMHOST_OFI_GNI is not set\n"],
    [["-v", "-q", "D"], "error: incompatible options: --quiet, --verbose\n"],
    [["-q", "-v", "D"], "error: incompatible options: --quiet, --verbose\n"],
  ];
  for (const [args, stderr] of cases) {
    expect(await work.run(["ch-fromhost", ...args]), { code: 1, stdout: "", stderr });
  }
  for (const option of ["--help", "-h"]) {
    expect(await work.run(["ch-fromhost", option]), { code: 0, stdout: "", stderr: usage });
  }
  expect(await work.run(["ch-fromhost", "--version"]), { code: 0, stderr: /^0\.40/ });
  assert.equal(await work.must("find D | sort"), before);
});

test(
  "ch-fromhost injects executables and libraries, and refreshes the linker's cache [18-26, 32, 45]",
  async (work) => {
    await unpackDebian(work);
    await buildSotest(work);
    await freshImage(work);
    const before = await work.must("find D | sort");
    expect(await work.run(["ch-fromhost", "--print-lib", "D"]), {
      code: 0,
      stdout: "/usr/local/lib\n",
      stderr: "",
    });
    assert.equal(await work.must("find D | sort"), before);

    const isInjected = async () => {
      assert(exists(`${work.path}/D/usr/bin/sotest`));
      assert(Deno.lstatSync(`${work.path}/D/usr/local/lib/libsotest.so.1.0`).isFile);
      assert(Deno.lstatSync(`${work.path}/D/usr/local/lib/libsotest.so.1`).isSymlink);
      assert.match(await work.must("ch-run D -- /sbin/ldconfig -p"), /libsotest\.so\.1 /);
      assert.equal(await work.must("ch-run D -- sotest"), "42\n");
    };
    const ways: readonly (readonly string[])[] = [
      ["--file", "L", "D"],
      ["--cmd", "cat L", "D"],
      ["--cmd=cat L", "--file=L", "D"],
      ["D", "--path", "sotest/bin/sotest", "-p", "sotest/lib/libsotest.so.1.0"],
    ];
    for (const args of ways) {
      await freshImage(work);
      expect(await work.run(["ch-fromhost", ...args]), { code: 0, stdout: "", stderr: "done\n" });
      await isInjected();
      // Nothing of ours stays behind.
      assert.equal(await work.must("find D -name '*ch-fromhost*'"), "");
    }

    await freshImage(work);
    const verbose = await work.run(["ch-fromhost", "-v", "-f", "L", "D"]);
    expect(verbose, {
      code: 0,
      stderr: `enqueue file(s)
asking ldconfig for inferred shared library destination
inferred shared library destination: D/usr/local/lib
injecting into image: D
sotest/bin/sotest -> /usr/bin (inferred)
sotest/lib/libsotest.so.1.0 -> /usr/local/lib (inferred)
running ldconfig
done
`,
    });
    expect(await work.run(["ch-fromhost", "-q", "-f", "L", "D"]), { code: 0, stderr: "" });

    await freshImage(work);
    await work.must("ch-fromhost --file L --dest /mnt D --path sotest/sotest.c");
    assert.equal(await work.must("ls D/mnt"), "sotest.c\n");
    await isInjected();
    expect(await work.run(["ch-fromhost", "--path", "sotest/sotest.c", "--dest", "/mnt", "D"]), {
      code: 1,
      stderr: /^error: no destination for: sotest\/sotest\.c\n/,
    });

    await freshImage(work);
    await work.must("ch-fromhost --dest /lib --file L D");
    assert.equal(
      await work.must("ls D/usr/lib | grep sotest"),
      [
        "libsotest.so.1",
        "libsotest.so.1.0",
        "sotest",
        "",
      ].join("\n"),
    );

    await freshImage(work);
    await work.must("ch-fromhost --no-ldconfig --file L D");
    assert(!exists(`${work.path}/D/usr/local/lib/libsotest.so.1`));
    expect(await work.run(["ch-run", "D", "--", "sotest"]), { code: 127 });

    // An executable alone needs no ldconfig; a library does.
    await freshImage(work);
    await work.must("mv D/sbin/ldconfig D/sbin/gone; ch-fromhost -p sotest/bin/sotest D");
    for (const args of [["--print-lib"], ["--file", "L"]]) {
      expect(await work.run(["ch-fromhost", ...args, "D"]), {
        code: 1,
        stdout: "",
        stderr: /^error: empty path from ldconfig$/m,
      });
    }
  },
  "debian",
  "cc",
);

test(
  "ch-fromhost copies files as they are, to where they were told [13-16, 27-31, 43, 46]",
  async (work) => {
    await unpackDebian(work);
    await buildSotest(work);
    await freshImage(work);
    await work.must(`
      ln -s libsotest.so.1.0 sotest/lib/link.so
      cp sotest/bin/sotest 'sotest/bin/with space'
      chmod 0711 sotest/bin/sotest; touch -d @1000000000 sotest/bin/sotest
      ln -s /etc D/abs; ln -s ../../../../../../../etc D/up`);
    const before = await work.must("find D | sort");
    const refused: readonly (readonly [args: readonly string[], stderr: RegExp])[] = [
      [["--path", "sotest/sotest.c"], /^error: no destination for: sotest\/sotest\.c\n/],
      [
        ["--dest", "/mnt", "--path", "/doesnotexist"],
        /^error: cannot inject: \/doesnotexist: No such file or directory\n$/,
      ],
      [["--dest", "/mnt", "--path", "sotest/lib"], /^error: cannot inject: sotest\/lib: /],
      [["--dest", "rel", "--path", "sotest/sotest.c"], /^error: not an absolute path: rel\n$/],
      [["--dest", "/none", "--path", "sotest/sotest.c"], /^error: not a directory: D\/none\n$/],
      [
        ["--dest", "/bin/sh", "--path", "sotest/sotest.c"],
        /^error: not a directory: D\/bin\/sh\n$/,
      ],
    ];
    for (const [args, stderr] of refused) {
      expect(await work.run(["ch-fromhost", ...args, "D"]), { code: 1, stderr });
    }
    assert.equal(await work.must("find D | sort"), before);

    // A link in the image leads nowhere but into the image.
    for (const link of ["/abs", "/up"]) {
      await work.must('ch-fromhost --dest "$1" --path sotest/sotest.c D', [link]);
      assert(exists(`${work.path}/D/etc/sotest.c`));
      assert(!exists("/etc/sotest.c"));
      Deno.removeSync(`${work.path}/D/etc/sotest.c`);
    }

    await work.must("chmod 0555 D/usr/bin");
    expect(await work.run(["ch-fromhost", "-p", "sotest/bin/sotest", "D"]), {
      code: 0,
      stderr: "D/usr/bin not writeable; fixing\ndone\n",
    });
    assert.equal(
      await work.must("stat -c '%a %Y' D/usr/bin/sotest; stat -c %a D/usr/bin"),
      "711 1000000000\n755\n",
    );
    await work.must("ch-fromhost -p sotest/lib/link.so -p 'sotest/bin/with space' D");
    assert(Deno.lstatSync(`${work.path}/D/usr/local/lib/link.so`).isFile);
    assert(exists(`${work.path}/D/usr/bin/with space`));

    await freshImage(work);
    expect(await work.run(["ch-fromhost", "-f", "L", "-p", "/gone/bin/x", "D"]), {
      code: 1,
      stderr: /^error: cannot inject: \/gone\/bin\/x: /,
    });
    assert(exists(`${work.path}/D/usr/bin/sotest`));
    assert(exists(`${work.path}/D/usr/local/lib/libsotest.so.1.0`));
  },
  "debian",
  "cc",
);

test(
  "ch-fromhost --nvidia injects what nvidia-container-cli lists [34, 35]",
  async (work) => {
    await unpackDebian(work);
    await buildSotest(work);
    await freshImage(work);
    await work.must(`
      mkdir -p gpu/bin gpu/lib
      cp sotest/bin/sotest gpu/bin/nvidia-smi
      cc -shared -fPIC -Wl,-soname,libcuda.so.1 -o gpu/lib/libcuda.so.535.1 sotest/lib.c`);
    work.tree("stub", {
      "nvidia-container-cli": {
        content: `#!/bin/sh\necho "$*" >>'${work.path}/calls'\n` +
          `echo '${work.path}/gpu/bin/nvidia-smi'\necho '${work.path}/gpu/lib/libcuda.so.535.1'\n`,
        mode: 0o755,
      },
    });
    await work.must("PATH=$PWD/stub:$PATH ch-fromhost --nvidia --file L D");
    assert.equal(
      Deno.readTextFileSync(`${work.path}/calls`),
      "list --binaries --libraries\n",
    );
    for (const name of ["nvidia-smi", "sotest"]) assert(exists(`${work.path}/D/usr/bin/${name}`));
    assert.equal(
      Deno.readLinkSync(`${work.path}/D/usr/local/lib/libcuda.so.1`),
      "libcuda.so.535.1",
    );
    assert.equal(await work.must("ch-run D -- nvidia-smi"), "42\n");
  },
  "debian",
  "cc",
);

test(
  "ch-fromhost says which symbol versions the image's libraries lack",
  async (work) => {
    await unpackDebian(work);
    await freshImage(work);
    work.tree("new", {
      "lib/": "",
      "f.map": "NEW_1.0 { f; };\nNEW_1.2 { g; } NEW_1.0;\nNEW_1.10 { h; } NEW_1.2;\n",
      "old.map": "NEW_1.0 { f; };\n",
      "f.c": "int f(void) { return 1; }\nint g(void) { return 2; }\nint h(void) { return 3; }\n",
      "old.c": "int f(void) { return 1; }\n",
      "use.c": "int f(void); int g(void); int h(void); int u(void) { return f() + g() + h(); }\n",
    });
    await work.must(`
      cd new
      cc -shared -fPIC -Wl,-soname,libnew.so.1 -Wl,--version-script=f.map -o libnew.so.1 f.c
      cc -shared -fPIC -o lib/libuse.so use.c ./libnew.so.1
      cc -shared -fPIC -Wl,-soname,libnew.so.1 -Wl,--version-script=old.map \\
        -o ../D/usr/lib/libnew.so.1 old.c`);
    expect(await work.run(["ch-fromhost", "-p", "new/lib/libuse.so", "D"]), {
      code: 0,
      stderr: `warning: /usr/local/lib/libuse.so needs NEW_1.2, NEW_1.10 of libnew.so.1, \
which the image's /lib/libnew.so.1 lacks
hint: install a newer libnew.so.1 in the image, or inject the host's as well
done
`,
    });
    expect(
      await work.run(["ch-fromhost", "-p", "new/lib/libuse.so", "-p", "new/libnew.so.1", "D"]),
      {
        code: 0,
        stderr: "done\n",
      },
    );
  },
  "debian",
  "cc",
);
