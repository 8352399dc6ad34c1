#!/bin/sh
# Installs what building, testing, measuring or showing the project needs, if it is missing:
# Debian's packages by apt-get, Deno by npm. As an ordinary user it names what is missing instead.
#
# usage: tools/deps.sh [build|cross|machine|test|demo|bench]...     (default: build)
#
# It runs before Deno exists, hence a shell script.
set -eu
cd "$(dirname "$0")/.."

build='gcc make libc6-dev libsquashfs-dev libzstd-dev liblzma-dev zlib1g-dev liblz4-dev liblzo2-dev
    libdeflate-dev libbz2-dev'
# For `make ARCH=aarch64`.
cross='gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static'
cross_libraries='libsquashfs-dev libzstd-dev liblzma-dev zlib1g-dev liblz4-dev liblzo2-dev libdeflate-dev libbz2-dev'
machine='qemu-system-x86 qemu-system-arm busybox-static'
demo='debootstrap util-linux'
test="$demo busybox-static rsync git squashfs-tools squashfuse xz-utils zstd bzip2 strace acl attr man-db
    clang-format openmpi-bin mpich podman buildah skopeo umoci uidmap docker-registry apache2-utils openssl
    bash-completion zsh fish qemu-user-static slurm-wlm munge libpmix-dev openssh-client openssh-server
    xvfb x11-utils bubblewrap"
bench='charliecloud bubblewrap buildah podman docker-registry skopeo umoci hyperfine squashfs-tools
    squashfuse debootstrap busybox-static'

main() {
    wanted=$build
    for purpose in "${@:-build}"; do
        case $purpose in
            build) ;;
            cross) wanted="$wanted $cross" ;;
            machine) wanted="$wanted $machine" ;;
            test) wanted="$wanted $test" ;;
            demo) wanted="$wanted $demo" ;;
            bench) wanted="$wanted $bench" ;;
            *) echo "deps: unknown purpose: $purpose (want build, cross, machine, test, demo or bench)" >&2; exit 1 ;;
        esac
    done
    install_packages
    install_deno
    install_xs
    case " $* " in *' cross '*) install_cross ;; esac
}

install_packages() {
    missing=$(list_missing)
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "deps: not a Debian system; please install what these packages hold:$missing" >&2
        exit 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        echo "deps: missing packages; as root, please type:" >&2
        echo "    apt-get install --no-install-recommends$missing" >&2
        exit 1
    fi
    echo "deps: installing$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 # one package a word
    apt-get install -qq --no-install-recommends $missing </dev/null
}

# The wanted packages that are not installed, each after a space.
list_missing() {
    installed=" $(dpkg-query -W -f='${db:Status-Status} ${Package}\n' 2>/dev/null |
        sed -n 's/^installed //p' | tr '\n' ' ')"
    for package in $wanted; do
        case $installed in
            *" $package "*) ;;
            *) printf ' %s' "$package" ;;
        esac
    done
}

# npm writes node_modules/.package-lock.json when it has finished.
install_deno() {
    if [ node_modules/.package-lock.json -nt package-lock.json ]; then return; fi
    if ! command -v npm >/dev/null; then
        echo 'deps: npm is missing; as root, please type:' >&2
        echo '    apt-get install --no-install-recommends npm' >&2
        exit 1
    fi
    echo 'deps: installing Deno from npm'
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
}

# XS, the small JavaScript engine: its source alone, out of a package that wraps it for Node and has
# many dependencies which nobody needs here.
xs_sha512=6419b80d9c5bb5f69cc4c1d555d263662d18f333b137beefa6ed56c08e5159f3e4691874687933fdd55d4c62976a50cdcd67f3d7cde59632b1971977fe1d27f8

install_xs() {
    fetch @agoric/xsnap 0.15.0 "$xs_sha512"
}

# The Deno that the arm64 executable is made of, and the libraries. Not by package.json: npm would refuse a
# package for another machine. 2.9.6, which package.json has for this one, is not in all mirrors for that one.
deno_arm64_sha512=22e623b33f4f1a5ec225c35732e376eca34307c438d1bacadd21b797e4d7303556eb564ac1c9f47d01c11e75c58a2ca013023c6f2fdf2a7012125ba1641d5ab7

install_cross() {
    fetch @deno/linux-arm64-glibc 2.9.5 "$deno_arm64_sha512"
    if [ -e build/cache/aarch64/.complete ]; then return; fi
    echo "deps: fetching Debian's packages for arm64"
    rm -rf build/cache/aarch64
    # shellcheck disable=SC2086 # one package a word
    tools/foreign_packages.sh arm64 build/cache/aarch64 $cross_libraries
    touch build/cache/aarch64/.complete
}

# fetch PACKAGE VERSION SHA512: the package as it is, without what it depends on, in node_modules.
fetch() {
    target=node_modules/$1
    if [ -e "$target/version-$2" ]; then return; fi
    echo "deps: fetching $1 from npm"
    fetched=$(mktemp -d)
    trap 'rm -rf "$fetched"' EXIT
    npm pack --silent --pack-destination "$fetched" "$1@$2" >/dev/null </dev/null
    echo "$3  $(echo "$fetched"/*.tgz)" | sha512sum --check --quiet
    rm -rf "$target"
    mkdir -p "$target"
    tar -xzf "$fetched"/*.tgz -C "$target" --strip-components=1
    rm -rf "$fetched"
    touch "$target/version-$2"
}

main "$@"
