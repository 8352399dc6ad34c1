// Those lines of the acceptance checklist (spec ch-image §19) on references, pulling, pushing and importing
// that no test of a single part covers; the numbers are the checklist's.

import assert from "node:assert/strict";
import { FakeRegistry } from "../fake_registry.ts";
import { expect, test, type Workplace } from "../rig.ts";
import { makeTar, type Member } from "../tar_archive.ts";

const PULL = ["ch-image", "--plain-http", "--arch=yolo", "pull"];

/** Members that make an archive a root directory, and not a directory around one. */
const ROOT: readonly Member[] = [{ name: "bin/", type: "5" }, { name: "usr/", type: "5" }];

/** Pulls an image with these LAYERS as "x". */
async function pullLayers(work: Workplace, layers: readonly (readonly Member[])[], config = {}) {
  await using registry = new FakeRegistry();
  await registry.addImage("1", layers.map((members) => makeTar([...ROOT, ...members])), config);
  return await work.run([...PULL, `${registry.address}/a/b:1`, "x"]);
}

/** Names, types, modes and targets in the image "x", at PATHS. */
async function show(work: Workplace, ...paths: string[]): Promise<string> {
  const script = 'cd storage/img/x; find "$@" -printf "%P %H %y %m %l\\n" | sed "s/^ //" | sort';
  return await work.must(script, paths);
}

test("19: pull --parse-only reports the fields and touches nothing", async (work) => {
  expect(await work.run(["ch-image", "pull", "--parse-only", "example.com:8080%p%n:t"]), {
    code: 0,
    stdout: `as string:    example.com:8080/p/n:t
for filename: example.com+8080%p%n+t
fields:
  host    'example.com'
  port    8080
  path    ['p']
  name    'n'
  tag     't'
  digest  None
`,
    stderr: "",
  });
  await work.must("test ! -e storage");
});

const WITH_REFERENCE: readonly (readonly string[])[] = [
  ["pull", "{}"],
  ["pull", "a", "{}"],
  ["push", "{}"],
  ["push", "a", "{}"],
  ["import", "image", "{}"],
  ["list", "{}"],
  ["undelete", "{}"],
  ["modify", "-c", "true", "{}", "b"],
  ["modify", "-c", "true", "a", "{}"],
  ["build", "-t", "{}", "image"],
];

test("21: no sub-command takes . and .. for a reference", async (work) => {
  work.image("image", { Dockerfile: "FROM a\n" });
  await work.must("ch-image import image a");
  for (const words of WITH_REFERENCE) {
    for (const reference of [".", ".."]) {
      const command = ["ch-image", ...words.map((word) => word.replace("{}", reference))];
      expect(await work.run(command), {
        code: 1,
        stderr: /^error: image reference not usable as a name: /m,
      });
    }
  }
  for (const reference of [".", ".."]) {
    expect(await work.run(["ch-image", "delete", reference]), { code: 1, stderr: /^error: / });
  }
  expect(await work.run(["ch-image", "list"]), { code: 0, stdout: "a\n", stderr: "" });
});

test("22: foo and foo:latest are two images", async (work) => {
  work.image("image", { Dockerfile: "FROM a\nENV A=1\n" });
  await work.must("ch-image import image a");
  for (const tag of ["foo", "foo:latest"]) await work.must(`ch-image build -t ${tag} image 2>&1`);
  expect(await work.run(["ch-image", "list"]), { code: 0, stdout: "a\nfoo\nfoo:latest\n" });
});

test("30: credentials do not go along to another host", async (work) => {
  await using registry = new FakeRegistry();
  await using elsewhere = new FakeRegistry();
  const [digest] = await registry.addImage("1", [makeTar(ROOT)]);
  registry.intercept = (request, url) => {
    if (request.headers.get("Authorization") === null) {
      return new Response(null, {
        status: 401,
        headers: { "WWW-Authenticate": 'Basic realm="r"' },
      });
    }
    if (!url.pathname.endsWith(digest!)) return undefined;
    elsewhere.blobs.set(digest!, registry.blobs.get(digest!)!);
    return Response.redirect(`http://localhost:${elsewhere.port}${url.pathname}?signed=yes`, 307);
  };
  const env = { CH_IMAGE_USERNAME: "alice", CH_IMAGE_PASSWORD: "secret" };
  const command = ["ch-image", "--auth", ...PULL.slice(1), `${registry.address}/a/b:1`, "x"];
  expect(await work.run(command, { env }), { code: 0 });
  assert.deepEqual(elsewhere.asked.map(({ path, authorization }) => [path, authorization]), [
    [`/v2/a/b/blobs/${digest}?signed=yes`, undefined],
  ]);
});

