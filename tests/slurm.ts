// A Slurm cluster on this machine, for one test: a controller and nodes of real slurmctld, slurmd
// and munged. A node is a machine by its own name, with processes, /tmp, /dev/shm and System V IPC
// of its own (namespaces); it shares the other files, the network and the users. Nothing of /etc is
// read or written, and all of it dies with the test, however that ends.

import assert from "node:assert/strict";
import type { Workplace } from "./rig.ts";

const NODES = ["n1", "n2"];
/** More than there are: nothing is measured, and ranks must not wait for each other. */
const CPUS_OF_NODE = 64;
const START_LIMIT = 60_000;

/**
 * Process 1 of the cluster, in the cluster's directory. It ends when its standard input does, which
 * is when the test closes it or has died; the kernel then kills everything below it.
 */
const CONTROLLER = `
exec >controller.log 2>&1
hostname controller
munged --foreground --key-file="$PWD/key" --socket="$PWD/munge.socket" \\
    --pid-file="$PWD/munged.pid" --seed-file="$PWD/munged.seed" &
slurmctld -D &
for node; do
    unshare --pid --mount --uts --ipc --fork --mount-proc sh -c "$NODE" sh "$node" &
done
cat`;

/** Process 1 of a node; not slurmd itself, which would leave the orphans of jobs to be zombies. */
const NODE = `
hostname "$1"
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
slurmd -D -N "$1" &
wait`;

/** What the user has on a node: processes, mounts, and files where containers leave them. */
const LOOK = `
cat /proc/self/mounts; ls -A /dev/shm /tmp "/var/tmp/$USER.ch" 2>/dev/null
exec awk -v uid="$(id -u)" -v self=$$ '
    { value[$1] = $2 }
    $1 == "Uid:" && $2 == uid && value["State:"] != "Z" && value["Pid:"] != self {
        print "process", value["Name:"], value["Pid:"]
    }' /proc/[0-9]*/status 2>/dev/null`;

export class SlurmCluster implements AsyncDisposable {
  readonly #directory: string;
  readonly #work: Workplace;
  readonly #controller: Deno.ChildProcess;
  #asItWas = "";

  /** Starts it, and lets all commands of WORK use it. It is ready when this returns. */
  static async start(work: Workplace): Promise<SlurmCluster> {
    const cluster = new SlurmCluster(work);
    try {
      await cluster.#waitForNodes();
      cluster.#asItWas = await cluster.#look();
      return cluster;
    } catch (error) {
      const logs = cluster.#readLogs();
      await cluster[Symbol.asyncDispose]();
      throw new Error(`Slurm does not start\n${logs}`, { cause: error });
    }
  }

  private constructor(work: Workplace) {
    this.#work = work;
    // Owned by root: munged is as strict with its directory as with its key.
    this.#directory = Deno.makeTempDirSync({ dir: "/var/tmp", prefix: "ch-slurm." });
    Deno.chmodSync(this.#directory, 0o755);
    const key = crypto.getRandomValues(new Uint8Array(128));
    Deno.writeFileSync(`${this.#directory}/key`, key, { mode: 0o400 });
    const file = `${this.#directory}/slurm.conf`;
    Deno.writeTextFileSync(file, configure(this.#directory));
    work.environment.SLURM_CONF = file;
    const namespaces = ["--pid", "--mount", "--uts", "--fork", "--kill-child", "--mount-proc"];
    this.#controller = new Deno.Command("unshare", {
      args: [...namespaces, "sh", "-c", CONTROLLER, "sh", ...NODES],
      cwd: this.#directory,
      clearEnv: true,
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", SLURM_CONF: file, NODE },
      stdin: "piped",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Waits until the user has nothing more on the nodes than before; fails if that does not come. */
  async expectClean(): Promise<void> {
    let now = "";
    for (const end = Date.now() + 60_000; Date.now() < end;) {
      now = await this.#look();
      if (now === this.#asItWas) return;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.equal(now, this.#asItWas, "something is left on the nodes");
  }

  /**
   * Runs a batch script to its end, and tells its exit status. The same as "sbatch --wait", which
   * looks for the end every ten seconds only.
   */
  async runBatch(script: string): Promise<number> {
    const job = await this.#work.must(
      `id=$(sbatch --parsable "$1"); until [ -z "$(squeue --noheader --jobs="$id")" ]; do sleep 0.1; done
      scontrol show job "$id"`,
      [script],
    );
    const [, code] = /ExitCode=(\d+):0\b/.exec(job) ?? assert.fail(job);
    return Number(code);
  }

  #look(): Promise<string> {
    return this.#work.must('srun --nodes=2 --ntasks-per-node=1 --label sh -c "$1" | sort', [LOOK]);
  }

  async #waitForNodes(): Promise<void> {
    const wanted = `idle ${NODES.length}\n`;
    let last;
    for (const end = Date.now() + START_LIMIT; Date.now() < end;) {
      last = await this.#work.run(["sinfo", "--noheader", "--format=%T %D"]);
      if (last.stdout === wanted) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`nodes are not idle: ${last?.stdout}${last?.stderr}`);
  }

  #readLogs(): string {
    return [...Deno.readDirSync(this.#directory)]
      .filter(({ name }) => name.endsWith(".log"))
      .map(({ name }) => `--- ${name}\n${Deno.readTextFileSync(`${this.#directory}/${name}`)}`)
      .join("");
  }

  /** A test that fails leaves an srun or two, which would wait for a cluster that is gone. */
  #killClients(): void {
    const entry = `SLURM_CONF=${this.#work.environment.SLURM_CONF}\0`;
    for (const { name } of Deno.readDirSync("/proc")) {
      if (!/^\d+$/.test(name) || !readEnvironment(name).includes(entry)) continue;
      try {
        Deno.kill(Number(name), "SIGKILL");
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What comes of it does not matter: the controller may have ended by itself.
    await this.#controller.stdin.close().catch(() => {});
    await this.#controller.status;
    this.#killClients();
    Deno.removeSync(this.#directory, { recursive: true });
  }
}

/** Of a process, which may be gone. */
function readEnvironment(pid: string): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/environ`);
  } catch {
    return "";
  }
}

function configure(directory: string): string {
  const [controllerPort, ...nodePorts] = findFreePorts(1 + NODES.length);
  const nodes = NODES.map((name, i) =>
    `NodeName=${name} NodeAddr=127.0.0.1 Port=${nodePorts[i]} CPUs=${CPUS_OF_NODE}\n`
  );
  return `ClusterName=test
SlurmctldHost=controller(127.0.0.1)
SlurmctldPort=${controllerPort}
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket=${directory}/munge.socket
StateSaveLocation=${directory}/state
SlurmctldPidFile=${directory}/slurmctld.pid
SlurmctldLogFile=${directory}/slurmctld.log
SlurmdSpoolDir=/tmp/slurmd
SlurmdPidFile=/tmp/slurmd.pid
SlurmdLogFile=${directory}/%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0
KillWait=1
${nodes.join("")}PartitionName=all Nodes=ALL Default=YES
`;
}

/** Nobody keeps them for us, but the kernel gives them to others last. */
function findFreePorts(count: number): number[] {
  const listeners = Array.from(
    { length: count },
    () => Deno.listen({ hostname: "127.0.0.1", port: 0 }),
  );
  const ports = listeners.map(({ addr }) => addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}
