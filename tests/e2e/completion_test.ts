// Completion in real shells (spec other-tools §1, §11 lines 1–11).

import assert from "node:assert/strict";
import { exists, expect, test, type Workplace } from "../rig.ts";

/** Where things to complete are. */
function setUp(work: Workplace): Record<string, string> {
  work.tree("st/img", { "foo/": "", "a%b+1/": "" });
  work.tree("here", { "d ir/": "", "x.sqfs": "", "y.tar": "" });
  return { CH_IMAGE_STORAGE: `${work.path}/st`, TERM: "dumb" };
}

/** `try LINE` prints what is offered at the end of LINE, words split as readline splits them. */
const HARNESS = `
source <(ch completion bash)
compopt() { printf '<%s>' "$*"; }
split() {
  COMP_WORDS=()
  local word='' char at
  for ((at = 0; at < \${#COMP_LINE}; at++)); do
    char=\${COMP_LINE:at:1}
    case $char in
      ' ') [[ -n $word ]] && COMP_WORDS+=("$word"); word='' ;;
      [=:]) [[ -n $word ]] && COMP_WORDS+=("$word"); COMP_WORDS+=("$char"); word='' ;;
      *) word+=$char ;;
    esac
  done
  [[ -n $word || $COMP_LINE == *' ' || $COMP_LINE == *[=:] ]] && COMP_WORDS+=("$word")
  [[ $COMP_LINE == *[=:] ]] && unset 'COMP_WORDS[-1]'
  COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
}
try() {
  COMP_LINE=$1 COMP_POINT=\${#1}
  split
  local name=$(complete -p "\${COMP_WORDS[0]}" | sed 's/.* -F \\([^ ]*\\) .*/\\1/')
  "$name"
  echo "\${COMPREPLY[*]}"
}
`;

test(
  "completion in bash offers what fits, and has no side effects [1-11]",
  async (work) => {
    const env = setUp(work);
    const cwd = `${work.path}/here`;
    const bash = async (script: string, more: Record<string, string> = {}) => {
      const options = { cwd, env: { ...env, ...more } };
      return await work.run(["bash", "--norc", "-c", HARNESS + script], options);
    };
    expect(await bash("source <(ch completion bash); complete -p | grep -c ' ch-'"), {
      code: 0,
      stdout: "4\n",
      stderr: "",
    });
    const cases: readonly (readonly [line: string, offered: string | RegExp])[] = [
      ["ch-convert ", /-h .*a\/b:1 d\\ ir\/ foo x\.sqfs y\.tar$/],
      ["ch-convert a/b:", "1"],
      ["ch-convert -i ch-image -o ", /^dir docker(?!.*ch-image).* squash tar$/],
      ["ch-convert foo ", "<-o nospace>d\\ ir/"],
      ["ch-convert -o docker foo ", ""],
      [
        "ch-image ",
        /build build-cache delete gestalt import .*list .*modify pull push reset .*undelete$/,
      ],
      ["ch-image b", "build build-cache"],
      ["ch-image --arch a", "amd64 arm/v5 arm/v6 arm/v7 arm64/v8"],
      ["ch-image build --force ", /fakeroot .*seccomp/],
      ["ch-run foo -- ", ""],
      ["ch-run --feature ", "extglob overlayfs seccomp squash tmpfs-xattrs"],
      ["ch-run --feature=sec", "seccomp"],
      [`ch-run --storage=${work.path}/st/im`, `<-o nospace>${work.path}/st/img/`],
      ["ch-completion --v", "--version --version-ok"],
      ["ch run ./x", "./x.sqfs"],
    ];
    const lines = cases.map(([line]) => `try '${line}'`).join("\n");
    const { stdout, stderr } = await bash(lines);
    assert.equal(stderr, "");
    for (const [index, offered] of cases.entries()) {
      const line = stdout.split("\n")[index]!;
      if (typeof offered[1] === "string") assert.equal(line, offered[1], offered[0]);
      else assert.match(line, offered[1], offered[0]);
    }

    const none = `${work.path}/none`;
    await bash("try 'ch-image delete '; try 'ch-run '; try 'ch-convert '", {
      CH_IMAGE_STORAGE: none,
    });
    assert(!exists(none));

    expect(await bash("ch-completion --version; ch-image --version"), {
      code: 0,
      stdout: /^(.*)\n$/,
      stderr: /^0\.40.*\n$/,
    });
    expect(await bash("ch-completion --version-ok"), { code: 0, stderr: "version ok\n" });
    expect(await bash("ch-image() { echo 9.9; }; ch-completion --version-ok"), {
      code: 1,
      stderr: /9\.9[^]*version incompatible!\n$/,
    });
    expect(await bash("ch-completion --help"), { code: 0, stderr: /--disable/ });
    expect(await bash("ch-completion --disable; complete -p ch-completion; complete -p ch-run"), {
      code: 1,
      stdout: /ch-completion$/m,
      stderr: /ch-run: no completion specification/,
    });
  },
  "bashCompletion",
);