test("31: a blob with other bytes is refused and not kept", async (work) => {
  await using registry = new FakeRegistry();
  const layer = makeTar([...ROOT, { name: "file", data: "good" }]);
  const [digest] = await registry.addImage("1", [layer]);
  registry.blobs.set(digest!, layer.with(layer.indexOf(103), 98)); // "g" becomes "b"
  const command = [...PULL, `${registry.address}/a/b:1`, "x"];
  expect(await work.run(command), {
    code: 1,
    stderr: /^error: registry streamed response content is invalid/m,
  });
  expect(await work.run(["ch-image", "list"]), { code: 0, stdout: "", stderr: "" });
  await work.must('test -z "$(find storage/dlcache -name "part_*")"');
  registry.blobs.set(digest!, layer);
  expect(await work.run(command), { code: 0 });
  assert.equal(await work.must("cat storage/img/x/file"), "good");
});

test("34: absolute names, devices, closed directories and set-user-ID bits", async (work) => {
  const result = await pullLayers(work, [[
    { name: "/opt/abs", data: "a" },
    { name: "null", type: "3" },
    { name: "pipe", type: "6" },
    { name: "closed/", type: "5", mode: 0 },
    { name: "closed/in", mode: 0 },
    { name: "suid", mode: 0o6755 },
    { name: "sticky/", type: "5", mode: 0o1777 },
  ]]);
  expect(result, { code: 0, stderr: /layer 1\/1: .{7}: ignored 2 devices and\/or FIFOs\n/ });
  expect(result, { stderr: /layer 1\/1: .{7}: fixed 1 absolute member paths\n/ });
  assert.equal(
    await show(work, "opt/abs", "closed", "suid", "sticky"),
    "closed d 700 \nin closed f 600 \nopt/abs f 755 \nsticky d 1777 \nsuid f 755 \n",
  );
  await work.must("test ! -e storage/img/x/null && test ! -e storage/img/x/pipe");
});

test("35: a member with .. is refused, wherever that would lead", async (work) => {
  const members: readonly Member[] = [{ name: "a/", type: "5" }, { name: "a/../b", data: "b" }];
  const stderr = /^error: .*\n?.*rejecting up-level member: .*: a\/\.\.\/b$/m;
  expect(await pullLayers(work, [members]), { code: 1, stderr });
  Deno.writeFileSync(`${work.path}/image.tar`, makeTar([...ROOT, ...members]));
  expect(await work.run(["ch-image", "import", "image.tar", "x"]), { code: 1, stderr });
  expect(await work.run(["ch-image", "list"]), { code: 0, stdout: "" });
});

test("36: an absolute link leads to the same place of the image", async (work) => {
  const result = await pullLayers(work, [[
    { name: "etc/a/b/l", type: "2", link: "/usr/bin/x" },
    { name: "usr/bin/x", data: "x" },
    { name: "hard", type: "1", link: "/usr/bin/x" },
  ]]);
  expect(result, {
    code: 0,
    stderr: /changed 2 absolute symbolic and\/or hard links to relative\n/,
  });
  assert.equal(await show(work, "etc/a/b/l"), "etc/a/b/l l 777 ../../../usr/bin/x\n");
  await work.must("test storage/img/x/hard -ef storage/img/x/usr/bin/x");
});

test("37: whiteouts in the root and below, and opaque directories", async (work) => {
  const result = await pullLayers(work, [
    [
      { name: "gone" },
      { name: "gone2/deep/file" },
      { name: "dir/gone" },
      { name: "dir/gonebar" },
      { name: "opaque/low" },
      { name: "opaque/sub/low" },
    ],
    [
      { name: "opaque/high" },
      { name: ".wh.gone" },
      { name: ".wh.gone2" },
      { name: "dir/.wh.gone" },
      { name: "dir/.wh.never" },
      { name: "opaque/.wh..wh..opq" },
    ],
  ]);
  expect(result, { code: 0 });
  assert.equal(
    await work.must("cd storage/img/x; find * -name 'gone*' -o -path 'opaque*' | sort"),
    "dir/gonebar\nopaque\nopaque/high\n",
  );
  await work.must('test -z "$(find storage/img/x -name ".wh.*")"');
});

/** What a name is in one layer; the last shows what became of it. */
const KINDS: readonly (readonly [string, (name: string, at: string) => Member[], string])[] = [
  ["f", (name, at) => [{ name, data: at }], "f"],
  ["d", (name, at) => [{ name: `${name}/`, type: "5" }, { name: `${name}/${at}` }], "d"],
  ["l", (name) => [{ name, type: "2", link: "bin" }], "l"],
  ["h", (name) => [{ name: `of-${name}` }, { name, type: "1", link: `of-${name}` }], "f"],
];

