#!/bin/sh
# Unpacks Debian packages of another architecture or release into a directory. The machine's own apt and dpkg
# do not get to know of it. Needs no privilege.
#
# usage: tools/foreign_packages.sh ARCHITECTURE[/RELEASE] DIRECTORY PACKAGE...
# e.g.   tools/foreign_packages.sh arm64 out busybox-static
set -eu
architecture=${1%%/*} directory=$2
release=${1#"$architecture"}
release=${release#/}
shift 2

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/packages" "$directory"
: >"$work/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian ${release:-bookworm} main" \
    >"$work/sources.list"
cat >"$work/apt.conf" <<END
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
APT::Sandbox::User "";
Acquire::Languages "none";
Dir::State "$work";
Dir::State::lists "$work/lists";
Dir::State::status "$work/status";
Dir::Cache "$work/cache";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "-";
END

# The kernel's packages have the version in their name; one without depends on the newest.
find_name() {
    case $1 in
        linux-image-cloud-*) apt-cache show "$1" | sed -n 's/^Depends: \([^ ]*\).*/\1/p' | head -n 1 ;;
        *) echo "$1" ;;
    esac
}

export APT_CONFIG="$work/apt.conf"
apt-get update -qq
for name in "$@"; do
    (cd "$work/packages" && apt-get download -qq "$(find_name "$name")")
done
for package in "$work"/packages/*.deb; do
    dpkg -x "$package" "$directory"
done
