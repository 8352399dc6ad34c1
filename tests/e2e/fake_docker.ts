// A program that takes Docker's command line as far as ch-convert uses it, for machines without the daemon.
// Its storage is a directory of archives; what it loads it checks as Docker does.

import assert from "node:assert/strict";
import { rig, type Workplace } from "../rig.ts";

export interface FakeDocker {
  /** Command lines it was called with, a line each, words in brackets. */
  readonly calls: () => string[];
  /** `image save` waits while it is held, and after it was told to fail it does so half way. */
  readonly set: (state: "held" | "failing" | "closed", isOn: boolean) => void;
  /** Resolves when COUNT of its processes are waiting. */
  readonly untilHeld: (count: number) => Promise<void>;
}

/** Puts it first in PATH, together with a `sudo`: only that reaches a daemon that is "closed". */
export function installDocker(work: Workplace): FakeDocker {
  const state = work.tree("home/docker", {
    "images/": "",
    "waiting/": "",
    "bin/docker": { content: DOCKER, mode: 0o755 },
    "bin/sudo": { content: SUDO, mode: 0o755 },
  });
  work.environment.FAKE_DOCKER = state;
  work.environment.PATH = `${state}/bin:${rig.bin}:/usr/bin:/bin:/usr/sbin:/sbin`;
  return {
    calls: () => readLines(`${state}/calls`),
    set: (name, isOn) => {
      if (isOn) Deno.writeTextFileSync(`${state}/${name}`, "");
      else Deno.removeSync(`${state}/${name}`);
    },
    untilHeld: async (count) => {
      for (let tries = 0; countEntries(`${state}/waiting`) < count; tries++) {
        assert.ok(tries < 3000, `docker was not asked ${count} times`);
        await new Promise((done) => setTimeout(done, 20));
      }
    },
  };
}

function countEntries(path: string): number {
  return [...Deno.readDirSync(path)].length;
}

function readLines(path: string): string[] {
  try {
    return Deno.readTextFileSync(path).trimEnd().split("\n");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

const SUDO = `#!/bin/sh
printf 'sudo ' >> "$FAKE_DOCKER/calls"
FAKE_ROOT=1 exec "$@"
`;

const DOCKER = String.raw`#!/bin/sh
set -u
state=$FAKE_DOCKER

fail() { echo "$1" >&2; exit "$2"; }

# Which images: all, those of a repository, or the one with this tag.
list() {
  quiet= format=
  while [ $# -gt 0 ]; do
    case $1 in
    -q) quiet=1 ;;
    --format) format=$2; shift ;;
    --) shift; break ;;
    -*) fail "unknown flag: $1" 125 ;;
    *) break ;;
    esac
    shift
  done
  [ $# -le 1 ] || fail '"docker image ls" requires at most 1 argument.' 1
  wanted=$(printf %s "$*")
  for archive in "$state"/images/*.tar; do
    [ -e "$archive" ] || continue
    name=$(basename "$archive" .tar | tr % /)
    case "$name" in
    "$wanted" | "$wanted":*) ;;
    *) [ $# = 0 ] || continue ;;
    esac
    if [ -n "$quiet" ]; then sha256sum < "$archive" | head -c 12; echo
    elif [ "$format" = '{{.Repository}}:{{.Tag}}' ]; then echo "$name"
    else fail "template not known: $format" 1
    fi
  done
}

save() {
  [ "$1" != -- ] || shift
  name=$1
  case $name in *:*) ;; *) name=$name:latest ;; esac
  archive=$state/images/$(printf %s "$name" | tr / %).tar
  [ -e "$archive" ] || fail "Error response from daemon: reference does not exist" 1
  : > "$state/waiting/$$"
  while [ -e "$state/held" ]; do sleep 0.05; done
  [ ! -e "$state/failing" ] || { head -c 3000 "$archive"; fail "Error response from daemon: broken" 1; }
  cat "$archive"
}

strings() { tr -d '"' | tr , '\n'; }

load() {
  place=$(mktemp -d "$state/load.XXXXXX")
  cat > "$place/archive"
  mkdir "$place/all"
  tar -C "$place/all" -xf "$place/archive" || fail "invalid tar header" 1
  cd "$place/all"
  [ -f manifest.json ] || fail "open manifest.json: no such file or directory" 1
  config=$(sed -n 's/.*"Config":"\([^"]*\)".*/\1/p' manifest.json)
  tag=$(sed -n 's/.*"RepoTags":\["\([^"]*\)"\].*/\1/p' manifest.json)
  layers=$(sed -n 's/.*"Layers":\[\([^]]*\)\].*/\1/p' manifest.json | strings)
  [ -n "$tag" ] && [ -f "$config" ] && [ -n "$layers" ] || fail "invalid manifest" 1
  wanted=$(sed -n 's/.*"diff_ids":\[\([^]]*\)\].*/\1/p' "$config" | strings)
  actual=$(for layer in $layers; do
    tar -tf "$layer" > /dev/null || exit
    echo "sha256:$(sha256sum < "$layer" | cut -d ' ' -f 1)"
  done)
  [ "$wanted" = "$actual" ] || fail "failed to register layer: invalid diffID" 1
  mv "$place/archive" "$state/images/$(printf %s "$tag" | tr / %).tar"
  rm -r "$place"
  echo "Loaded image: $tag"
}

{ for word; do printf '[%s]' "$word"; done; echo; } >> "$state/calls"
case $* in
--help) echo "Usage:  docker [OPTIONS] COMMAND"; exit ;;
esac
[ ! -e "$state/closed" ] || [ -n "$(printenv FAKE_ROOT)" ] ||
  fail "permission denied while trying to connect to the Docker daemon socket" 1
case "$* " in
"image ls "*) shift 2; list "$@" ;;
"image save "*) shift 2; save "$@" ;;
"image load "*) shift 2; [ $# = 0 ] || fail "unknown argument" 125; load ;;
*) [ "$*" = info ] || fail "docker: '$1' is not a docker command." 1 ;;
esac
`;
