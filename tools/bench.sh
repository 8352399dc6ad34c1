#!/bin/sh
# Measures ch beside the peers that are installed; as root it installs them first.
set -eu
cd "$(dirname "$0")/.."

tools/deps.sh build demo
if [ "$(id -u)" -eq 0 ]; then tools/deps.sh bench; fi
make -s -j"$(nproc)"
tools/rig.sh
for file in tools/bench/start.ts tools/bench.ts tools/bench/convert.ts tools/bench/squashfs.ts \
    tools/bench/build.ts tools/bench/cache.ts tools/bench/registry.ts; do
    node_modules/@deno/linux-x64-glibc/deno run -A --no-lock "$file" "$@"
done
