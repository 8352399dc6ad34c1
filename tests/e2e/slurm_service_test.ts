// A cluster in a job, in the shape of Apache Spark's: a master in the background of a container,
// workers on all nodes that register with it over TCP, a client that has them compute. The
// programs are shell scripts; their configuration is the user's, from outside of the image.

import assert from "node:assert/strict";
import { parseMarkdown } from "../documents/markdown.ts";
import { rig, test, type Tree } from "../rig.ts";
import { SlurmCluster } from "../slurm.ts";

const PIECES = 8;
const script = (text: string) => ({ content: `#!/bin/sh\nset -eu\n${text}`, mode: 0o755 });
/** The common beginning: configuration, state of the master, and how to ask it something. */
const LIBRARY = `
. /mnt/0/service.conf
state=/mnt/1
ask() { busybox wget -q -O - "http://127.0.0.1:$port/cgi-bin/$1"; }
`;

const SERVICE: Tree = {
  "srv/library.sh": LIBRARY,
  // As Spark's scripts: returns when the service is up.
  "srv/start-master": script(`. /srv/library.sh
[ -e $state/todo ] || { mkdir $state/todo $state/done; touch $state/log; }
busybox httpd -f -p "127.0.0.1:$port" -h /srv/www </dev/null >/dev/null 2>&1 &
until [ "$(ask "alive?$secret" 2>/dev/null)" = ALIVE ]; do sleep 0.1; done
`),
  "srv/start-worker": script(`. /srv/library.sh
[ "$(ask "register?$secret&$(cat /proc/sys/kernel/hostname)")" = welcome ]
work() {
    while sleep 0.05; do
        piece=$(ask "take?$secret") || continue
        [ -n "$piece" ] || continue
        sum=$(awk -v piece=$piece -v pieces=${PIECES} 'BEGIN {
            steps = 4000
            for (i = piece; i < steps; i += pieces) { x = (i + 0.5) / steps; sum += 4 / (1 + x * x) / steps }
            printf "%.12f", sum }')
        ask "give?$secret&$piece&$sum" >/dev/null
    done
}
work </dev/null >/dev/null 2>&1 &
`),
  "srv/compute": script(`. /srv/library.sh
until [ $(grep -c Registering $state/log) = "$workers" ]; do sleep 0.1; done
for piece in $(seq 0 ${PIECES - 1}); do touch $state/todo/$piece; done
until [ $(ls $state/done | wc -l) = ${PIECES} ]; do sleep 0.1; done
echo "Pi is roughly $(cat $state/done/* | awk '{ sum += $1 } END { printf "%.6f", sum }')"
`),
  // Called by the web server for "/cgi-bin/NAME?SECRET&…".
  "srv/answer.sh": `${LIBRARY}
printf 'Content-Type: text/plain\\r\\n\\r\\n'
IFS='&'
set -- $QUERY_STRING
[ "$1" = "$secret" ] || { echo "refused" >>$state/log; exit; }
`,
  "srv/www/cgi-bin/alive": script(". /srv/answer.sh\necho ALIVE\n"),
  "srv/www/cgi-bin/register": script(
    '. /srv/answer.sh\necho "Registering worker $2" >>$state/log\necho welcome\n',
  ),
  "srv/www/cgi-bin/take": script(`. /srv/answer.sh
cd $state/todo
for piece in *; do
    if mv "$piece" "../taken.$piece" 2>/dev/null; then echo "$piece"; exit; fi
done
`),
  "srv/www/cgi-bin/give": script(
    '. /srv/answer.sh\necho "$3" >$state/part.$2\nmv $state/part.$2 $state/done/$2\n',
  ),
};

/** The script that the documentation shows. */
function readJob(): string {
  const page = parseMarkdown(Deno.readTextFileSync(`${rig.projectRoot}docs/mpi-slurm.md`));
  const job = page.parts.find((part) => part.type === "file" && part.path === "service.sh");
  assert(job?.type === "file");
  return job.text;
}

test("a master and its workers on two nodes compute, and go with the job", async (work) => {
  work.image("image", SERVICE);
  work.tree("state", {});
  work.tree("conf", {
    "service.conf": `port=${findFreePort()}\nsecret=${crypto.randomUUID()}\nworkers=2\n`,
  });
  work.tree("script", { "job.sh": readJob() });
  // It is nobody else's business.
  Deno.chmodSync(`${work.path}/conf`, 0o700);
  await using cluster = await SlurmCluster.start(work);
  // The same as sbatch --wait, which looks for the end every ten seconds.
  const end = await work.must(
    'id=$(sbatch --parsable script/job.sh); until [ -z "$(squeue --noheader)" ]; do sleep 0.1; done; ' +
      'scontrol show job "$id"',
  );
  assert.match(end, /JobState=COMPLETED/);
  assert.match(Deno.readTextFileSync(`${work.path}/service.log`), /^Pi is roughly 3\.141593$/m);
  const log = Deno.readTextFileSync(`${work.path}/state/log`).trim().split("\n");
  assert.deepEqual(log.sort(), ["Registering worker n1", "Registering worker n2"]);
  await cluster.expectClean();
}, "slurm");

function findFreePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}
