// Layers with whiteouts, types and conflicts that are not what they should be (spec ch-image §11.3).

import { makeTar, tarMember } from "../../tree_fixture.ts";
import { KEPT, kept } from "./hostile_place.ts";
import { archive, directory, file, type HostileCase } from "./hostile_place.ts";
import { symlink, testHostileLayers } from "./hostile_place.ts";

const WHITEOUTS: readonly HostileCase[] = [
  {
    what: "a whiteout of ..",
    layers: () => [archive(kept), archive(directory("d/"), file("d/.wh...", ""))],
    then: KEPT,
  },
  {
    what: "a whiteout of .",
    layers: () => [archive(kept), archive(file(".wh..", ""))],
    then: KEPT,
  },
  {
    what: "a whiteout of nothing",
    layers: () => [archive(kept), archive(file(".wh.", ""))],
    then: KEPT,
  },
  {
    what: "a whiteout above the root",
    layers: () => [archive(kept), archive(file("../outside/.wh.file", ""))],
    then: /^rejecting up-level member: .*\.tar\.gz: \.\.\/outside/,
  },
  {
    what: "an absolute whiteout",
    layers: (outside) => [archive(kept), archive(file(`${outside}/.wh.file`, ""))],
    then: KEPT,
  },
  {
    what: "a whiteout that is a directory with files in it",
    layers: () => [
      archive(kept),
      archive(directory(".wh.kept/"), file(".wh.kept/evil"), file("a")),
    ],
    then: ['!f 0644 kept "text"', 'f 0644 a "evil"'],
  },
  {
    what: "a whiteout that is a symlink",
    layers: (outside) => [archive(kept), archive(symlink(".wh.kept", outside))],
    then: ['!f 0644 kept "text"'],
  },
  {
    what: "a whiteout of a whiteout",
    layers: () => [archive(kept), archive(file(".wh..wh.kept", ""))],
    then: KEPT,
  },
  {
    what: "a whiteout of what the same layer brings",
    layers: () => [archive(file(".wh.kept", ""), kept, file("b"), file(".wh.b", ""))],
    then: [...KEPT, 'f 0644 b "evil"'],
  },
  {
    what: "an opaque root",
    layers: () => [archive(file("old")), archive(file(".wh..wh..opq", ""), kept)],
    then: [...KEPT, '!f 0644 old "evil"'],
  },
  {
    what: "opaque where there is a file",
    layers: () => [archive(kept), archive(file("kept/.wh..wh..opq", ""))],
    then: KEPT,
  },
  {
    what: "a whiteout of the directory that is being filled",
    layers: () => [
      archive(directory("d/"), file("d/old")),
      archive(file("d/a", "1"), file(".wh.d", ""), file("d/b", "2"), file("d/.wh..wh..opq", "")),
    ],
    then: ['f 0644 d/a "1"', 'f 0644 d/b "2"', '!f 0644 d/old "evil"'],
  },
];

const KINDS: readonly HostileCase[] = [
  {
    what: "device nodes and FIFOs",
    layers: () => [
      makeTar("c 0666 null 1,3\nb 0660 disk 8,0\np 0600 fifo\nc 0666 dev/kmem 1,2\nf 0644 f"),
    ],
    then: ["!c 0666 null 1,3", "!b 0660 disk 8,0", "!p 0600 fifo", 'f 0644 f ""'],
    log: /^warning: layer 1\/1: .{7}: ignored 3 devices and\/or FIFOs$/,
  },
  {
    what: "a hard link to a device node",
    layers: () => [makeTar("c 0666 null 1,3\nh again = null\nf 0644 f")],
    then: ['f 0644 f ""'],
    log: /ignored 2 devices/,
  },
  {
    what: "set-user-ID and set-group-ID bits",
    layers: () => [archive(file("su", "x", 0o6755), directory("d/", 0o7777))],
    then: ['f 0755 su "x"', "d 1777 d"],
  },
  {
    what: "modes without any right",
    layers: () => [archive(directory("d/", 0), file("d/f", "x", 0), file("g", "y", 0))],
    then: ["d 0700 d", 'f 0600 d/f "x"', 'f 0600 g "y"'],
  },
  {
    what: "an unknown type",
    layers: () => [archive(kept, tarMember("what", "Z"))],
    then: /^unknown member type: what$/,
  },
  {
    what: "an unknown type with escapes in its name",
    layers: () => [archive(tarMember("wh\u001b]0;at", "Z"))],
    then: /^unknown member type: wh/,
  },
  {
    what: "a file, then a directory, then a symlink, then a file of one name",
    layers: (outside) => [
      archive(
        file("a", "1"),
        directory("a/"),
        file("a/b"),
        symlink("a", outside),
        file("a", "last"),
      ),
    ],
    then: ['f 0644 a "last"'],
  },
  {
    what: "a file in a file",
    layers: () => [archive(file("a"), file("a/b"))],
    then: /can’t write: a\/b/,
  },
  {
    what: "a directory over the file of a lower layer, and a file over its directory",
    layers: () => [
      archive(file("a"), directory("b/"), file("b/c")),
      archive(directory("a/"), file("a/x", "1"), file("b", "2")),
    ],
    then: ['f 0644 a/x "1"', 'f 0644 b "2"'],
  },
  {
    what: "a file a hundred times",
    layers: () => [archive(...Array.from({ length: 100 }, (_, i) => file("a", String(i))))],
    then: ['f 0644 a "99"'],
  },
  {
    what: "the image's own directory as a file",
    layers: () => [archive(file("ch"))],
    then: /^can’t write metadata of image: ch: not a directory$/,
  },
  {
    what: "the image's own directory as a symlink outside",
    layers: (outside) => [archive(symlink("ch", outside))],
    then: /^can’t write metadata of image: ch: not a directory$/,
  },
  {
    what: "mount points in a file",
    layers: () => [archive(file("mnt"), kept)],
    then: KEPT,
  },
  {
    what: "the image's metadata as a symlink outside",
    layers: (outside) => [
      archive(
        directory("ch/"),
        symlink("ch/metadata.json", `${outside}/file`),
        symlink("ch/environment", `${outside}/file`),
        symlink("ch/config.pulled.json", `${outside}/file`),
        symlink("ch/manifest.pulled.json", `${outside}/file`),
      ),
    ],
    then: ["d 0755 ch"],
  },
  {
    what: "mount points as symlinks outside",
    layers: (outside) => [
      archive(...["dev", "etc", "mnt", "proc", "sys", "tmp"].map((name) => symlink(name, outside))),
    ],
    then: [],
  },
  {
    what: "mount points as files",
    layers: () => [archive(file("proc"), file("sys"), kept)],
    then: [...KEPT, 'f 0644 proc "evil"'],
  },
];

testHostileLayers([...WHITEOUTS, ...KINDS]);
