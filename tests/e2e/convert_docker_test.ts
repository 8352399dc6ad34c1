// ch-convert from and to Docker's storage, by way of its command line.

import assert from "node:assert/strict";
import { exists, expect } from "../rig.ts";
import { listFiles, listNames, listTemporary, test } from "./convert_place.ts";
import { installDocker } from "./fake_docker.ts";

const IMAGE = { "ch/environment": "GREETING=hello world\n", "usr/a file": "text\n" };

test("ch-convert to docker and back keeps files and environment", async (work) => {
  work.image("image", IMAGE);
  const docker = installDocker(work);
  expect(await work.run(["ch-convert", "-o", "docker", "./image", "example.com/a/b:1"]), {
    code: 0,
    stdout: "",
    stderr: /^packing \.\.\.\nimporting \.\.\.\ndone\n$/m,
  });
  expect(await work.run(["ch-convert", "-i", "docker", "example.com/a/b:1", "./back"]), {
    code: 0,
    stdout: "",
    stderr: /^exporting \.\.\.\nunpacking \.\.\.\ndone\n$/m,
  });
  assert.equal(await listFiles(work, "back"), await listFiles(work, "image"));
  assert.equal(Deno.readTextFileSync(`${work.path}/back/ch/environment`), IMAGE["ch/environment"]);
  assert.deepEqual(docker.calls(), [
    "[--help]",
    "[info]",
    "[image][load]",
    "[--help]",
    "[info]",
    "[image][ls][-q][--][example.com/a/b:1]",
    "[image][save][--][example.com/a/b:1]",
  ]);
  assert.deepEqual(listTemporary(work), []);
});

for (const [output, list] of [["x.sqfs", "unsquashfs -l"], ["x.tgz", "tar -tzf"]] as const) {
  test(`ch-convert from docker to ${output}`, async (work) => {
    work.image("image", IMAGE);
    installDocker(work);
    await work.must("ch-convert -q -o docker ./image a");
    expect(await work.run(["ch-convert", "-i", "docker", "a", output]), { code: 0 });
    assert.match(await work.must(`${list} ${output}`), /usr\/a file$/m);
  }, "unsquashfs");
}

test("ch-convert calls docker by sudo where it must", async (work) => {
  work.image();
  const docker = installDocker(work);
  docker.set("closed", true);
  await work.must("ch-convert -q -o docker ./image a");
  const bin = `${work.path}/home/docker/bin`;
  assert.deepEqual(docker.calls(), ["[--help]", "[info]", "sudo [image][load]"]);
  // Without sudo docker says itself what it lacks.
  Deno.removeSync(`${bin}/sudo`);
  work.environment.PATH = `${bin}:${work.environment.PATH?.split(":")[1]}:${work.path}/home/tools`;
  await work.must(
    "mkdir home/tools; for t in sh env printenv cat; do ln -s $(PATH=/usr/bin:/bin command -v $t) home/tools; done",
    [],
    { env: { PATH: "/usr/bin:/bin" } },
  );
  expect(await work.run(["ch-convert", "-i", "docker", "a", "./x"]), {
    code: 1,
    stderr: /permission denied while trying .*\nerror: docker image ls failed: exit status 1$/m,
  });
});

test("docker: --no-clobber means the very name", async (work) => {
  work.image();
  installDocker(work);
  const convert = (name: string) =>
    work.run(["ch-convert", "--no-clobber", "-o", "docker", "./image", name]);
  expect(await convert("foo"), { code: 0 });
  for (const name of ["foo", "foo:latest"]) {
    expect(await convert(name), {
      code: 1,
      stderr: new RegExp(
        `^error: exists in Docker storage, not deleting per --no-clobber: ${name}$`,
        "m",
      ),
    });
  }
  for (const name of ["fo", "foo:1", "example.com/foo"]) expect(await convert(name), { code: 0 });
  expect(await work.run(["ch-convert", "-o", "docker", "./image", "foo"]), { code: 0 });
});

test("docker: what it has not, and what it fails at", async (work) => {
  work.image();
  const docker = installDocker(work);
  expect(await work.run(["ch-convert", "-i", "docker", "nosuch", "./x"]), {
    code: 1,
    stderr: /^error: source not found in Docker storage: nosuch$/m,
  });
  assert.deepEqual(listTemporary(work), []);
  await work.must("ch-convert -q -o docker ./image a");
  docker.set("failing", true);
  for (const output of ["./x", "x.sqfs", "x.tgz", "stored"]) {
    expect(await work.run(["ch-convert", "-i", "docker", "a", output]), {
      code: 1,
      stderr: /daemon: broken\nerror: docker image save failed: exit status 1$/m,
    });
    assert.ok(!exists(`${work.path}/${output}`));
  }
  expect(await work.run(["ch-image", "list"]), { stdout: "" });
  // Kept for a look into them, with what had come.
  assert.equal(listTemporary(work).length, 4);
  const wrong = await work.run(["ch-convert", "-o", "docker", "./image", "a@sha256:0"]);
  expect(wrong, { code: 1, stderr: /^error: a digest is not a name for an image: a@sha256:0$/m });
});

test("docker that is Podman in truth is taken for none", async (work) => {
  work.image();
  installDocker(work);
  work.tree("home/docker/bin", {
    "docker": {
      content: "#!/bin/sh\necho Manage pods, containers and images with Podman\n",
      mode: 0o755,
    },
  });
  expect(await work.run(["ch-convert", "-o", "docker", "./image", "a"]), {
    code: 1,
    stderr: /^error: format docker invalid: docker not found$/m,
  });
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  test(`ch-convert stops waiting for docker at ${signal}`, async (work) => {
    work.image();
    const docker = installDocker(work);
    await work.must("ch-convert -q -o docker ./image a");
    docker.set("held", true);
    const names = listNames(work.path);
    for (const [at, output] of ["./x", "x.sqfs", "x.tgz", "stored"].entries()) {
      const child = work.spawn(["ch-convert", "-i", "docker", "a", output]);
      await docker.untilHeld(at + 1);
      child.kill(signal);
      const { code, stderr } = await child.output();
      assert.equal(code, signal === "SIGINT" ? 130 : 143, new TextDecoder().decode(stderr));
      assert.deepEqual(listNames(work.path).filter((name) => name !== "storage"), names);
      assert.deepEqual(listTemporary(work), []);
    }
  });
}
