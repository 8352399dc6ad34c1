// Edits of devices as steps of a container's plan. Libraries and tools are bound into an overlay of the image, which
// has to be there; the image stays as it is. Hooks are the host's programs that change a container's files from
// outside; those that NVIDIA's tool writes are recognized by their words, and done by the image's own programs.

import type { Step } from "../../ffi/plan.ts";
import { ChError } from "../error.ts";
import type { FileKind } from "../container/host.ts";
import type { DeviceMount, DeviceNode, Edits } from "./spec.ts";

export interface PlannedDevices {
  /** For before the root is entered. */
  readonly binds: readonly Step[];
  /** For after it. */
  readonly programs: readonly Step[];
  /** "NAME=VALUE" */
  readonly variables: readonly string[];
  /** Hooks that are not run, by their words. */
  readonly ignored: readonly string[];
}

/** STAT as that of Host. Throws a ChError if something is not on this host. */
export function planDevices(
  edits: readonly Edits[],
  stat: (path: string) => FileKind | undefined,
): PlannedDevices {
  const hooks = edits.flatMap((each) => each.hooks).map((args) => planHook(args));
  return {
    binds: [
      ...edits.flatMap((each) => each.nodes).flatMap((node) => planNode(node, stat)),
      ...edits.flatMap((each) => each.mounts).map((mount) => planMount(mount, stat)),
    ],
    programs: hooks.flatMap(({ steps }) => steps),
    variables: edits.flatMap((each) => each.variables),
    ignored: hooks.flatMap(({ ignored }) => ignored ?? []),
  };
}

/** The host's /dev is the container's, so that most devices are there already. */
function planNode(
  { path, hostPath }: DeviceNode,
  stat: (path: string) => FileKind | undefined,
): Step[] {
  if (stat(hostPath) === undefined) {
    throw new ChError(`--device: not on this host: ${hostPath}`, {
      hint: "the specification is older than the driver: make it anew",
    });
  }
  if (path === hostPath && path.startsWith("/dev/")) return [];
  return [bind(hostPath, path, "make-file", false)];
}

function planMount(
  { hostPath, containerPath, isReadOnly }: DeviceMount,
  stat: (path: string) => FileKind | undefined,
): Step {
  const missing = stat(hostPath) === "directory" ? "make" : "make-file";
  return bind(hostPath, containerPath, missing, isReadOnly);
}

function bind(
  source: string,
  target: string,
  missing: "make" | "make-file",
  readOnly: boolean,
): Step {
  return { op: "bind", source, target, missing, ranch: true, readOnly };
}

interface PlannedHook {
  readonly steps: readonly Step[];
  readonly ignored?: string;
}

function planHook(args: readonly string[]): PlannedHook {
  if (args.includes("update-ldcache")) {
    return { steps: [run(["/sbin/ldconfig", ...valuesOf(args, "folder")])] };
  }
  if (args.includes("create-symlinks")) {
    const steps = valuesOf(args, "link").flatMap((link) => {
      const [target, path] = link.split("::");
      return target && path ? [run(["/bin/sh", "-c", LINK, "sh", target, path])] : [];
    });
    return { steps };
  }
  return { steps: [], ignored: args.join(" ") };
}

const LINK = 'mkdir -p "$(dirname "$2")" && ln -sfn "$1" "$2"';

function run(argv: readonly string[]): Step {
  return { op: "run", argv, env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] };
}

/** Values of `--NAME V`, `--NAME=V` and `--NAME V,W`. */
function valuesOf(args: readonly string[], name: string): string[] {
  return args.flatMap((word, index) => {
    const value = word === `--${name}`
      ? args[index + 1] ?? ""
      : word.startsWith(`--${name}=`)
      ? word.slice(name.length + 3)
      : "";
    return value.split(",").filter((each) => each !== "");
  });
}
