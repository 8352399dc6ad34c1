// What is around a container: containers within containers, the host that SSH leads back to, and the
// time after the command has ended.

import assert from "node:assert/strict";
import { exists, expect, rig, test, type Workplace } from "../rig.ts";

const WHERE = ["readlink", "/proc/self/ns/user"];

test("a container in a container, in images that have nothing but busybox", async (work) => {
  const outer = work.image("outer"), inner = work.image("inner");
  const nest = (...command: string[]) =>
    work.run([
      ...["ch-run", "-b", `${rig.bin}:/mnt/1`, "-b", `${inner}:/mnt/0`, outer, "--"],
      ...["sh", "-c", 'readlink /proc/self/ns/user; exec /mnt/1/ch-run /mnt/0 -- "$@"', "sh"],
      ...command,
    ]);
  const host = await work.run(WHERE);
  const nested = await nest(...WHERE);
  expect(nested, { code: 0, stderr: "" });
  const namespaces = [host.stdout.trim(), ...nested.stdout.trim().split("\n")];
  assert.equal(namespaces.length, 3);
  assert.equal(new Set(namespaces).size, 3);
  expect(await nest("sh", "-c", "exit 7"), { code: 7 });
  expect(await nest("sh", "-c", "kill -KILL $$"), { signal: "SIGKILL" });
});

test("ch-image builds in a container, in a storage directory from outside", async (work) => {
  const outside = work.tree("outside", {
    "context/Dockerfile": "FROM bb\nRUN echo built > /file\n",
  });
  work.image("outside/bb");
  const script = `export CH_IMAGE_STORAGE=/mnt/storage; cd /mnt
ch-image import bb bb && ch-image build -t nested context && ch-run nested -- cat /file`;
  // The host's own root directory is as good an image as any, and has what Deno needs.
  const ch = ["ch-run", "-b", `${outside}:/mnt`, "/", "--", "sh", "-c", script];
  expect(await work.run(ch), { code: 0, stdout: /^built$/m });
  const env = { CH_IMAGE_STORAGE: `${outside}/storage` };
  expect(await work.run(["ch-run", "nested", "--", "cat", "/file"], { env }), {
    stdout: "built\n",
  });
});

test("what a command leaves in the background goes on in its container", async (work) => {
  const image = work.image("image", { "in-image": "" });
  work.tree("out", {});
  const background =
    "until [ -e /mnt/0/go ]; do sleep 0.05; done; ls / >/mnt/0/list; touch /mnt/0/done";
  const script = `(${background}) </dev/null >/dev/null 2>&1 & true`;
  expect(await work.run(["ch-run", "-b", "out:/mnt/0", image, "--", "sh", "-c", script]), {
    code: 0,
  });
  await work.must(
    "touch out/go; for n in $(seq 200); do [ -e out/done ] && break; sleep 0.1; done",
  );
  assert.match(Deno.readTextFileSync(`${work.path}/out/list`), /^in-image$/m);
});

/** An SSH server of the user, on a port of its own. Commands reach it by "ssh -F ssh_config here". */
class SshServer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
  }

  static async start(work: Workplace): Promise<SshServer> {
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = listener.addr;
    listener.close();
    await work.must(
      `ssh-keygen -q -t ed25519 -N '' -f host_key && ssh-keygen -q -t ed25519 -N '' -f user_key
      cat >sshd_config <<end
ListenAddress 127.0.0.1:$1
HostKey $PWD/host_key
AuthorizedKeysFile $PWD/user_key.pub
StrictModes no
UsePAM no
PidFile none
end
      cat >ssh_config <<end
Host here
HostName 127.0.0.1
Port $1
IdentityFile $PWD/user_key
StrictHostKeyChecking no
UserKnownHostsFile /dev/null
LogLevel ERROR
end`,
      [`${port}`],
    );
    const server = new SshServer(
      work.spawn([
        "/usr/sbin/sshd",
        "-D",
        "-f",
        `${work.path}/sshd_config`,
        "-E",
        `${work.path}/sshd.log`,
      ]),
    );
    await work.must(
      "for n in $(seq 200); do ssh -F ssh_config here true 2>client.log && exit; sleep 0.1; done; cat client.log sshd.log >&2; exit 1",
    );
    return server;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await this.#child.output();
  }
}

test("ssh leads out of a container, and back into one by ch-run", async (work) => {
  const image = work.image();
  await using _server = await SshServer.start(work);
  // An image with an SSH client is the host.
  const ssh = ["ch-run", "--cd", work.path, "/", "--", "ssh", "-F", "ssh_config", "here"];
  const host = await work.run(WHERE);
  const out = await work.run([...ssh, ...WHERE]);
  expect(out, { code: 0, stdout: host.stdout });
  const back = await work.run([...ssh, `${rig.bin}/ch-run`, image, "--", ...WHERE]);
  expect(back, { code: 0 });
  assert.notEqual(back.stdout, host.stdout);
  expect(await work.run([...ssh, `${rig.bin}/ch-run`, image, "--", "sh", "-c", "'exit 7'"]), {
    code: 7,
  });
  assert(!exists(`${work.path}/home/.ssh/known_hosts`));
}, "sshd");
