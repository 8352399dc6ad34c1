// Stories of the specification (workflows) that no document tells with all that must be observed; by their
// numbers there.

import assert from "node:assert/strict";
import { expect, test } from "../rig.ts";
import { addHostPrograms } from "./host_program.ts";

test("14: RUN uses the SSH agent, which is no reason to build anew", async (work) => {
  const image = work.image();
  await addHostPrograms(work, image, ["ssh-add"]);
  work.tree("context", {
    Dockerfile: "FROM base\nRUN echo socket: $SSH_AUTH_SOCK\nRUN ssh-add -l\n",
  });
  const result = await work.must(
    `ch-image import -q "$1" base
ssh-keygen -q -t ed25519 -N '' -C 'key of the story' -f key
eval "$(ssh-agent -s)" >/dev/null
trap 'kill $SSH_AGENT_PID' EXIT
ssh-add -q key
echo "wanted: $SSH_AUTH_SOCK"
ch-image build -t t context`,
    [image],
    // Where agents have their sockets.
    { env: { TMPDIR: "/tmp" } },
  );
  const socket = /^wanted: (\/tmp\/.*)$/m.exec(result)?.[1];
  assert(socket !== undefined && result.includes(`socket: ${socket}\n`), result);
  assert.match(result, /^256 SHA256:\S+ key of the story \(ED25519\)$/m);

  const again = await work.run(["ch-image", "build", "-t", "t", "context"]);
  expect(again, { code: 0, stdout: "", stderr: /^ {2}3\* RUN/m });
}, "ssh");

test("15: Git is configured for the image's system, not for a user", async (work) => {
  const image = work.image();
  await addHostPrograms(work, image, ["git"]);
  await work.must('touch home/.mine; ch-image import -q "$1" base', [image]);
  work.tree("context", {
    Dockerfile: "FROM base\nRUN git config --system http.sslVerify false\n" +
      'RUN git config --get http.sslVerify; echo "HOME=$HOME"; ls -A $HOME\n',
  });
  expect(await work.run(["ch-image", "build", "-t", "t", "context"]), {
    code: 0,
    stdout: "false\nHOME=/root\n",
  });
  expect(await work.run(["ch-run", "t", "--", "git", "config", "--system", "--list"]), {
    code: 0,
    stdout: "http.sslverify=false\n",
  });
});

test("25: an X11 program in a container finds the display", async (work) => {
  const image = work.image();
  await addHostPrograms(work, image, ["xdpyinfo"]);
  // The server chooses a free number and tells it when it is ready. "local" is a socket without a file, which
  // containers would see in any case.
  const script =
    `Xvfb -displayfd 3 -screen 0 640x480x8 -nolisten tcp -nolisten local 3>display >/dev/null 2>&1 &
server=$!
trap 'kill $server; wait $server || true' EXIT
tries=0
until [ -s display ] || [ $tries = 600 ]; do sleep 0.1; tries=$((tries + 1)); done
export DISPLAY=:$(cat display)
echo "$DISPLAY"
ch-run "$1" -- xdpyinfo
! ch-run --private-tmp "$1" -- xdpyinfo 2>&1`;
  const [display, ...lines] = (await work.must(script, [image])).split("\n");
  assert.match(display ?? "", /^:\d+$/);
  assert(lines.some((line) => line.trim() === `name of display:    ${display}`), lines.join("\n"));
  assert(lines.some((line) => /unable to open display/.test(line)), "a private /tmp has no socket");
}, "xvfb");

test(
  "32: an image is moved to another user of another machine",
  async (work) => {
    await work.must(
      'ch-convert -q "$1" image.sqfs; ch-convert -q "$1" again.sqfs; ch-convert -q "$1" image.tar.gz; ' +
        "cmp image.sqfs again.sqfs; mkdir other; chmod 755 image.*",
      [work.image()],
    );
    // Who that is does not matter, as long as it is nobody else's number.
    const other = "54321";
    const script = `cp image.sqfs image.tar.gz other; chown -R ${other}:${other} other; cd other
as_other() { setpriv --reuid=${other} --regid=${other} --clear-groups env USER=ch-test-other HOME=/ PATH="$PATH" "$@"; }
as_other ch-run image.sqfs -- id -u
as_other ch-convert -q image.tar.gz ./image
as_other ch-run ./image -- id -u
stat -c %u image/bin/busybox image/etc/passwd`;
    assert.equal(await work.must(script, [], { root: true }), `${other}\n`.repeat(4));
    await work.must(`rm -rf /var/tmp/ch-test-other.ch`, [], { root: true });
  },
  "root",
  "fuse",
);
