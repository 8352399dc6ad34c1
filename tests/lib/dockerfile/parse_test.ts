// The grammar: what each line becomes, and where a mistake is seen.

import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { Instruction } from "../../../lib/dockerfile/instruction.ts";
import { parseDockerfile } from "../../../lib/dockerfile/parse.ts";
import { decodeDockerfile, DockerfileError } from "../../../lib/dockerfile/source.ts";
import { TextError } from "../../../lib/error.ts";

function parse(text: string): readonly Instruction[] {
  return parseDockerfile(decodeDockerfile("Dockerfile", new TextEncoder().encode(text)))
    .instructions;
}

/** Instructions without position and keyword, which have tests of their own. */
function parseBare(text: string): unknown[] {
  return parse(text).map(({ position: _position, keyword: _keyword, ...rest }) => rest);
}

function shell(command: string, rest: Record<string, unknown> = {}) {
  return { kind: "run", options: [], heredocs: [], form: "shell", command, ...rest };
}

function list(...argv: string[]) {
  return { kind: "run", options: [], heredocs: [], form: "list", argv };
}

function option(name: string, value: string) {
  return { name, key: undefined, value };
}

function env(...pairs: [string, string][]) {
  return { kind: "env", pairs: pairs.map(([name, value]) => ({ name, value })) };
}

function copy(paths: string[], ...options: [string, string][]) {
  return {
    kind: "copy",
    options: options.map(([name, value]) => option(name, value)),
    paths,
    heredocs: [],
  };
}

function from(image: string, alias?: string, options: unknown[] = []) {
  return { kind: "from", options, image, alias };
}

