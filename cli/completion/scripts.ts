// The shells' side of completion: short functions that ask this program. Bash's file also is what upstream calls
// ch-completion.bash (spec other-tools §1.1).

import { VERSION } from "../../lib/version.ts";

export type Shell = "bash" | "fish" | "zsh";
export const SHELLS: readonly Shell[] = ["bash", "fish", "zsh"];

/** PROGRAM: path of this executable, for where there is no ch in PATH. */
export function formatScript(shell: Shell, program: string): string {
  const scripts = { bash: BASH, fish: FISH, zsh: ZSH };
  return scripts[shell].replaceAll("@VERSION@", VERSION)
    .replaceAll("@PROGRAM@", `'${program.replaceAll("'", "'\\''")}'`);
}

const BASH = `# Bash completion for ch @VERSION@. To be sourced: source <(ch completion bash)

_ch_bash_version=\${BASH_VERSINFO[0]}.\${BASH_VERSINFO[1]}.\${BASH_VERSINFO[2]}
if (( BASH_VERSINFO[0] < 4 || (BASH_VERSINFO[0] == 4 && BASH_VERSINFO[1] < 3) )); then
    echo "ch-completion.bash: unsupported bash version ($_ch_bash_version < 4.3.0)" >&2
    return 1
fi
if ! declare -F _get_comp_words_by_ref >/dev/null; then
    if [[ -f /usr/share/bash-completion/bash_completion ]]; then
        . /usr/share/bash-completion/bash_completion
    elif [[ -f /etc/bash_completion ]]; then
        . /etc/bash_completion
    else
        echo 'ch-completion.bash: dependency "bash_completion" not found, exiting' >&2
        return 1
    fi
fi

_ch_version='@VERSION@'
_ch_program=@PROGRAM@

_ch_log() {
    if [[ -n \${CH_COMPLETION_DEBUG-} ]]; then
        cat >>/tmp/ch-completion.log
    else
        cat >/dev/null
    fi
}

_ch_ask() {
    local program=$_ch_program
    type -P ch >/dev/null && program=ch
    "$program" completion answer "$@"
}

_ch_complete() {
    local cur prev words cword candidate
    _get_comp_words_by_ref -n =: cur prev words cword
    COMPREPLY=()
    while IFS= read -r candidate; do
        COMPREPLY+=("$candidate")
    done < <(_ch_ask bash "$cword" "\${words[@]}" 2> >(_ch_log))
    # What goes on is not followed by a space.
    if [[ \${COMPREPLY[0]-} == */ && \${#COMPREPLY[@]} == 1 ]]; then compopt -o nospace; fi
    # Of "--option=value" bash replaces what is behind the "=".
    if [[ $cur == --*=* && $COMP_WORDBREAKS == *=* ]]; then
        COMPREPLY=("\${COMPREPLY[@]#"\${cur%%=*}="}")
    fi
    __ltrim_colon_completions "$cur"
}
_ch_convert_complete() { _ch_complete; }
_ch_image_complete() { _ch_complete; }
_ch_run_complete() { _ch_complete; }
_ch_completion_complete() {
    COMPREPLY=($(compgen -W '--disable --help --version --version-ok' -- "\${COMP_WORDS[COMP_CWORD]}"))
}

ch-completion() {
    local line known
    case \${1-} in
        --disable) complete -r ch ch-convert ch-image ch-run 2>/dev/null; return 0 ;;
        --help)
            cat >&2 <<'END'
usage: ch-completion [--disable | --help | --version | --version-ok]

  --disable     no more completion for ch, ch-convert, ch-image and ch-run
  --help        print this help
  --version     print the version of the completion
  --version-ok  check that it is the version of ch-image
END
            return 0 ;;
        --version) echo "$_ch_version" >&2; return 0 ;;
        --version-ok)
            known=$(ch-image --version 2>&1)
            if [[ $known == "$_ch_version" ]]; then
                echo 'version ok' >&2
                return 0
            fi
            for line in "ch-image:      $known" "ch-completion: $_ch_version" 'version incompatible!'; do
                echo "$line" >&2
            done
            return 1 ;;
        *) ch-completion --help; return 1 ;;
    esac
}

complete -F _ch_complete ch
complete -F _ch_convert_complete ch-convert
complete -F _ch_image_complete ch-image
complete -F _ch_run_complete ch-run
complete -F _ch_completion_complete ch-completion
echo "sourced, version $_ch_version" | _ch_log
`;

const ZSH = `#compdef ch ch-checkns ch-convert ch-fromhost ch-image ch-run ch-test
# Zsh completion for ch @VERSION@: source <(ch completion zsh), or a file _ch in fpath.

_ch() {
    local program=@PROGRAM@
    (( $+commands[ch] )) && program=ch
    local -a candidates open
    candidates=("\${(@f)$("$program" completion answer zsh $((CURRENT - 1)) "\${(@Q)words}" 2>/dev/null)}")
    candidates=("\${(@)candidates:#}")
    open=("\${(@M)candidates:#*/}")
    candidates=("\${(@)candidates:#*/}")
    compadd -a candidates
    compadd -S '' -a open
}

if [[ $funcstack[1] == _ch ]]; then
    _ch "$@"
else
    compdef _ch ch ch-checkns ch-convert ch-fromhost ch-image ch-run ch-test
fi
`;

const FISH = `# Fish completion for ch @VERSION@: ch completion fish | source

function __ch_answer
    set -l program @PROGRAM@
    command -q ch; and set program ch
    set -l words (commandline -opc)
    $program completion answer fish (count $words) $words (commandline -ct) 2>/dev/null
end

for tool in ch ch-checkns ch-convert ch-fromhost ch-image ch-run ch-test
    complete -c $tool -f -a '(__ch_answer)'
end
`;
