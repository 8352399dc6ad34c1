import assert from "node:assert/strict";
import { complete } from "../../../cli/completion/complete.ts";
import type { World } from "../../../cli/completion/world.ts";
import { listSpellings } from "../../../cli/options.ts";
import { RUN_COMMAND } from "../../../cli/run_table.ts";
import { SUB_COMMANDS } from "../../../cli/image/table.ts";

/** Directories end with a slash. */
const FILES = [
  ...[
    "./a.sqfs",
    "./b.tar.gz",
    "./c.tgz",
    "./d.tar",
    "./e.txt",
    "./.hidden/",
    "./dir/",
    "./dir/f.sqfs",
  ],
  ...["/home/me/", "/home/me/x.sqfs", "/home/you/", "/home/you/y/"],
  ...["/st/img/foo/", "/st/img/a%b+1/", "/st/bucache/deleted/gone+2", "/other/img/bar/"],
];

const WORLD: World = {
  environment: new Map([["CH_IMAGE_STORAGE", "/st/"], ["HOME", "/home/me"], ["USER", "me"]]),
  list(path) {
    const root = path.startsWith("/") || path.startsWith(".") ? path : `./${path}`;
    const directory = root.endsWith("/") ? root : `${root}/`;
    return FILES.filter((file) => file.startsWith(directory))
      .map((file) => file.slice(directory.length)).filter((rest) => /^[^/]+\/?$/.test(rest))
      .map((rest) => ({
        name: rest.replace("/", ""),
        kind: rest.endsWith("/") ? "directory" : "file",
      }));
  },
  kindOf(path) {
    const absolute = path.startsWith("/") ? path : `./${path.replace(/^\.\//, "")}`;
    if (FILES.includes(absolute)) return "file";
    return FILES.includes(`${absolute}/`) ? "directory" : undefined;
  },
  homeOf: (user) => user === "you" ? "/home/you" : undefined,
};

/** Candidates for the end of LINE that are no options. */
async function ask(line: string, options = false): Promise<string> {
  const words = line.split(" ");
  const found = await complete(words, words.length - 1, WORLD);
  return found.filter((each) => options || /^[^-]|=/.test(each)).join(" ");
}

const FORMATS = "dir docker docker-archive oci oci-archive podman squash tar";
const IMAGES = "a/b:1 foo";

const CASES: readonly (readonly [line: string, candidates: string])[] = [
  ["ch-convert ", `a.sqfs ${"a/b:1"} b.tar.gz c.tgz d.tar dir/ foo`],
  ["ch-convert -i ch-image ", IMAGES],
  ["ch-convert -i dir ", "dir/"],
  ["ch-convert -i squash ", "a.sqfs dir/"],
  ["ch-convert -i tar ", "b.tar.gz c.tgz d.tar dir/"],
  ["ch-convert -i podman ", ""],
  ["ch-test ", "all build clean rootemu run"],
  ["ch test all --scope ", "full quick standard"],
  ["ch-test --file=r", "--file=rootemu --file=run"],
  ["ch-test --img-dir ./d", "./dir/"],
  ["ch-convert -i ch-image -o ", FORMATS],
  ["ch-convert --in-fmt=ch-image --out-fmt ", FORMATS],
  ["ch-convert -o dir --in-fmt=d", "--in-fmt=docker --in-fmt=docker-archive"],
  ["ch-convert foo ", "dir/"],
  ["ch-convert -o docker foo ", ""],
  ["ch-convert foo x ", ""],
  ["ch-convert --owner ", "keep root"],
  ["ch-convert --tmp ", ""],
  ["ch-convert --tmp d", "dir/"],
  ["ch-convert .h", ".hidden/"],
  ["ch-convert ~/", "~/x.sqfs"],
  ["ch-convert ~you/", "~you/y/"],
  ["ch-convert ~nobody/", ""],
  ["ch-convert dir/", "dir/f.sqfs"],
  ["ch-convert -s /other ", "a.sqfs b.tar.gz bar c.tgz d.tar dir/"],
  ["ch-image b", "build build-cache"],
  ["ch-image --arch a", "amd64 arm/v5 arm/v6 arm/v7 arm64/v8"],
  ["ch-image --arch=x build -a ar", "arm/v5 arm/v6 arm/v7 arm64/v8"],
  ["ch-image --cache-large ", ""],
  ["ch-image nonsense ", ""],
  ["ch-image build -t ", ""],
  ["ch-image build ", "dir/"],
  ["ch-image build --force ", "dir/ fakeroot none seccomp"],
  ["ch-image build -f ", "a.sqfs b.tar.gz c.tgz d.tar dir/ e.txt"],
  ["ch-image delete foo ", IMAGES],
  ["ch-image list ", IMAGES],
  ["ch-image list -u ", "gone:2"],
  ["ch-image undelete ", "gone:2"],
  ["ch-image import ", "b.tar.gz c.tgz d.tar dir/"],
  ["ch-image push ", IMAGES],
  ["ch-image push --image ", "dir/"],
  ["ch-image pull ", ""],
  ["ch-image gestalt s", "storage-path"],
  ["ch-image -s /other delete ", "bar"],
  ["ch-image delete --storage=/other ", "bar"],
  ["ch-run ", "a.sqfs a/b:1 dir/ foo"],
  ["ch-run a/b:", "a/b:1"],
  ["ch-run foo ", ""],
  ["ch-run ./a.sqfs ", ""],
  ["ch-run nonsense ", "a.sqfs a/b:1 dir/ foo"],
  ["ch-run foo -- ", ""],
  ["ch-run --feature ", "extglob overlayfs seccomp squash tmpfs-xattrs"],
  ["ch-run --feature=s", "--feature=seccomp --feature=squash"],
  ["ch-run -m ", "dir/"],
  ["ch-run -b ", ""],
  ["ch-run --join-tag ", ""],
  ["ch-run --set-env ", "a.sqfs b.tar.gz c.tgz d.tar dir/ e.txt"],
  ["ch-fromhost ", "dir/"],
  ["ch-fromhost --path ", "a.sqfs b.tar.gz c.tgz d.tar dir/ e.txt"],
  ["ch-fromhost dir ", ""],
  ["ch co", "completion convert"],
  ["ch image list ", IMAGES],
  ["ch ch-run ", "a.sqfs a/b:1 dir/ foo"],
  ["other ", ""],
];

Deno.test("complete() offers what fits", async () => {
  for (const [line, candidates] of CASES) assert.equal(await ask(line), candidates, line);
});

Deno.test("complete() offers each option of the tables", async () => {
  const options = (await ask("ch-run ", true)).split(" ");
  for (const spelling of listSpellings(RUN_COMMAND)) assert(options.includes(spelling), spelling);
  for (const [name, { load }] of Object.entries(SUB_COMMANDS)) {
    const offered = (await ask(`ch-image ${name} `, true)).split(" ");
    for (const spelling of listSpellings(await load())) {
      assert(offered.includes(spelling), spelling);
    }
  }
  assert.equal(await ask("ch-image list --undelete", true), "--undeleteable");
  assert.equal(await ask("ch-run foo --join-p", true), "--join-pid");
  assert.equal(await ask("ch-convert -- -", true), "");
});

Deno.test("complete() completes where the cursor is, and looks behind it for the storage", async () => {
  const words = ["ch-image", "delete", "", "-s", "/other"];
  assert(!(await complete(words, 2, WORLD)).includes("foo"));
  assert((await complete(words, 2, WORLD)).includes("bar"));
});
