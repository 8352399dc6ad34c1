#!/bin/bash
# The same program by `deno compile`, which needs the separate runtime `denort`: from DENORT_BIN, or
# downloaded by Deno itself. Usage: compile.sh DENO BUILD
set -euo pipefail

deno=$1 build=$2
output=$build/ch-compiled

if ! "$deno" compile --no-lock --no-check -A --no-prompt --output "$output" \
    --include "$build/libch.so" --include "$build/ch-init" \
    cli/start.ts 2> "$build/compile.log"; then
    sed 's/^/    /' "$build/compile.log" >&2
    if [[ -z ${DENORT_BIN:-} ]]; then
        echo "compile: deno compile needs the runtime denort, which Deno downloads from its own site." >&2
        echo "compile: Without that site, set DENORT_BIN to a denort of version $("$deno" --version | sed -n '1s/deno \([^ ]*\).*/\1/p')," >&2
        echo "compile: or use \"make\", which needs no denort." >&2
    fi
    exit 1
fi
echo "built $output"
