// Checks of running: containers of the image that the build phase has packed.

import type { Check } from "./check.ts";

/** One of two ranks: writes down in which namespace it is, and waits for the other, as parallel programs do. */
const RANK = `ch-run --join $JOIN --bind=.:/mnt/0 "$IMAGE" -- sh -c '
    readlink /proc/self/ns/user >/mnt/0/new.$$ && mv /mnt/0/new.$$ /mnt/0/rank.$$
    tries=0
    until set -- /mnt/0/rank.* && [ $# = 2 ] || [ $tries = 600 ]; do sleep 0.1; tries=$((tries + 1)); done'`;

const COMPARE_RANKS = `
set -- rank.*
[ $# = 2 ] && cmp "$1" "$2"`;

export const RUN_CHECKS: readonly Check[] = [
  {
    scope: "quick",
    name: "the packed image can be unpacked, if it has to be",
    script: `[ -e "$IMAGE" ] || ch-convert "$PACKED" "$IMAGE"`,
  },
  {
    scope: "quick",
    name: "output and exit status are the command's",
    script: `
ch-run "$IMAGE" -- sh -c 'echo out; echo err >&2; exit 7' >out 2>err && exit 1 || [ $? -eq 7 ]
grep -x out out
grep -x err err`,
  },
  {
    scope: "quick",
    name: "the image has what was built into it",
    script: `ch-run "$IMAGE" -- cat /copied /made >out
printf 'copied\\nbar\\n' | cmp - out`,
  },
  {
    scope: "quick",
    name: "the command has the process ID of ch-run",
    script: `sh -c 'echo $$ >before; exec ch-run "$IMAGE" -- sh -c "echo \\$\\$"' >after
cmp before after`,
  },
  {
    scope: "quick",
    name: "only user and mount namespaces are the container's own",
    script: `
for kind in user mnt; do
    [ "$(readlink /proc/self/ns/$kind)" != "$(ch-run "$IMAGE" -- readlink /proc/self/ns/$kind)" ]
done
for kind in net pid ipc uts; do
    [ "$(readlink /proc/self/ns/$kind)" = "$(ch-run "$IMAGE" -- readlink /proc/self/ns/$kind)" ]
done`,
  },
  {
    scope: "quick",
    name: "user and group are the caller's, or those asked for",
    script: `
[ "$(ch-run "$IMAGE" -- id -u)" = "$(id -u)" ]
[ "$(ch-run "$IMAGE" -- id -g)" = "$(id -g)" ]
[ "$(ch-run --uid=0 --gid=5 "$IMAGE" -- sh -c 'id -u; id -g')" = "0
5" ]`,
  },
  {
    scope: "quick",
    name: "nothing stays mounted",
    script: `
cat /proc/self/mounts >before
ch-run "$IMAGE" -- cat /made
cat /proc/self/mounts | cmp - before`,
  },
  {
    scope: "standard",
    name: "a command killed by a signal ends so",
    script: `ch-run "$IMAGE" -- sh -c 'kill -KILL $$' && exit 1 || [ $? -eq 137 ]`,
  },
  {
    scope: "standard",
    name: "a command that is not there is status 49",
    script: `ch-run "$IMAGE" -- /nosuch && exit 1 || [ $? -eq 49 ]`,
  },
  {
    scope: "standard",
    name: "the image is read-only",
    script: `refuse ch-run "$IMAGE" -- sh -c 'echo x >/made'`,
  },
  {
    scope: "standard",
    name: "directories of the host are bound, and can be written",
    script: `
mkdir data
echo here >data/file
ch-run --bind=./data:/mnt/0 "$IMAGE" -- sh -c 'cat /mnt/0/file >/mnt/0/copy'
cmp data/file data/copy`,
  },
  {
    scope: "standard",
    name: "what is written with --write-fake is gone afterwards",
    script: `
ch doctor | grep -q '^ok *overlay' || { echo 'no overlays in user namespaces'; exit 77; }
ch-run --write-fake "$IMAGE" -- sh -c 'echo x >/made; cat /made' | grep -x x
ch-run "$IMAGE" -- cat /made | grep -x bar`,
  },
  {
    scope: "standard",
    name: "the environment is the host's, but for what options say",
    script: `
[ "$(A=1 ch-run "$IMAGE" -- sh -c 'echo $A')" = 1 ]
[ "$(A=1 ch-run --unset-env=A "$IMAGE" -- sh -c 'echo $A')" = "" ]
[ "$(ch-run --set-env "$IMAGE" -- sh -c 'echo $FOO')" = bar ]`,
  },
  {
    scope: "standard",
    name: "an image in storage runs by its name",
    script: `ch-run check -- cat /made | grep -x bar`,
  },
  {
    scope: "standard",
    name: "with --seccomp, chown seems to succeed",
    script: `
ch-convert -q check ./image
ch-run --write --seccomp --uid=0 --gid=0 ./image -- chown 1:1 /made`,
  },
  {
    scope: "standard",
    name: "two peers of --join share their namespaces",
    script: `
JOIN="--join-ct=2 --join-tag=ch-test.$$"
for rank in 0 1; do ${RANK} & done
wait
${COMPARE_RANKS}`,
  },
  {
    scope: "standard",
    name: "ranks that the launcher started share their namespaces",
    script: `
if [ -n "\${SLURM_JOB_ID-}" ] && command -v srun >/dev/null; then
    launch='srun -N1 -n2'
elif command -v mpirun >/dev/null; then
    launch='mpirun -np 2'
    $launch true >out 2>&1 || { echo 'mpirun does not work here:' $(cat out); exit 77; }
else
    echo 'no Slurm allocation, no mpirun'
    exit 77
fi
JOIN=
# Peers know one another by their parent, the launcher: hence "exec".
cat >rank <<'END'
exec ${RANK}
END
$launch sh ./rank
${COMPARE_RANKS}`,
  },
  {
    scope: "standard",
    name: "ch-fromhost copies files into an image",
    script: `
ch-convert -q check ./image
echo from the host >driver
ch-fromhost --dest /mnt/0 --path ./driver ./image
ch-run ./image -- cat /mnt/0/driver | grep -x 'from the host'`,
  },
  {
    scope: "full",
    name: "forty containers run at the same time",
    script: `
for number in 0 1 2 3; do
    for digit in 0 1 2 3 4 5 6 7 8 9; do
        ch-run "$IMAGE" -- cat /made >"out$number$digit" &
    done
done
wait
[ "$(cat out* | grep -cx bar)" = 40 ]`,
  },
];