const VALID: readonly (readonly [string, string, unknown])[] = [
  // Lines, comments, continuations (§3.1).
  ["keywords in lower case", "run echo hi\n", shell("echo hi")],
  ["blanks before the keyword", " \tRUN a\n", shell("a")],
  ["indented ARG first", "  ARG a\n", { kind: "arg", name: "a", value: undefined }],
  ["no newline at the end", "RUN a", shell("a")],
  ["CRLF", "RUN a\r\n", shell("a")],
  ["lone CR", "RUN a\r", shell("a")],
  ["byte order mark", "\ufeffRUN a\n", shell("a")],
  ["no end-of-line comment", "RUN echo x # y\n", shell("echo x # y")],
  ["continuation", "RUN echo a\\\nb\n", shell("echo ab")],
  ["blanks before the backslash", "RUN echo a  \\\nb\n", shell("echo a  b")],
  ["blanks of the continuing line", "RUN echo a\\\n  b\n", shell("echo a  b")],
  ["blanks after the backslash", "RUN echo a\\ \t\nb\n", shell("echo ab")],
  ["white line in a continuation", "RUN a\\\n  \n", shell("a  ")],
  ["two backslashes end the line", "RUN a\\\\\n", shell("a\\\\")],
  ["three backslashes as well", "RUN a\\\\\\\n", shell("a\\\\\\")],
  ["two backslashes and a blank", "RUN a\\\\ \nb\n", shell("a\\b")],
  ["backslash elsewhere", "RUN a\\b\\ c\n", shell("a\\b\\ c")],
  ["comment in a continuation", "RUN echo a \\\n# c \\\n b\n", shell("echo a # c  b")],
  ["empty line ends a continuation", "RUN a \\\n\n", shell("a ")],
  ["continuation at end of file", "RUN a\\\n", shell("a")],
  ["final backslash without newline", "RUN a\\", shell("a\\")],
  ["continuation after the keyword", "FROM\\\nimg\n", from("img")],
  ["continuation between words", "COPY a \\\n  b\\\n /c\n", copy(["a", "b", "/c"])],
  // RUN.
  ["trailing blanks stay", "RUN a  \n", shell("a  ")],
  ["RUN list", 'RUN ["a","b c"]\n', list("a", "b c")],
  ["RUN list with blanks", 'RUN [ "a", \t"b" ] \n', list("a", "b")],
  [
    "RUN list escapes",
    'RUN ["a\\tb\\"c\\\\", "\\q\\x41\\u00e4\\101"]\n',
    list('a\tb"c\\', "\\qAäA"),
  ],
  ["RUN list single quotes", "RUN ['a']\n", shell("['a']")],
  ["RUN empty list", "RUN []\n", shell("[]")],
  ["RUN list blank before comma", 'RUN ["a" , "b"]\n', shell('["a" , "b"]')],
  ["RUN list and more", 'RUN ["a"] x\n', shell('["a"] x')],
  ["RUN list broken in a string", 'RUN ["a\\\nb"]\n', shell('["ab"]')],
  ["RUN list continued", 'RUN ["a",\\\n "b"]\n', list("a", "b")],
  [
    "RUN --mount",
    "RUN --mount=type=bind,target=/x --network=none x\n",
    shell("x", { options: [option("mount", "type=bind,target=/x"), option("network", "none")] }),
  ],
  ["RUN --other goes to the shell", "RUN --other=type=bind x\n", shell("--other=type=bind x")],
  // ENV and LABEL.
  ["ENV pair", "ENV A=1\n", env(["A", "1"])],
  ["ENV pairs", 'ENV A=1 B="x y"  C=z \n', env(["A", "1"], ["B", "x y"], ["C", "z"])],
  ["ENV pairs continued", "ENV A=1 \\\n B=2\n", env(["A", "1"], ["B", "2"])],
  ["ENV empty quoted", 'ENV A=""\n', env(["A", ""])],
  ["ENV quoted = and #", 'ENV A="x=y # z"\n', env(["A", "x=y # z"])],
  ["ENV space form", "ENV A b c \n", env(["A", "b c "])],
  ["ENV space form with =", "ENV A b=c\n", env(["A", "b=c"])],
  ["ENV space form continued", 'ENV A "b \\\nc"\n', env(["A", "b c"])],
  ["ENV adjacent strings", 'ENV A "b" "c"\n', env(["A", "bc"])],
  ["ENV escapes", 'ENV A="x\\ty"\n', env(["A", "x\ty"])],
  ["ENV escapes without quotes", "ENV A=x\\ty\\q\n", env(["A", "x\ty\\q"])],
  ["ENV escaped quote", 'ENV A=b\\"c\n', env(["A", 'b"c'])],
  ["ENV single quotes are data", "ENV A='x'\n", env(["A", "'x'"])],
  ["ENV escaped dollar", "ENV a=\\$b\n", env(["a", "\\$b"])],
  ["LABEL keeps a quoted key", 'LABEL "a.b"="c"\n', {
    kind: "label",
    pairs: [{ name: '"a.b"', value: "c" }],
  }],
  ["LABEL space form", "LABEL a b c\n", { kind: "label", pairs: [{ name: "a", value: "b c" }] }],
  // ARG.
  ["ARG", "ARG a\n", { kind: "arg", name: "a", value: undefined }],
  ["ARG with value", "ARG a=b \n", { kind: "arg", name: "a", value: "b" }],
  ["ARG without escapes", "ARG A=\\t\n", { kind: "arg", name: "A", value: "\\t" }],
  ["ARG quoted", 'ARG A="x\\ty z"\n', { kind: "arg", name: "A", value: "x\ty z" }],
  ["ARG empty quoted", 'ARG A=""\n', { kind: "arg", name: "A", value: "" }],
  // FROM.
  ["FROM", "FROM debian:buster\n", from("debian:buster")],
  ["FROM alias", "FROM a as x.y-z_1\n", from("a", "x.y-z_1")],
  ["FROM digest", "FROM a@sha256:ff\n", from("a@sha256:ff")],
  ["FROM variable", "FROM ${i}:$v \n", from("${i}:$v")],
  [
    "FROM options",
    "FROM --arg=os=img --platform=linux/amd64 $os\n",
    from("$os", undefined, [
      { name: "arg", key: "os", value: "img" },
      { name: "platform", key: undefined, value: "linux/amd64" },
    ]),
  ],
  // COPY.
  ["COPY", "COPY a b /c \n", copy(["a", "b", "/c"])],
  ["COPY quotes are literal", 'COPY "a" /c\n', copy(['"a"', "/c"])],
  ["COPY list", 'COPY ["a b", "/c"]\n', copy(["a b", "/c"])],
  ["COPY list of one", 'COPY ["a"]\n', copy(["a"])],
  ["COPY glob", "COPY [ab]* /c\n", copy(["[ab]*", "/c"])],
  [
    "COPY options",
    "COPY --from=0 --chown=1:2 a /\n",
    copy(["a", "/"], ["from", "0"], ["chown", "1:2"]),
  ],
  ["COPY option without value", "COPY --link a b\n", copy(["a", "b"], ["link", "true"])],
  ["COPY unknown option without value", "COPY --foo a b\n", copy(["--foo", "a", "b"])],
  // The others.
  ["SHELL", 'SHELL ["/bin/bash","-c"]\n', { kind: "shell", argv: ["/bin/bash", "-c"] }],
  ["WORKDIR", "WORKDIR /a b \n", { kind: "workdir", path: "/a b " }],
  ["RSYNC", "RSYNC /d /dst\n", { kind: "rsync", plus: undefined, words: ["/d", "/dst"] }],
  ["NSYNC", "NSYNC +u -a=1 x y\n", { kind: "rsync", plus: "u", words: ["-a=1", "x", "y"] }],
  ["RSYNC long plus", "RSYNC +ab x\n", { kind: "rsync", plus: undefined, words: ["+ab", "x"] }],
  ["CMD", "Cmd [whatever\n", {
    kind: "configure",
    setting: { name: "CMD", command: { form: "shell", command: "[whatever" } },
  }],
];

