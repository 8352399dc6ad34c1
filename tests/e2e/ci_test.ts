// The jobs of docs/ci.md, as they stand there, in containers as CI systems have them: without privilege, /dev/fuse
// or $USER, some without a home directory or anything to write to. Each loads the executable, builds, runs, pushes.

import assert from "node:assert/strict";
import { TestRegistry } from "../interop/registry.ts";
import { expect, rig, test, type Workplace } from "../rig.ts";
import { extractJobs } from "./ci_jobs.ts";

const PODMAN = 'podman --root "$PWD/peer" --runroot "$PWD/peer.run" --storage-driver vfs ' +
  "--cgroup-manager cgroupfs run --rm --network host --pull never --ulimit nofile=1024:1024 " +
  '--ulimit nproc=1000:1000 -v "$PWD/job:/job" -w /job';
const IN_IMAGE = '--rootfs "$PWD/image" /bin/sh /job/job.sh';

interface Surroundings {
  /** Which job of the document. */
  readonly system: string;
  /** Shell script that runs job/job.sh where "image" is the root directory, and "job" is /job. */
  readonly start: string;
  readonly root?: boolean;
}

const SURROUNDINGS: Readonly<Record<string, Surroundings>> = {
  podman: { system: "GitLab", start: `${PODMAN} ${IN_IMAGE}` },
  "podman without capabilities and read-only": {
    system: "Jenkins",
    start:
      `${PODMAN} --userns=keep-id --cap-drop=all --security-opt=no-new-privileges --read-only ` +
      `--tmpfs /var/tmp:rw,exec,mode=1777 ${IN_IMAGE}`,
  },
  "podman of root, as another user": {
    system: "GitLab",
    start: `${PODMAN} --user ${rig.uid}:${rig.gid} --tmpfs /var/tmp:rw,exec,mode=1777 ${IN_IMAGE}`,
    root: true,
  },
  bubblewrap: {
    system: "GitHub Actions",
    start: "bwrap --unshare-user --unshare-pid --clearenv --ro-bind image / --dev /dev " +
      "--proc /proc --tmpfs /var/tmp --tmpfs /tmp --bind job /job --chdir /job /bin/sh /job/job.sh",
  },
  "a user namespace, as root": {
    system: "GitLab",
    start: "cd job; exec unshare --user --map-root-user --mount --pid --fork --mount-proc " +
      'env -i "CH_IMAGE_STORAGE=$PWD/storage" "PATH=$PATH" sh job.sh',
  },
  "ch with a SquashFS image": {
    system: "Jenkins",
    start: 'ch-convert ./image image.sqfs; ch-run "--unset-env=*" -b "$PWD/job:/job" -W ' +
      "--cd=/job ./image.sqfs -- /bin/sh job.sh",
  },
};

const USERS = { alice: "secret" };

/** What a CI system tells its jobs. */
function tell(registry: string, url: string): Record<string, string> {
  return {
    ...{ CH_URL: url, REGISTRY: registry, actor: "alice", GITHUB_TOKEN: USERS.alice },
    ...{ CI_REGISTRY_USER: "alice", CI_REGISTRY_PASSWORD: USERS.alice },
    ...{ CI_REGISTRY_IMAGE: `${registry}/project/app`, CI_COMMIT_SHORT_SHA: "1" },
    ...{ LOGIN_USR: "alice", LOGIN_PSW: USERS.alice, BUILD_NUMBER: "1" },
    ...{ GITHUB_REPOSITORY: "project/app", GITHUB_SHA: "1" },
  };
}

/** What is a root directory with the C library to jobs: "image"; in storage "base", pushed to REGISTRY. */
async function prepare(work: Workplace, registry: string): Promise<void> {
  const image = work.image();
  await work.must('ch-image import "$1" base && ch-image push base "$2/base:1"', [image, registry]);
  await work.must(
    "cp --parents $(ldd \"$1\" | grep -o '/[^ ]*') image; ln -s busybox image/bin/wget; " +
      "mkdir -p image/job image/run image/var/tmp; chmod 1777 image/var/tmp",
    [Deno.execPath()],
  );
}

