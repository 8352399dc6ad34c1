// ch-run --write-fake and --home: what is written vanishes, and where the home directory appears.

import { rig } from "../rig.ts";
import { testRuns } from "./run_cases.ts";

testRuns("ch-run --write-fake", [
  {
    name: "/ is writable and changes vanish",
    args: ["-W", "{D}", "--", "sh", "-c", "echo x > /x && rm /etc/hosts.old /mnt/none; cat /x"],
    expected: { code: 0, stdout: "x\n" },
    after: "test ! -e image/x",
  },
  {
    name: "a file of the image can be changed and removed",
    image: { "data": "image\n" },
    args: ["-W", "{D}", "--", "sh", "-c", "echo changed > /data; cat /data; rm /data; ls /data"],
    expected: { code: 1, stdout: "changed\n", stderr: /No such file/ },
    after: 'test "$(cat image/data)" = image',
  },
  {
    name: "with -w the image is unchanged",
    args: ["-w", "-W", "{D}", "--", "touch", "/x"],
    expected: { code: 0 },
    after: "test ! -e image/x",
  },
  {
    name: "/ is an overlay",
    args: ["-W", "{D}", "--", "sh", "-c", "stat -f -c %T /; id -u"],
    expected: { code: 0, stdout: /^(overlay\S*|UNKNOWN|0x794c7630)\n\d+\n$/i },
  },
  {
    name: "4m are 4 MiB",
    args: ["-W4m", "{D}", "--", "dd", "if=/dev/zero", "of=/big", "bs=1048576", "count=10"],
    expected: { code: 1, stderr: /No space left on device/ },
  },
  {
    name: "df shows the size",
    args: ["--write-fake=4m", "{D}", "--", "df", "-m", "/"],
    expected: { code: 0, stdout: / 4 .*\/$/m },
  },
  {
    name: "a nonsense size",
    args: ["--write-fake=foo", "{D}", "--", "true"],
    expected: { code: 31, stderr: /error: cannot mount tmpfs for overlay: Invalid argument/ },
  },
  {
    name: "an empty size",
    args: ["--write-fake=", "{D}", "--", "true"],
    expected: { code: 31, stderr: /cannot mount tmpfs for overlay: Invalid argument/ },
  },
  {
    name: "a directory can be removed and made again",
    args: [
      "-W",
      "{D}",
      "--",
      "sh",
      "-c",
      "rmdir /mnt/0 && mkdir /mnt/0 && touch /mnt/0/x && ls /mnt/0",
    ],
    expected: { code: 0, stdout: "x\n" },
  },
  {
    name: "permissions are the image's",
    image: { "closed/": "" },
    before: "chmod 555 {D}/closed",
    args: ["-W", "{D}", "--", "touch", "/closed/x"],
    expected: { code: 1, stderr: /Permission denied/ },
  },
  {
    name: "an image below /srv, /mnt or wherever the overlay is put together",
    files: { "with:colon,comma/x": "" },
    before: "cp -R {D} {W}/with:colon,comma/image",
    args: ["-W", "{W}/with:colon,comma/image", "--", "sh", "-c", "touch /x && echo ok"],
    expected: { code: 0, stdout: "ok\n" },
  },
  {
    name: "the note at -v",
    args: ["-v", "-W", "{D}", "--", "true"],
    expected: { code: 0, stderr: /overlaying tmpfs for --write-fake \(12%\)/ },
  },
]);

const HOME = { "home/mine": "mine\n" };

testRuns("ch-run --home", [
  {
    name: "$HOME is at /home/$USER",
    files: HOME,
    args: ["--home", "{D}", "--", "sh", "-c", "echo $HOME; cat ~/mine; touch ~/new"],
    expected: { code: 0, stdout: `/home/${rig.user}\nmine\n` },
    after: "test -e home/new -a ! -e image/home",
  },
  {
    name: "other homes of the image stay",
    files: HOME,
    image: { "home/other/x": "x" },
    args: ["--home", "{D}", "--", "ls", "/home"],
    expected: { code: 0, stdout: `${rig.user}\nother\n` },
    after: "test ! -e image/home/${USER}",
  },
  {
    name: "-W20% before it counts",
    files: HOME,
    args: ["-v", "-W20%", "--home", "{D}", "--", "true"],
    expected: { code: 0, stderr: /overlaying tmpfs for --write-fake \(20%\)/ },
  },
  {
    name: "-W20% after it counts",
    files: HOME,
    args: ["-v", "--home", "-W20%", "{D}", "--", "true"],
    expected: { code: 0, stderr: /--home specified; also setting --write-fake[^]*\(20%\)/ },
  },
  {
    name: "the note is not shown before -v is read",
    files: HOME,
    args: ["--home", "-v", "{D}", "--", "true"],
    expected: { code: 0, stderr: /^(?![^]*also setting)/ },
  },
  {
    name: "a missing home",
    env: { HOME: "{W}/nosuch" },
    args: ["--home", "{D}", "--", "true"],
    expected: { code: 31, stderr: /can't bind: source not found: .*\/nosuch/ },
  },
]);
