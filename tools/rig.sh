#!/bin/sh
# Prepares this machine for tests and demo; quick when that has been done before.
#
# usage: tools/rig.sh          make the rig (below) and print nothing
#        tools/rig.sh where    print the rig's directory
#        tools/rig.sh user     print the ordinary user that things run as
#
# The rig is a directory kept between runs:
#   bin/ch, bin/ch-run …   copy of build/ch, where an ordinary user can reach it, and its names
#   aarch64/ch             copy of build/aarch64/ch, if that has been built
#   foreign/bin/busybox    of Debian for arm64
#   debian.tar             root file system of Debian bookworm (minbase), without device nodes
#   mpihello-…             image of examples/mpihello; tests make it when they first need it
# As root it also makes the ordinary user and opens /dev/fuse to everybody, as real hosts have it.
set -eu
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/sbin:/sbin

user=chtest
if [ "$(id -u)" -eq 0 ]; then
    rig=${CH_RIG:-/var/cache/ch-rig}
else
    rig=${CH_RIG:-${XDG_CACHE_HOME:-$HOME/.cache}/ch-rig}
    user=$(id -un)
fi

case ${1:-make} in
    where) echo "$rig"; exit ;;
    user) echo "$user"; exit ;;
    make) ;;
    *) echo "rig: unknown word: $1" >&2; exit 1 ;;
esac

main() {
    umask 022
    mkdir -p "$rig/bin"
    if [ "$(id -u)" -eq 0 ]; then
        id "$user" >/dev/null 2>&1 ||
            useradd --no-create-home --home-dir /nonexistent --shell /bin/sh "$user"
        if [ -e /dev/fuse ]; then chmod 666 /dev/fuse; fi
    fi
    install_binary
    if [ -e build/aarch64/ch ]; then
        mkdir -p "$rig/aarch64"
        copy_new build/aarch64/ch "$rig/aarch64/ch"
    fi
    [ -e "$rig/debian.tar" ] || make_debian "$rig/debian.tar"
    [ -e "$rig/foreign/bin/busybox" ] ||
        tools/foreign_packages.sh arm64 "$rig/foreign" busybox-static
}

install_binary() {
    copy_new build/ch "$rig/bin/ch"
    for name in ch-run ch-image ch-convert ch-fromhost ch-checkns ch-run-oci ch-test; do
        ln -sfn ch "$rig/bin/$name"
    done
}

# A new file each time: the old one may be running.
copy_new() {
    cmp -s "$1" "$2" || {
        cp "$1" "$2.new"
        mv "$2.new" "$2"
    }
}

make_debian() {
    work=$(mktemp -d "$rig/debian.XXXXXX")
    # A name that is not debian.tar until it is whole.
    trap 'rm -rf "$work"' EXIT
    if [ "$(id -u)" -eq 0 ]; then
        debootstrap --variant=minbase bookworm "$work/root" >"$work/log" 2>&1
    else
        debootstrap_unprivileged
    fi || { tail -n 20 "$work/log" >&2; echo 'rig: debootstrap failed' >&2; exit 1; }
    rm -rf "$work"/root/var/cache/apt/*.bin "$work"/root/var/cache/apt/archives/*.deb \
        "$work"/root/var/lib/apt/lists/*
    tar -C "$work/root" --numeric-owner --exclude='./dev/*' -cf "$work/debian.tar" .
    mv "$work/debian.tar" "$1"
}

# Without root: debootstrap runs in a container made of this machine's own root directory, with
# root emulation. "lxc" makes it bind device nodes instead of making them.
debootstrap_unprivileged() {
    command -v debootstrap >/dev/null || {
        echo 'rig: debootstrap is missing; as root, please type: apt-get install debootstrap' >&2
        exit 1
    }
    container=lxc "$rig/bin/ch-run" --seccomp --uid=0 --gid=0 --write --no-passwd / -- \
        debootstrap --variant=minbase bookworm "$work/root" >"$work/log" 2>&1
}

main