test("bash without its completion library is told so", async (work) => {
  const script = await work.must("ch completion bash");
  const without = script.replaceAll("/usr/share/bash-completion", "/none").replaceAll(
    "/etc/bash_c",
    "/none/",
  );
  work.tree(".", { "ch-completion.bash": without });
  expect(await work.run(["bash", "--norc", "-c", ". ./ch-completion.bash; echo $?"]), {
    code: 0,
    stdout: "1\n",
    stderr: 'ch-completion.bash: dependency "bash_completion" not found, exiting\n',
  });
});

/** What an interactive SHELL shows when someone types INPUT; `~` stands for a moment's pause. */
async function typeInto(
  work: Workplace,
  shell: string,
  input: readonly string[],
  env: Record<string, string>,
): Promise<string> {
  const typing = input.map((text) => `printf '%b' '${text}'; sleep 2`).join("; ");
  const command = `(${typing}; printf 'exit\\n'; sleep 1) | script -qc '${shell}' /dev/null`;
  const { stdout } = await work.sh(command, [], { env, cwd: `${work.path}/here` });
  return stdout;
}

for (
  const [shell, needs, start] of [
    ["bash --norc -i", "bashCompletion", "source <(ch completion bash)\\n"],
    ["zsh -f -i", "zsh", "autoload -U compinit; compinit -u -D; source <(ch completion zsh)\\n"],
  ] as const
) {
  test(
    `typing TAB in ${shell} completes`,
    async (work) => {
      const env = setUp(work);
      const shown = await typeInto(work, shell, [
        start,
        "ch-image gest\\tstorage-p\\t\\n",
        "echo R:$(echo ch-run) ./d\\t-end\\n",
        "echo ch-run a/\\t-end\\n",
        "ch-run ./d\\t\\025\\n",
        "ch-convert a/b\\t\\001echo \\n",
      ], env);
      assert(shown.includes(`\n${work.path}/st\r\n`), shown);
      assert.match(shown, /\nch-convert a\/b:1 ?\r\n/, shown);
      assert.match(shown, /ch-run \.\/d\\ ir\//, shown);
    },
    needs,
  );
}

test(
  "fish completes",
  async (work) => {
    const env = setUp(work);
    const fish = (line: string) =>
      work.run(
        ["fish", "--no-config", "-c", `ch completion fish | source; complete -C '${line}'`],
        {
          cwd: `${work.path}/here`,
          env,
        },
      );
    for (
      const [line, stdout] of [
        ["ch-image b", "build\nbuild-cache\n"],
        ["ch-run a/", "a/b:1\n"],
        ["ch-run ./d", "./d ir/\n"],
        ["ch-run foo -- ", ""],
        ["ch run --feature sec", "seccomp\n"],
      ] as const
    ) expect(await fish(line), { code: 0, stdout, stderr: "" });
  },
  "fish",
);

test("ch completion says which shells it knows", async (work) => {
  expect(await work.run(["ch", "completion"]), {
    code: 1,
    stderr: /^Usage: ch completion bash\|zsh\|fish$/m,
  });
  expect(await work.run(["ch", "completion", "csh"]), {
    code: 1,
    stderr: /^ch completion: error: no such shell: csh$/m,
  });
  expect(await work.run(["ch", "completion", "--help"]), { code: 0, stdout: /^Usage: / });
});
