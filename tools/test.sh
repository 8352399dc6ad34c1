#!/bin/sh
# Runs every test and ends with "N passed, N failed, N skipped", counted from the runs.
#
# usage: tools/test.sh [DENO-TEST-ARGUMENT...]     e.g. tools/test.sh --filter=bind
#
# As root the end-to-end tests run as an ordinary user made for them; as anybody else they run as
# that user, and what needs root is skipped. With CH_MUST_WORK=1 whatever would be skipped fails.
set -eu
cd "$(dirname "$0")/.."

tools/deps.sh build cross test
make -s -j"$(nproc)" all ctests
make -s -j"$(nproc)" ARCH=aarch64
tools/rig.sh

deno=$PWD/node_modules/@deno/linux-x64-glibc/deno
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
status=0
passed=0 failed=0 skipped=0

main() {
    echo '== C tests (address and undefined-behaviour sanitizers)'
    for program in build/ctests/*; do
        if [ -x "$program" ]; then run_c_test "$program"; fi
    done
    echo '== unit tests'
    run_deno tests/mod_test.ts tests/lib tests/ffi tests/cli tests/tools "$@"
    echo '== end-to-end tests'
    # One more than there are processors: many of them wait.
    DENO_JOBS=$(($(nproc) + 1)) run_deno tests/e2e tests/documents "$@"
    echo '== tests with other programs'
    run_deno tests/interop "$@"
    echo "$passed passed, $failed failed, $skipped skipped"
    exit "$status"
}

# A C test prints "ok NAME" or "not ok NAME" for each case.
run_c_test() {
    "$1" >"$out/c" 2>&1 || { echo "not ok $1: ended with status $?" >>"$out/c"; status=1; }
    grep -v '^ok ' "$out/c" || true
    passed=$((passed + $(grep -c '^ok ' "$out/c" || true)))
    failed=$((failed + $(grep -c '^not ok ' "$out/c" || true)))
}

# Deno's last line reads "ok | 12 passed (3 steps) | 0 failed | 1 ignored (2s)". Shown is what is
# not simply ok.
run_deno() {
    { NO_COLOR=1 "$deno" test -A --no-lock --parallel "$@" 2>&1 && echo 0 >"$out/status" ||
        echo 1 >"$out/status"; } | tee "$out/deno" | grep -v ' \.\.\. ok (' || true
    [ "$(cat "$out/status")" -eq 0 ] || status=1
    passed=$((passed + $(count passed)))
    failed=$((failed + $(count failed)))
    skipped=$((skipped + $(count ignored)))
}

count() {
    number=$(sed -n "s/^\(ok\|FAILED\) |.* \([0-9][0-9]*\) $1.*/\2/p" "$out/deno" | tail -n 1)
    echo "${number:-0}"
}

main "$@"