for (const [fact, text, expected] of VALID) {
  Deno.test(`parseDockerfile() ${fact}`, () => deepStrictEqual(parseBare(text), [expected]));
}

const INVALID: readonly (readonly [string, number, number])[] = [
  ["FROM a\nFOO b\n", 2, 1],
  ["FROM a\n  FOO b\n", 2, 3],
  ["FROM a\nRUN\n", 2, 4],
  ["RUN  \n", 1, 6],
  ["RUN \\\n\nFROM a\n", 2, 1],
  ["RUN cat <<EOF\nhello\n", 2, 1],
  ["ENV A\n", 1, 6],
  ["ENV A=\n", 1, 7],
  ["ENV A=x=y\n", 1, 8],
  ["ENV A='x y'\n", 1, 12],
  ["ENV A=x\\ y\n", 1, 8],
  ['ENV A=b"c\n', 1, 8],
  ['ENV A "b\n', 1, 7],
  ['ENV A="b"c\n', 1, 10],
  ['ENV "A"=b\n', 1, 5],
  ['ENV A="b\\\nc"\n', 2, 1],
  ["ARG A=\n", 1, 7],
  ["ARG A=1 B=2\n", 1, 9],
  ["ARG A=x=y\n", 1, 8],
  ["COPY a=b /\n", 1, 7],
  ["COPY x\n", 1, 7],
  ["COPY --from=0\n", 1, 14],
  ['COPY ["a\\\nb", "/x"]\n', 1, 7],
  ["FROM a b\n", 1, 8],
  ["FROM x AS Foo\n", 1, 11],
  ["FROM x AS\n", 1, 10],
  ["FROM --foo=a=b=c x\n", 1, 11],
  ["LABEL a\n", 1, 8],
  ["SHELL []\n", 1, 8],
  ["SHELL /bin/sh\n", 1, 7],
  ["WORKDIR\n", 1, 8],
  ["CMD\n", 1, 4],
  ["RSYNC a\n", 1, 8],
  ["RSYNC +m a\n", 1, 11],
  ["RUN x\\\ny\nFROM a \\\n b c\n", 4, 2],
  ["ENV ä=ö=x\n", 1, 8],
];

for (const [text, line, column] of INVALID) {
  Deno.test(`parseDockerfile() refuses ${JSON.stringify(text)} at ${line},${column}`, () => {
    throws(() => parse(text), (error) => {
      deepStrictEqual(
        [error instanceof DockerfileError, (error as TextError).line, (error as TextError).column],
        [true, line, column],
      );
      return true;
    });
  });
}

Deno.test("parseDockerfile() tells the place and shows the line", () => {
  throws(() => parse("FROM a\n\tRUN x\nENV A=x=y B=z\n"), {
    message: "can’t parse: Dockerfile:3,8\n\nENV A=x=y B=z\n       ^\n",
  });
});

Deno.test("parseDockerfile() shows 39 characters on either side", () => {
  const name = "n".repeat(60);
  throws(() => parse(`ENV ${name}=x=${name}\n`), {
    message: `can’t parse: Dockerfile:1,67\n\n${"n".repeat(37)}=x=${"n".repeat(38)}\n${
      " ".repeat(39)
    }^\n`,
  });
});

Deno.test("parseDockerfile() keeps positions and keywords", () => {
  const found = parse("# c\n\nfrom a\n  Run x \\\n y\nCOPY a b\n").map((i) => [
    i.keyword,
    i.position.line,
    i.position.column,
  ]);
  deepStrictEqual(found, [["from", 3, 1], ["Run", 4, 3], ["COPY", 6, 1]]);
});

Deno.test("parseDockerfile() finds directives before the first instruction only", () => {
  const text = "# comment\n #  escape=x\n# a=b\n# syntax =x\n#syntax=y\nFROM a\n# syntax=z\n";
  deepStrictEqual(
    parse(text).map((i) => [i.kind, i.keyword, i.position.line]),
    [["directive", "#escape", 2], ["directive", "#syntax", 5], ["from", "FROM", 6]],
  );
});

Deno.test("decodeDockerfile() refuses what is not UTF-8, by place", () => {
  const bytes = Uint8Array.from([0x23, 0x0d, 0x0a, 0x23, 0xc3, 0xa4, 0xff, 0x41]);
  throws(
    () => decodeDockerfile("D", bytes),
    (error) => error instanceof TextError && error.message === "can’t parse: D:2,3: not UTF-8",
  );
});

Deno.test("decodeDockerfile() refuses a character cut off at the end", () => {
  throws(() => decodeDockerfile("D", Uint8Array.from([0x41, 0xe2, 0x80])), /D:1,2: not UTF-8/);
});

Deno.test("decodeDockerfile() refuses a NUL", () => {
  throws(() => parse("RUN a\nRUN \0\n"), /^TextError: can’t parse: Dockerfile:2,5\n/);
});

Deno.test("parseDockerfile() of an empty text has no instructions", () => {
  strictEqual(parse("").length, 0);
});
