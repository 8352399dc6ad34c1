#!/bin/busybox sh
# First program of the virtual machine of tools/machine.sh: prepares it, then tries the executable as an
# ordinary user, and ends with "all is well" if nothing failed.
set -eu

# The kernel begins in a file system that cannot be left by pivot_root(2): all goes into another one.
if [ "$$" -eq 1 ] && [ ! -e /proc ]; then
    export PATH=/bin
    /bin/busybox --install -s /bin
    mkdir -p /proc /new
    mount -t tmpfs -o size=2g none /new
    for name in bin lib lib64 modules init; do
        if [ -e "/$name" ]; then cp -a "/$name" /new; fi
    done
    cd /new
    mkdir -p proc sys dev tmp var/tmp etc usr root
    exec switch_root /new /init
fi

prepare() {
    export PATH=/bin
    mount -t proc none /proc
    mount -t sysfs none /sys
    mount -t devtmpfs none /dev
    for module in /modules/*; do insmod "$module"; done
    chmod 666 /dev/fuse
    chmod 1777 /tmp /var/tmp
    for tool in run image convert checkns; do ln -s ch "/bin/ch-$tool"; done
    echo 'user:x:1000:1000::/tmp:/bin/sh' >/etc/passwd
    echo 'user:x:1000:' >/etc/group
    touch /etc/hosts /etc/resolv.conf
    su user -s /bin/sh -c '/init try' && echo 'all is well'
    poweroff -f
}

try() {
    export USER=user HOME=/tmp CH_IMAGE_STORAGE=/var/tmp/storage
    cd /var/tmp
    uname -srm
    machine=$(uname -m)
    make_image base
    set -x
    ch-checkns
    ch doctor || true
    is "$(ch-run ./base -- uname -m)" "$machine"
    is "$(ch-run --seccomp --uid 0 ./base -- sh -c 'touch /tmp/f && chown 3:3 /tmp/f && echo owned')" owned
    if ch-run -W ./base -- true; then
        is "$(ch-run -W ./base -- sh -c 'echo x >/etc/x && cat /etc/x')" x
    else # and then it says so
        ch-run -W ./base -- true 2>&1 | grep 'hint: .*Linux 5.11'
    fi
    ch-image import ./base base
    printf 'FROM base\nRUN touch /f && chown 5:5 /f && uname -m >/m\nRUN cat /m\n' >Dockerfile
    ch-image build -t made -f Dockerfile .
    ch-image build -t made -f Dockerfile . 2>&1 | grep '3\* RUN'
    ch-image push made oci:./layout
    ch-image --arch=yolo pull oci:./layout pulled
    is "$(ch-run pulled -- cat /m)" "$machine"
    ch-image push pulled oci:./again # the layers that were pulled, as they are
    is "$(cat again/index.json)" "$(cat layout/index.json)"
    ch-convert made made.sqfs
    is "$(ch-run made.sqfs -- cat /m)" "$machine"
    ch-convert made.sqfs made.tar.gz
    ch-convert made.tar.gz ./directory
    is "$(cat directory/m)" "$machine"
}

make_image() {
    for directory in bin dev proc sys tmp usr mnt root etc; do mkdir -p "$1/$directory"; done
    cp /bin/busybox "$1/bin"
    for name in cat chown echo rm sh touch true uname; do ln -s busybox "$1/bin/$name"; done
    touch "$1/etc/passwd" "$1/etc/group" "$1/etc/hosts" "$1/etc/resolv.conf"
}

is() {
    [ "$1" = "$2" ] || { echo "got $1, want $2"; exit 1; }
}

case ${1:-} in
    try) try ;;
    *) prepare ;;
esac
