// Context and Dockerfile as given on the command line.

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { type InputRequest, makeAbsolute, readInput } from "../../../lib/build/context.ts";
import { fakeHost } from "../container/fake_host.ts";
import { newRecordedLog } from "./recorded_log.ts";

const HOST = {
  ...fakeHost({
    files: {
      "/ctx/Dockerfile": "FROM ctx\n",
      "/ctx/.dockerignore": "x",
      "/plain/Dockerfile": "FROM plain\n",
      "/empty": null,
      "/file": "FROM file\n",
      "/bad": Uint8Array.of(0x41, 0xff),
    },
  }),
  realPath: (path: string) => path === "." ? "/cwd" : path,
};

function read(request: Partial<InputRequest> & { context: string }) {
  const log = newRecordedLog();
  const stdin = () => new TextEncoder().encode("FROM stdin\n");
  const { context, source } = readInput({ file: undefined, ...request }, stdin, HOST, log);
  return { context, ...source, lines: log.lines };
}

const WARNING = "warning: not yet supported, ignored: issue #777: .dockerignore file";

const CASES: readonly (readonly [Parameters<typeof read>[0], ReturnType<typeof read>])[] = [
  [{ context: "/plain" }, {
    context: "/plain",
    file: "/plain/Dockerfile",
    text: "FROM plain\n",
    lines: [],
  }],
  [{ context: "/plain/../ctx/." }, {
    context: "/ctx",
    file: "/plain/../ctx/./Dockerfile",
    text: "FROM ctx\n",
    lines: [WARNING],
  }],
  [{ context: "/plain/", file: "/file" }, {
    context: "/plain",
    file: "/file",
    text: "FROM file\n",
    lines: [],
  }],
  [{ context: "/plain", file: "-" }, {
    context: "/plain",
    file: "-",
    text: "FROM stdin\n",
    lines: [],
  }],
  [{ context: "-" }, {
    context: undefined,
    file: "-/Dockerfile",
    text: "FROM stdin\n",
    lines: [],
  }],
  [{ context: "-", file: "/file" }, {
    context: undefined,
    file: "/file",
    text: "FROM stdin\n",
    lines: [],
  }],
];

for (const [request, expected] of CASES) {
  Deno.test(`readInput() of ${JSON.stringify(request)}`, () => {
    deepStrictEqual(read(request), expected);
  });
}

const REFUSED: readonly (readonly [Parameters<typeof read>[0], string])[] = [
  [{ context: "http://x/y" }, "not yet supported: issue #773: URL context: http://x/y"],
  [{ context: "git+ssh://x" }, "not yet supported: issue #773: URL context: git+ssh://x"],
  [{ context: "me@host:x" }, "not yet supported: issue #773: URL context: me@host:x"],
  [{ context: "/file" }, "context must be a directory: /file"],
  [{ context: "/missing", file: "/file" }, "context must be a directory: /missing"],
  [{ context: "/empty" }, "can’t open for rt: /empty/Dockerfile"],
  [{ context: "/empty", file: "/bad" }, "can’t parse: /bad:1,2: not UTF-8"],
];

for (const [request, message] of REFUSED) {
  Deno.test(`readInput() refuses ${JSON.stringify(request)}`, () => {
    throws(() => read(request), { message });
  });
}

Deno.test("makeAbsolute() starts at the current directory", () => {
  strictEqual(makeAbsolute(".", HOST), "/cwd");
  strictEqual(makeAbsolute("a/../b/", HOST), "/cwd/b");
  strictEqual(makeAbsolute("../..", HOST), "/");
});
