#!/bin/sh
# Starts a virtual machine with a kernel of Debian's and tries the executable there as an ordinary user
# (tools/machine_guest.sh), for what this machine's own kernel cannot show.
#
# usage: tools/machine.sh aarch64     arm64, Linux 6.1, emulated
#        tools/machine.sh bullseye    x86-64, Linux 5.10: no overlays for ordinary users
#
# It is no part of `make test`: it loads some 40 MB, and emulation takes a minute or more.
set -eu
cd "$(dirname "$0")/.."

case ${1:-} in
    aarch64)
        system='qemu-system-aarch64 -M virt -cpu cortex-a72' console=ttyAMA0
        packages=arm64 kernel=linux-image-cloud-arm64 executable=build/aarch64/ch
        ;;
    bullseye)
        system='qemu-system-x86_64 -M q35' console=ttyS0
        packages=amd64/bullseye kernel=linux-image-cloud-amd64 executable=build/ch
        ;;
    *) sed -n 's/^# usage: /usage: /p; s/^# \( *tools.machine\)/\1/p' "$0" >&2; exit 1 ;;
esac
tools/deps.sh build machine
cache=build/cache/machine-$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What Deno needs of the C library, a shell, and the kernel.
if [ ! -e "$cache/.complete" ]; then
    rm -rf "$cache"
    tools/foreign_packages.sh "$packages" "$cache" libc6 libgcc-s1 busybox-static "$kernel"
    touch "$cache/.complete"
fi

# The root directory is in memory.
root=$work/root
mkdir -p "$root/bin" "$root/modules"
cp -a "$cache/lib" "$root/lib"
if [ -e "$cache/lib64" ]; then cp -a "$cache/lib64" "$root/lib64"; fi
find "$cache/lib/modules" '(' -name fuse.ko -o -name overlay.ko ')' -exec cp '{}' "$root/modules" ';'
rm -rf "$root/lib/modules"
cp "$cache/bin/busybox" "$executable" "$root/bin"
cp tools/machine_guest.sh "$root/init"
(cd "$root" && find . | busybox cpio -o -H newc) >"$work/root.cpio"

# shellcheck disable=SC2086 # command and options in one
timeout 900 $system -smp 2 -m 3G -nic none -display none -serial stdio -monitor none -no-reboot \
    -kernel "$(echo "$cache"/boot/vmlinuz-*)" -initrd "$work/root.cpio" \
    -append "console=$console panic=-1 quiet rdinit=/init" </dev/null | tee "$work/log"
grep -q '^all is well' "$work/log"