/** Makes "job": what is checked out, and the script of SYSTEM after what it tells its jobs. */
function checkOut(
  work: Workplace,
  system: string,
  base: string,
  values: Record<string, string>,
): void {
  const text = Deno.readTextFileSync(`${rig.projectRoot}/docs/ci.md`);
  const job = extractJobs(text, values).find((job) => job.system === system);
  assert.ok(job, `no job for ${system}`);
  const told = Object.entries(values).map(([name, value]) => `export ${name}='${value}'\n`);
  work.tree("job", {
    Dockerfile: `FROM ${base}/base:1\nCOPY app /bin/app\nRUN chmod 755 /bin/app; id -u >/u\n`,
    app: '#!/bin/sh\necho "$1 as $(cat /u)"\n',
    "job.sh": `${told.join("")}${job.script}`,
  });
}

/** Serves the executable, as a site would. */
function serveExecutable(): Deno.HttpServer<Deno.NetAddr> {
  const answer = () => new Response(Deno.openSync(`${rig.bin}/ch`).readable);
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, answer);
}

test(
  "the jobs of docs/ci.md build, run and push in containers of all kinds",
  async (work) => {
    await using server = serveExecutable();
    await using open = await TestRegistry.start();
    await using registry = await TestRegistry.start({ users: USERS });
    const { address } = registry;
    const told = tell(address, `http://127.0.0.1:${server.addr.port}/ch`);
    await prepare(work, open.address);
    const env = {
      CH_IMAGE_USERNAME: "alice",
      CH_IMAGE_PASSWORD: USERS.alice,
      CH_IMAGE_AUTH: "yes",
    };
    let number = 0;
    for (const [what, { system, start, root = false }] of Object.entries(SURROUNDINGS)) {
      const version = `${++number}`;
      const versions = { CI_COMMIT_SHORT_SHA: version, BUILD_NUMBER: version, GITHUB_SHA: version };
      checkOut(work, system, open.address, { ...told, ...versions });
      const result = await work.sh(start, [], { root, limit: 300_000 });
      assert.equal(result.code, 0, `${system} in ${what}: ${result.stdout}${result.stderr}`);
      assert.equal(result.stdout, "--self-test as 0\n", `${system} in ${what}`);
      const name = system === "Jenkins" ? "app" : "project/app";
      const pull = ["ch-image", "pull", `${address}/${name}:${version}`, "pulled"];
      expect(await work.run(pull, { env }), { code: 0 });
      assert.equal(await work.must("cat storage/img/pulled/u"), "0\n", what);
      await work.must("rm -rf job image/var/tmp/*", [], { root: true });
    }
  },
  "registry",
  "podman",
  "bubblewrap",
  "fuse",
);

/** As Docker's, which forbids what containers are made of. */
const FORBIDDING = {
  defaultAction: "SCMP_ACT_ALLOW",
  syscalls: [{
    names: ["unshare", "mount", "umount2", "pivot_root", "setns"],
    action: "SCMP_ACT_ERRNO",
    errnoRet: 1,
  }],
};

test(
  "a job that may make no namespaces builds without RUN, and is told what RUN needs",
  async (work) => {
    await using registry = await TestRegistry.start();
    await prepare(work, registry.address);
    Deno.writeTextFileSync(`${work.path}/filter.json`, JSON.stringify(FORBIDDING));
    const head = `FROM ${registry.address}/base:1\nCOPY app /app\n`;
    work.tree("job", {
      ...{ "Dockerfile": head, "Run": `${head}RUN true\n`, "app": "app\n" },
      "job.sh": `export USER=ci
    wget -qO ch "$1" && chmod +x ch
    ./ch image build -t made . && ./ch image push made "$2/app:1" && echo pushed
    ./ch image build -t run -f Run .
    ./ch run made -- true
  `,
    });
    await using server = serveExecutable();
    const filter = '--security-opt "seccomp=$PWD/filter.json"';
    const result = await work.sh(`${PODMAN} ${filter} ${IN_IMAGE} "$@"`, [
      `http://127.0.0.1:${server.addr.port}/ch`,
      registry.address,
    ]);
    expect(result, { code: 31, stdout: "pushed\n" });
    const said = "error: can't init user\\+mount namespaces: Operation not permitted .*\n.*" +
      "hint: a seccomp filter forbids it.*seccomp=unconfined";
    assert.match(result.stderr, new RegExp(`RUN\\.S true\n[^]*${said}[^]*${said}`));
  },
  "registry",
  "podman",
);