test("38: the top layer's type wins", async (work) => {
  const pairs = KINDS.flatMap((lower) => KINDS.map((upper) => [lower, upper] as const));
  const layers = (["lower", "upper"] as const).map((at, index) =>
    pairs.flatMap((pair) => pair[index]![1](pair[0][0] + pair[1][0], at))
  );
  expect(await pullLayers(work, layers), { code: 0 });
  for (const [[lower], [upper, , type]] of pairs) {
    const name = lower + upper;
    assert.equal(await work.must(`find storage/img/x/${name} -maxdepth 0 -printf %y`), type, name);
    const kept = lower === "d" ? "lower\nupper\n" : "upper\n";
    if (upper === "d") assert.equal(await work.must(`ls storage/img/x/${name}`), kept, name);
    if (upper === "f") assert.equal(await work.must(`cat storage/img/x/${name}`), "upper", name);
    if (upper !== "h") continue;
    await work.must(`test storage/img/x/${name} -ef storage/img/x/of-${name}`);
  }
  // What a link led to is as it was.
  await work.must("rmdir storage/img/x/bin");
});

test("40: what is no archive cannot be opened, and the older image stays", async (work) => {
  work.image();
  await work.must("ch-image import image x; : >empty.tar; head -c 9999 /dev/urandom >random.tar");
  for (const file of ["empty.tar", "random.tar"]) {
    expect(await work.run(["ch-image", "import", file, "x"]), {
      code: 1,
      stderr: new RegExp(`^error: cannot open: .*${file}: `, "m"),
    });
  }
  expect(await work.run(["ch-run", "x", "--", "echo", "old"]), { code: 0, stdout: "old\n" });
});

test("42: environment, directory and volumes of the configuration", async (work) => {
  const Volumes = { "/srv/b": {}, "/srv/a/deep": {} };
  const config = { Env: ["Z=last", "A=b=c", "EMPTY="], WorkingDir: "/opt", Volumes };
  const result = await pullLayers(work, [[{ name: "opt/", type: "5" }]], { config });
  expect(result, { code: 0 });
  assert.equal(
    await work.must(
      "cat storage/img/x/ch/environment; ls -d storage/img/x/srv/a/deep srv 2>&1 || :",
    ),
    "A=b=c\nEMPTY=\nZ=last\nls: cannot access 'srv': No such file or directory\n" +
      "storage/img/x/srv/a/deep\n",
  );
  await work.must("test -d storage/img/x/srv/b");
  const metadata = JSON.parse(Deno.readTextFileSync(`${work.path}/storage/img/x/ch/metadata.json`));
  assert.equal(metadata.cwd, "/opt");
  assert.deepEqual(metadata.volumes.sort(), ["/srv/a/deep", "/srv/b"]);
});

test("43: what is pushed and pulled back has neither set-user-ID bits nor other owners", async (work) => {
  await using registry = new FakeRegistry();
  work.image("image", {
    Dockerfile: 'FROM a\nRUN echo x >/suid && chmod 6755 /suid\nENV A="b c" Z=1\n',
  });
  await work.must("ch-image import image a; ch-image build -t built image 2>&1");
  const reference = `${registry.address}/a/b:1`;
  const push = ["ch-image", "--plain-http", "push", "built", reference];
  expect(await work.run(push), { code: 0 });
  expect(await work.run([...PULL, reference, "x"]), { code: 0 });
  assert.equal(await show(work, "suid"), "suid f 755 \n");
  assert.match(await work.must("cat storage/img/x/ch/environment"), /^A=b c\n[^]*^Z=1$/m);
  const layer = `${work.path}/layer.tar.gz`;
  const blobs = [...registry.blobs.values()].sort((one, other) => other.length - one.length);
  Deno.writeFileSync(layer, blobs[0]!);
  const listing = await work.must('tar -tvzf "$1"', [layer]);
  assert.match(listing, /^-rwxr-xr-x root\/root .* \.\/suid$/m);
  assert.doesNotMatch(listing, /^...[sS]|^......[sS]|^(?!.{10} root\/root ).+$/m);
});

test("44: a push of what has not changed sends nothing", async (work) => {
  await using registry = new FakeRegistry();
  await work.must("ch-image import $1 a", [work.image()]);
  const push = (tag: string) =>
    work.run(["ch-image", "--plain-http", "push", "a", `${registry.address}/a/b:${tag}`]);
  expect(await push("1"), { code: 0, stderr: /layer 1\/1: .{7}: not present, uploading/ });
  expect(await push("2"), { code: 0, stderr: /layer 1\/1: .{7}: already present\n/ });
  const [one, two] = ["1", "2"].map((tag) => registry.manifests.get(tag)!.bytes);
  assert.deepEqual(one, two);
});
