// ch-image build: what Docker's users write that upstream's language lacks, on a busybox base image.

import { type BuildCase, testBuilds } from "./build_case.ts";

const SYNTAX = "# syntax=docker/dockerfile:1\n";

const CASES: readonly BuildCase[] = [
  {
    name: "a here-document as RUN's script",
    dockerfile: 'FROM base\nRUN <<EOF\necho "a $0"\nfalse || echo b\nEOF\nRUN echo c\n',
    expected: { code: 0, stdout: "a /bin/sh\nb\nc\n" },
  },
  {
    name: "a here-document with its own interpreter",
    dockerfile: "FROM base\nRUN <<EOF\n#!/bin/cat\nhello\nEOF\n",
    expected: { code: 0, stdout: "#!/bin/cat\nhello\n" },
    after: "ls -A $I/ch | sort | tr '\\n' ' '",
    prints: "environment metadata.json ",
  },
  {
    name: "a here-document as a command's input, and two of them",
    dockerfile:
      "FROM base\nRUN cat - <<A && tr a-z A-Z <<-'B'\n$((1+1))\nA\n\tx$y\n\tB\nENV done=1\n",
    expected: { code: 0, stdout: "2\nX$Y\n", stderr: /7\. ENV done='1'/ },
  },
  {
    name: "COPY here-documents, with and without variables",
    dockerfile:
      "FROM base\nARG V=val\nCOPY <<one <<'two' /d/\n$V \\$V \"q\"\none\n$V\ntwo\nCOPY --chmod=700 <<x /f\nx\n",
    expected: { code: 0 },
    after: "cat $I/d/one $I/d/two; stat -c '%a %s' $I/f $I/d/one",
    prints: 'val $V "q"\n$V\n700 0\n644 11\n',
  },
  {
    name: "COPY --chmod, octal and symbolic",
    dockerfile: "FROM base\nCOPY --chmod=640 f /a\nCOPY --chmod=u=rwX,go=rX d /e\n",
    context: { f: { content: "", mode: 0o755 }, "d/x": { content: "", mode: 0o750 }, "d/y": "" },
    expected: { code: 0 },
    after: "stat -c %a $I/a $I/e/x $I/e/y",
    prints: "640\n755\n644\n",
  },
  {
    name: "COPY --parents",
    dockerfile: "FROM base\nCOPY --parents a/b/f a/./b/g **/h /to/\n",
    context: { "a/b/f": "f", "a/b/g": "g", "c/d/h": "h" },
    expected: { code: 0 },
    after: "cd $I/to; find . -type f | sort",
    prints: "./a/b/f\n./b/g\n./c/d/h\n",
  },
  {
    name: "COPY --exclude and --link",
    dockerfile:
      "FROM base\nCOPY --link --exclude=*.o --exclude=sub/** --exclude=!sub/keep . /to/\n",
    context: { "a.o": "", "a.c": "", "d/b.o": "", "sub/x": "", "sub/keep": "" },
    expected: { code: 0 },
    after: "cd $I/to; find . -type f | sort",
    prints: "./Dockerfile\n./a.c\n./d/b.o\n./sub/keep\n",
  },
  {
    name: "COPY --from an image",
    dockerfile: "FROM scratch\nCOPY --from=base /etc/passwd /p\n",
    expected: { code: 0 },
    after: "grep -c root $I/p",
    prints: "1\n",
  },
  {
    name: "ADD unpacks archives, and copies the rest",
    dockerfile: "FROM base\nADD a.tar.gz b.tar /to/\nADD --unpack=false b.tar /raw/\nADD f /to/f\n",
    context: { f: "F", "x/in": "X", "y/in": "Y", "y/link": { link: "/etc/passwd" } },
    before: "cd context; tar -czf a.tar.gz x; tar -cf b.tar y",
    expected: { code: 0, stderr: / {2}2\. ADD \['a\.tar\.gz', 'b\.tar'\] -> '\/to\/'\n/ },
    after: "cd $I; cat to/x/in to/y/in to/f; readlink to/y/link; ls raw",
    prints: "XYF/etc/passwd\nb.tar\n",
  },
  {
    name: "ADD of an archive cannot leave the image",
    dockerfile: "FROM base\nADD a.tar /etc/lnk/\n",
    before: "mkdir -p context/l out; cd context; ln -s /var/tmp out; tar -cf a.tar out; rm out; " +
      "mkdir out; touch out/evil; tar -rf a.tar out/evil",
    expected: { code: 0 },
    after: 'test ! -e /var/tmp/evil && find $I/etc/lnk $I/var -name evil | sed "s#$I##"',
    prints: "/etc/lnk/var/tmp/evil\n",
  },
  {
    name: "ADD of a directory whose name could be a repository's",
    dockerfile: "FROM base\nADD file.git /to\n",
    context: { "file.git/x": "X" },
    expected: { code: 0 },
    after: "cat $I/to/x",
    prints: "X",
  },
  {
    name: "Docker's rules: quotes, escapes, undefined variables",
    dockerfile:
      `${SYNTAX}FROM base\nENV A='x y' B=p\\ q C="$A" D=$undef E=\nRUN echo "$A|$B|$C|$D|$E|"\n` +
      'ENV A=1\nENV A=2 F=$A\nRUN echo $F\nRUN ["echo", "$A"]\n',
    expected: { code: 0, stdout: "x y|p q||||\n1\n$A\n" },
  },
  {
    name: "Docker's rules: comments and empty lines in continuations",
    dockerfile: `${SYNTAX}FROM base\nRUN echo a \\\n# comment\n\n  b\n`,
    expected: { code: 0, stdout: "a b\n" },
  },
  {
    name: "Docker's rules: scopes of ARG",
    dockerfile: `${SYNTAX}ARG A=global\nFROM base AS One\nARG B=own\n` +
      'RUN echo "${A-none} $B"\nARG A\nRUN echo $A\n' +
      'FROM one\nRUN echo "${A-none} ${B-none}"\n',
    expected: { code: 0, stdout: "none own\nglobal\nnone none\n" },
  },
  {
    name: "Docker's rules: .dockerignore",
    dockerfile: `${SYNTAX}FROM base\nCOPY . /to/\n`,
    context: {
      ".dockerignore": "# c\n*.log\n!keep.log\n**/tmp\n",
      "a.log": "",
      "keep.log": "",
      "d/tmp/x": "",
      "d/y": "",
    },
    expected: { code: 0 },
    after: "cd $I/to; find . -type f | sort",
    prints: "./.dockerignore\n./Dockerfile\n./d/y\n./keep.log\n",
  },
  {
    name: "what .dockerignore leaves out cannot be copied",
    dockerfile: `${SYNTAX}FROM base\nCOPY secret /\n`,
    context: { ".dockerignore": "secret\n", secret: "" },
    expected: { code: 1, stderr: /^error: source not found: secret$/m },
  },
  {
    name: "the escape directive",
    dockerfile: "# escape=`\nFROM base\nRUN echo a `\n  b\nRUN echo 'x\\'\n",
    expected: { code: 0, stdout: "a b\nx\\\n" },
  },
  {
    name: "platform arguments",
    dockerfile:
      "FROM --platform=$BUILDPLATFORM base\nARG TARGETARCH\nARG TARGETOS\nRUN echo $TARGETOS/$TARGETARCH\n",
    expected: { code: 0, stdout: /^linux\/(amd64|arm64)\n$/ },
  },
  {
    name: "a base for another platform",
    dockerfile: "FROM --platform=linux/s390x base\n",
    expected: {
      code: 1,
      stderr: /^error: image in storage is for another platform: base: .*s390x$/m,
    },
  },
  {
    name: "POSIX modifiers",
    dockerfile:
      'FROM base\nENV P=/a/b.c\nENV A=${P##*/} B=${none:-d} C=${P:+set} D=${P%.c}.o\nRUN echo "$A $B $C $D"\n',
    expected: { code: 0, stdout: "b.c d set /a/b.o\n" },
  },
  {
    name: "--target, with what it needs",
    dockerfile: "FROM base AS a\nRUN echo a\nFROM base AS b\nRUN echo b\n" +
      "FROM base AS c\nCOPY --from=a /etc/passwd /x\nFROM base\nRUN echo d\n",
    args: ["-t", "t", "--target", "c"],
    expected: { code: 0, stdout: "a\n" },
    after: "ch-image list",
    prints: "base\nt\nt_stage0\n",
  },
  {
    name: "--target that is not there",
    dockerfile: "FROM base\n",
    args: ["-t", "t", "--target", "x"],
    expected: { code: 1, stderr: /^error: --target: no such stage: x$/m },
  },
  {
    name: "--label and --iidfile",
    dockerfile: "FROM base\nLABEL a=1 b=2\n",
    args: ["-t", "t", "--label", "b=3", "--label", "c", "--iidfile", "iid"],
    expected: { code: 0 },
    after: 'grep -A4 \'"labels"\' $I/ch/metadata.json | tr -d " \\n"; cat iid',
    prints: '"labels":{"a":"1","b":"3","c":""},t',
  },
  {
    name: "the image's configuration",
    dockerfile:
      'FROM base\nSHELL ["/bin/sh", "-ec"]\nCMD echo hi\nENTRYPOINT ["/bin/env", "-i"]\n' +
      "USER nobody\nEXPOSE 80 8000-8001/udp\nVOLUME /data /more\nSTOPSIGNAL SIGTERM\n" +
      "HEALTHCHECK --interval=1m30s --retries=3 CMD true\nONBUILD RUN echo later\nMAINTAINER me\n",
    expected: { code: 0, stderr: /grown in 11 instructions: t\n$/ },
    after: "sed -n '/\"config\": {/,/^  }/p' $I/ch/metadata.json | tr -d ' \\n'; " +
      "ls -d $I/data $I/more | wc -l",
    prints: '"config":{"Cmd":["/bin/sh","-ec","echohi"],"Entrypoint":["/bin/env","-i"],' +
      '"ExposedPorts":{"80/tcp":{},"8000/udp":{},"8001/udp":{}},' +
      '"Healthcheck":{"Interval":90000000000,"Retries":3,"Test":["CMD-SHELL","true"]},' +
      '"OnBuild":["RUNecholater"],"StopSignal":"SIGTERM","User":"nobody"},2\n',
  },
  {
    name: "an image's command is run",
    dockerfile:
      'FROM base\nENTRYPOINT ["echo", "entry"]\nCMD ["cmd"]\nFROM t_stage0\nWORKDIR /mnt\n',
    expected: { code: 0 },
    after: "ch-run --image-cmd t; ch-run --image-cmd t -- other",
    prints: "entry cmd\nentry other\n",
  },
  {
    name: "a new entry point forgets the base's command",
    dockerfile: 'FROM base\nCMD ["old"]\nFROM t_stage0\nENTRYPOINT ["echo", "new"]\n',
    expected: { code: 0 },
    after: "ch-run --image-cmd t",
    prints: "new\n",
  },
  {
    name: "ONBUILD by Docker's rules",
    dockerfile: `${SYNTAX}FROM base AS b\nONBUILD RUN echo trigger $A\nFROM b\nENV A=1\n`,
    expected: { code: 0, stdout: "trigger\n" },
    after: "grep -c OnBuild $I/ch/metadata.json || true",
    prints: "0\n",
  },
  {
    name: "ONBUILD by upstream's rules",
    dockerfile: "FROM base AS b\nONBUILD RUN echo trigger\nFROM b\n",
    expected: {
      code: 0,
      stdout: "",
      stderr: /^warning: not executed: 1 ONBUILD instruction\(s\) of b$/m,
    },
  },
];

testBuilds(CASES);
