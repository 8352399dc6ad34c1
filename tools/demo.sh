#!/bin/sh
# Shows the main job from a fresh clone: build ch, make a Debian image with apt-get in it, convert it
# to SquashFS and run a command in that. No registry is needed; the base image is debootstrap's.
#
# What is shown runs as an ordinary user, in a directory of its own that is removed at the end.
set -eu
cd "$(dirname "$0")/.."

echo '== what building needs'
tools/deps.sh build demo
echo '== make'
make -s -j"$(nproc)"
echo '== a Debian base image (kept for the next time)'
tools/rig.sh

rig=$(tools/rig.sh where)
user=$(tools/rig.sh user)
place=$(mktemp -d /var/tmp/ch-demo.XXXXXX)
trap 'chmod -R u+w "$place"; rm -rf "$place"' EXIT
cp -R examples/hello "$place/hello"
ln -s "$rig/debian.tar" "$place/debian.tar"

# "show" prints a command as a user types it, then runs it.
steps='
    cd "$HOME"
    show() { echo "\$ $*"; "$@"; }
    show ch-image import debian.tar debian
    show ch-image build -t hello hello
    show ch-image list
    show ch-convert hello hello.sqfs
    show ch-run hello.sqfs -- python3 /hello.py
'

echo "== the main job, as user $user"
set -- env -i "HOME=$place" "USER=$user" "PATH=$rig/bin:$PATH" "CH_IMAGE_STORAGE=$place/storage" \
    sh -euc "$steps"
if [ "$(id -u)" -eq 0 ]; then
    chown -Rh "$user:" "$place"
    set -- setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups "$@"
fi
"$@" </dev/null
