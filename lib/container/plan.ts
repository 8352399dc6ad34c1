// The plan of one ch-run: from options, image and host to the steps that c/init takes. Makes no system
// call itself and changes nothing; order of steps as in spec ch-run §3.3, §5, §8.

import type { Plan, Step } from "../../ffi/plan.ts";
import { planDevices } from "../cdi/plan_devices.ts";
import { ChError } from "../error.ts";
import { parseAssignment } from "./assignments.ts";
import { listDefaultBinds } from "./binds.ts";
import { chooseImageCommand, planCommand } from "./command_steps.ts";
import { type EnvironmentChange, IMAGE_FILE, planEnvironment } from "./environment.ts";
import { orFail } from "./failure.ts";
import type { Host } from "./host.ts";
import { planKeptOverlay } from "./kept_overlay.ts";
import { readImageEnvironment } from "./image_config.ts";
import { formatGroup, formatPasswd } from "./passwd.ts";
import type { PlanImage } from "./plan_image.ts";
import { findImageFile, hasRootHome, readImageFile } from "./planned_files.ts";
import type { RunOptions } from "./run_options.ts";
import { buildSeccompFilter } from "./seccomp.ts";
import { findVariable } from "./variables.ts";

/** Where the plan's maker reports what must be said at once. */
export interface PlanLog {
  warning(message: string): void;
  /** Warnings so far, as printed, for {@linkcode Plan.warnings}. */
  readonly warnings: string;
}

export const STATUS_FAIL = 31;
export const STATUS_EXEC = 49;

/** The steps that make the container and execute the command in it. Throws a ChError for what will not
 * work, as far as it can be told without trying. With `--join-pid`, IMAGE is the root directory that
 * the process sees. */
export function planRun(options: RunOptions, image: PlanImage, host: Host, log: PlanLog): Plan {
  const steps = planJoin(options, image, host, log);
  const note = noteIn(steps, options);

  const find = (path: string) => findImageFile(path, steps, image, host);
  const environment = planEnvironment({
    base: host.environment,
    home: findHome(options, steps, image, host),
    keepTmpdir: false,
    changes: [...planDeviceVariables(options), ...options.environment],
    expand: options.expand,
    readImageFile: () => readImageFile(IMAGE_FILE, find),
    readImageDefaults: () => readImageEnvironment(find),
  });
  environment.warnings.forEach((text) => log.warning(text));
  environment.notes.forEach((text) => note(1, text));
  if (options.seccomp) {
    const filter = buildSeccompFilter();
    filter.notes.forEach((text) => note(2, text));
    steps.push({ op: "seccomp", program: filter.program });
  }
  const command = options.imageCommand ? chooseImageCommand(options, find) : options;
  steps.push(...planCommand(command, options.verbosity, environment.entries));

  return {
    program: options.program,
    image: nameRoot(image),
    verbosity: options.verbosity,
    warnings: log.warnings,
    statusFail: STATUS_FAIL,
    statusExec: STATUS_EXEC,
    steps,
  };
}

type Note = (level: number, text: string) => void;

/** Messages as steps, so that they come in their time. */
function noteIn(steps: Step[], { verbosity }: RunOptions): Note {
  return (level, text) => {
    if (verbosity >= level) steps.push({ op: "log", text });
  };
}

/** The way into the container, be it ours or another's. */
function planJoin(options: RunOptions, image: PlanImage, host: Host, log: PlanLog): Step[] {
  const { join } = options;
  if (join === undefined) return planContainer(options, image, host, log);
  switch (join.kind) {
    case "process":
      return [{ op: "join_pid", pid: join.pid }];
    case "group":
      return [
        { op: "join_begin", tag: join.tag, count: join.count },
        ...planContainer(options, image, host, log),
        { op: "join_finish" },
      ];
    default:
      return join satisfies never;
  }
}

function planContainer(options: RunOptions, image: PlanImage, host: Host, log: PlanLog): Step[] {
  const root = nameRoot(image);
  const steps: Step[] = [];
  const note = noteIn(steps, options);

  const missing = image.type === "squash" ? image.missing : [];
  steps.push(...missing.map((path) => ({ op: "directory", path, mode: 0o755 } as const)));
  const kept = options.overlayDir === undefined
    ? undefined
    : planKeptOverlay(options.overlayDir, image, host);
  if (kept !== undefined) {
    if (kept.warning !== "") log.warning(kept.warning);
    steps.push(...kept.first);
  }
  steps.push(...planNamespaces(options, image, host));
  const scratch = findScratch(host);
  steps.push({ op: "scratch", on: scratch });
  steps.push({ op: "root", image: root, readOnly: !options.write });
  const overlay = options.overlaySize === undefined
    ? kept?.overlay
    : { op: "overlay", size: options.overlaySize } as const;
  if (overlay !== undefined) {
    steps.push(overlay);
    note(1, `newroot updated: ${scratch}/root`);
  }
  note(2, "starting bind-mounts");
  for (const bind of listDefaultBinds()) steps.push({ op: "bind", ...bind, ranch: false });
  if (options.passwd) steps.push(...planPasswd(options, host, note));
  steps.push(planTmp(options, host));
  steps.push(...planUserBinds(options));
  const devices = planDevices(options.devices ?? [], (path) => host.stat(path));
  for (const words of devices.ignored) log.warning(`--device: hook not run: ${words}`);
  steps.push(...devices.binds, { op: "pivot" }, ...devices.programs);
  return steps;
}

