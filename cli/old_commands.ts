// Names that commands had in older Charliecloud (0.21 and before), and what does the same today (spec
// other-tools §4). Pure: words in, command lines or a ChError out.

import { mangleReference } from "../lib/reference/reference.ts";
import { ChError } from "../lib/error.ts";

/** Commands to run one after the other, each while the one before succeeds. The first word is ch-image or
 * ch-convert. */
export type Translation = readonly (readonly string[])[];

/** Throws a ChError that names the replacement, where the old command line can't be run any more. */
export type Translator = (
  words: readonly string[],
  environment: ReadonlyMap<string, string>,
) => Translation;

export const OLD_COMMANDS: Readonly<Record<string, Translator>> = {
  "ch-build": (words, environment) => {
    const { builder, rest } = takeBuilder(words, environment);
    return [["ch-image", "build", ...requireOwn(builder, "build -t NAME CONTEXT", rest)]];
  },
  "ch-build2dir": (words, environment) => {
    const { builder, rest } = takeBuilder(words, environment);
    const args = requireOwn(builder, "build -t NAME CONTEXT", rest);
    const outDir = args.at(-1), at = args.findIndex((word) => word === "-t" || word === "--tag");
    const tag = args[at + 1];
    if (at < 0 || tag === undefined || outDir === undefined || args.length < at + 4) {
      throw usage("ch-build2dir -t NAME CONTEXT OUTDIR");
    }
    return [
      ["ch-image", "build", ...args.slice(0, -1)],
      ["ch-convert", "-i", "ch-image", "-o", "dir", tag, below(outDir, mangleReference(tag))],
    ];
  },
  "ch-builder2squash": (words, environment) => {
    const { builder, rest } = takeBuilder(words, environment);
    const [image, outDir] = takeTwo(rest, "ch-builder2squash [-b BUILDER] IMAGE OUTDIR");
    return [convertFrom(builder, image, below(outDir, `${mangleReference(image)}.sqfs`))];
  },
  "ch-builder2tar": (words, environment) => {
    const { builder, rest } = takeBuilder(words, environment);
    const others = rest.filter((word) => word !== "--nocompress");
    const suffix = others.length < rest.length ? ".tar" : ".tar.gz";
    const [image, outDir] = takeTwo(
      others,
      "ch-builder2tar [-b BUILDER] [--nocompress] IMAGE OUTDIR",
    );
    return [convertFrom(builder, image, below(outDir, mangleReference(image) + suffix))];
  },
  "ch-dir2squash": (words) => {
    const [directory, outDir] = takeTwo(words, "ch-dir2squash DIR OUTDIR");
    const name = nameOf(directory);
    return [["ch-convert", "-i", "dir", directory, below(outDir, `${name}.sqfs`)]];
  },
  "ch-grow": (words) => [["ch-image", ...words]],
  "ch-mount": () => {
    throw gone("SquashFS images are run without being mounted: ch-run IMAGE.sqfs -- COMMAND");
  },
  "ch-pull2dir": (words) => {
    const [image, outDir] = takeTwo(words, "ch-pull2dir IMAGE DIR");
    const output = below(outDir, mangleReference(image));
    return [
      ["ch-image", "pull", image],
      ["ch-convert", "-i", "ch-image", "-o", "dir", image, output],
    ];
  },
  "ch-pull2tar": (words) => {
    const [image, outDir] = takeTwo(words, "ch-pull2tar IMAGE OUTDIR");
    return [
      ["ch-image", "pull", image],
      convertFrom("ch-image", image, below(outDir, `${mangleReference(image)}.tar.gz`)),
    ];
  },
  "ch-ssh": () => {
    throw gone("give ssh the whole command: ssh HOST ch-run IMAGE -- COMMAND");
  },
  "ch-tar2dir": (words) => {
    const [archive, outDir] = takeTwo(words, "ch-tar2dir ARCHIVE DIR");
    const name = nameOf(archive).replace(/\.(?:tar(?:\.[a-z0-9]+)?|t[a-z0-9]+)$/, "");
    return [["ch-convert", "-i", "tar", "-o", "dir", archive, below(outDir, name)]];
  },
  "ch-tar2sqfs": () => {
    throw gone("ch-convert ARCHIVE IMAGE.sqfs");
  },
  "ch-tug": (words) => [["ch-image", "pull", ...words]],
  "ch-umount": () => {
    throw gone(
      "nothing has to be unmounted: ch-run IMAGE.sqfs -- COMMAND cleans up by itself; " +
        "for what squashfuse has mounted: fusermount3 -u DIR",
    );
  },
};

/** `-b BUILDER`, else $CH_BUILDER, else this program's own. */
function takeBuilder(words: readonly string[], environment: ReadonlyMap<string, string>) {
  const info = words.includes("--builder-info");
  if (info) throw gone("there is one builder, ch-image; others are called by their own names");
  let builder = environment.get("CH_BUILDER") || "ch-image";
  const rest: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!;
    if (word === "-b" || word === "--builder") builder = words[++at] ?? "";
    else if (word.startsWith("--builder=")) builder = word.slice("--builder=".length);
    else rest.push(word);
  }
  return { builder: builder === "ch-grow" ? "ch-image" : builder, rest };
}

/** REST, if the builder is ours. */
function requireOwn(builder: string, task: string, rest: readonly string[]): readonly string[] {
  if (builder === "ch-image") return rest;
  throw gone(`call the builder itself: ${builder || "BUILDER"} ${task}`);
}

function convertFrom(builder: string, image: string, output: string): string[] {
  const formats = ["ch-image", "docker", "podman"];
  if (formats.includes(builder)) return ["ch-convert", "-i", builder, image, output];
  throw gone(
    `ch-convert reads images of ${
      formats.join(", ")
    }; of ${builder}, save them as an OCI archive first`,
  );
}

/** No archiver's own arguments any more. */
function takeTwo(words: readonly string[], form: string): [string, string] {
  const [first, second, ...others] = words;
  if (first === undefined || second === undefined || others.length > 0) throw usage(form);
  return [first, second];
}

function nameOf(path: string): string {
  const trimmed = path.replace(/(.)\/+$/, "$1");
  return trimmed.slice(trimmed.lastIndexOf("/") + 1);
}

/** A path that ch-convert takes for one. */
function below(directory: string, name: string): string {
  const path = `${directory.replace(/(.)\/+$/, "$1")}/${name}`;
  return /^\.{0,2}\//.test(path) ? path : `./${path}`;
}

function usage(form: string): ChError {
  return new ChError("command line not understood", { hint: `usage: ${form}` });
}

function gone(replacement: string): ChError {
  return new ChError("this command is no more", { hint: replacement });
}
