// Context and Dockerfile as given on the command line.

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  type InputRequest,
  makeAbsolute,
  readIgnore,
  readInput,
} from "../../../lib/build/context.ts";
import { CHARLIECLOUD } from "../../../lib/dockerfile/dialect.ts";
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
  const whole = { file: undefined, ...request };
  const { context, source } = readInput(whole, stdin, HOST);
  strictEqual(readIgnore(whole, CHARLIECLOUD, HOST, log), undefined);
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

Deno.test("readIgnore() takes .dockerignore by Docker's rules, and the Dockerfile's own before it", () => {
  const host = {
    ...fakeHost({
      files: { "/ctx/.dockerignore": "a\n", "/ctx/D": "", "/ctx/E.dockerignore": "b\n" },
    }),
    realPath: (path: string) => path,
  };
  const docker = { ...CHARLIECLOUD, rules: "docker" } as const;
  const log = newRecordedLog();
  const general = readIgnore({ context: "/ctx", file: "/ctx/D" }, docker, host, log);
  deepStrictEqual([general?.excludes("a"), general?.excludes("b")], [true, false]);
  for (const dialect of [docker, CHARLIECLOUD]) {
    const own = readIgnore({ context: "/ctx", file: "/ctx/E" }, dialect, host, log);
    deepStrictEqual([own?.excludes("a"), own?.excludes("b")], [false, true]);
  }
  strictEqual(readIgnore({ context: "-", file: undefined }, docker, host, log), undefined);
  deepStrictEqual(log.lines, []);
});

Deno.test("makeAbsolute() starts at the current directory", () => {
  strictEqual(makeAbsolute(".", HOST), "/cwd");
  strictEqual(makeAbsolute("a/../b/", HOST), "/cwd/b");
  strictEqual(makeAbsolute("../..", HOST), "/");
});