/** How messages name the new root. */
function nameRoot(image: PlanImage): string {
  return image.type === "squash" ? image.mountPoint : image.root;
}

/** Outer pair: root of a namespace of its own, so that FUSE can be mounted. Inner: the IDs wanted. */
export function planNamespaces(
  ids: { readonly uid: number; readonly gid: number; readonly noNetwork?: boolean },
  image: PlanImage,
  host: Host,
): Step[] {
  const outer: Step = {
    op: "user_namespace",
    insideUid: 0,
    outsideUid: host.identity.euid,
    insideGid: 0,
    outsideGid: host.identity.egid,
    mounts: false,
  };
  const inner: Step = {
    op: "user_namespace",
    insideUid: ids.uid,
    outsideUid: 0,
    insideGid: ids.gid,
    outsideGid: 0,
    mounts: true,
    ...ids.noNetwork === true ? { noNetwork: true } : {},
  };
  return image.type === "squash"
    ? [outer, { op: "squashfs", image: image.file, mountPoint: image.mountPoint }, inner]
    : [outer, inner];
}

/** A host directory that can be covered, as nothing under it is needed once sources are opened. */
export function findScratch(host: Host): string {
  const found = SCRATCH.find((path) => {
    try {
      return host.stat(path) === "directory";
    } catch {
      return false; // whatever the reason, the next one may do
    }
  });
  if (found === undefined) {
    throw new ChError(`no directory to assemble the container in, tried: ${SCRATCH.join(" ")}`);
  }
  return found;
}

const SCRATCH = ["/sys", "/srv", "/mnt", "/media", "/opt", "/tmp"];

/** What the user sets comes later, and so counts. */
function planDeviceVariables({ devices = [] }: RunOptions): EnvironmentChange[] {
  const variables = devices.flatMap((edits) => edits.variables);
  if (variables.length === 0) return [];
  return [{ op: "set-plain", assignments: variables.map((text) => parseAssignment(text, text)) }];
}

function planPasswd(options: RunOptions, host: Host, note: Note): Step[] {
  const { uid, gid } = options;
  const user = orFail("getpwuid(3) failed", () => host.findUser(uid));
  const group = orFail("getgrgid(3) failed", () => host.findGroup(gid));
  if (user === undefined) note(1, `UID ${uid} not found; using dummy info`);
  if (group === undefined) note(1, `GID ${gid} not found; using dummy info`);
  const mode = 0o600;
  return [
    {
      op: "file",
      name: "ch-run_passwd",
      target: "/etc/passwd",
      content: formatPasswd(uid, gid, user),
      mode,
    },
    {
      op: "file",
      name: "ch-run_group",
      target: "/etc/group",
      content: formatGroup(gid, group),
      mode,
    },
  ];
}

function planTmp(options: RunOptions, host: Host): Step {
  if (options.privateTmp) return { op: "tmpfs", target: "/tmp", options: "" };
  const source = findVariable(host.environment, "TMPDIR") ?? "/tmp";
  return { op: "bind", source: requirePath(source), target: "/tmp", missing: "fail", ranch: false };
}

function planUserBinds(options: RunOptions): Step[] {
  const binds = [...options.binds];
  if (options.home !== undefined) {
    binds.unshift({ source: requirePath(options.home), target: `/home/${options.user}` });
  }
  const ranch = options.overlaySize !== undefined || options.overlayDir !== undefined;
  return binds.map((bind) => ({ op: "bind", ...bind, missing: "make", ranch }));
}

function requirePath(path: string): string {
  if (path === "") {
    throw new ChError("empty string", { hint: "TMPDIR, or HOME for --home, is set to nothing" });
  }
  return path;
}

function findHome(
  options: RunOptions,
  steps: readonly Step[],
  image: PlanImage,
  host: Host,
): string {
  if (options.home !== undefined) return `/home/${options.user}`;
  return hasRootHome(steps, image, host) ? "/root" : "/";
}
