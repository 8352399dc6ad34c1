// What the mounts of a RUN are in its container: steps of its plan and variables, and the directories and
// files that they are mounted on. Those are made in the image for the time of the command, unless they
// are there; who wants them for good says so with another instruction.

import type { Step } from "../../ffi/plan.ts";
import { displayOsString } from "../../ffi/os_string.ts";
import { SystemError } from "../../ffi/system_error.ts";
import {
  findEntry,
  listDirectory,
  openDirectory,
  openRoot,
  resolveInRoot,
} from "../../ffi/tree.ts";
import * as change from "../../ffi/tree_change.ts";
import { copyTree } from "../../ffi/tree_whole.ts";
import { ChError } from "../error.ts";
import type { CacheMounts } from "./cache_mounts.ts";
import type { FoundMount, Mount } from "./mount.ts";
import type { Secrets } from "./secrets.ts";

/** For the time of one command; dispose takes back what was made. */
export interface Mounted extends Disposable {
  readonly steps: readonly Step[];
  /** "NAME=VALUE" */
  readonly variables: readonly string[];
}

export interface MountTools {
  readonly rootFd: number;
  newDirectory(name: string): string;
  readonly secrets: Secrets;
  readonly caches: CacheMounts;
}

/** Throws a ChError for what is missing, and for a target that cannot be. */
export async function makeMounts(
  mounts: readonly FoundMount[],
  script: { readonly path: string; readonly content: string } | undefined,
  tools: MountTools,
): Promise<Mounted> {
  const stack = new DisposableStack();
  const steps: Step[] = [];
  const variables: string[] = [];
  try {
    for (const [index, found] of mounts.entries()) {
      const made = await makeMount(found, index, tools, stack);
      steps.push(...made.steps);
      variables.push(...made.variables ?? []);
    }
    if (script !== undefined) {
      const target = makeTarget(script.path, "file", tools, stack);
      steps.push(fileStep(target, new TextEncoder().encode(script.content), 0o755));
    }
  } catch (error) {
    stack.dispose();
    throw error;
  }
  return { steps, variables, [Symbol.dispose]: () => stack.dispose() };
}

interface Made {
  readonly steps: readonly Step[];
  readonly variables?: readonly string[];
}

async function makeMount(
  { mount, path }: FoundMount,
  index: number,
  tools: MountTools,
  stack: DisposableStack,
): Promise<Made> {
  switch (mount.type) {
    case "bind":
      return await makeBind(mount, path!, index, tools, stack);
    case "cache": {
      const target = makeTarget(mount.target, "directory", tools, stack);
      const cache = await tools.caches.open(mount, path);
      stack.use(cache);
      return { steps: [bindStep(cache.path, target, mount.isReadOnly)] };
    }
    case "tmpfs": {
      const target = makeTarget(mount.target, "directory", tools, stack);
      const size = mount.size === undefined ? "" : `,size=${mount.size}`;
      return { steps: [{ op: "tmpfs", target, options: `mode=1777${size}` }] };
    }
    case "secret":
      return makeSecret(mount, tools, stack);
    case "ssh":
      return makeAgent(mount, index, tools, stack);
    default:
      return mount satisfies never;
  }
}

async function makeBind(
  mount: Extract<Mount, { type: "bind" }>,
  path: string,
  index: number,
  tools: MountTools,
  stack: DisposableStack,
): Promise<Made> {
  const isDirectory = Deno.statSync(path).isDirectory;
  const target = makeTarget(mount.target, isDirectory ? "directory" : "file", tools, stack);
  if (!mount.isWritable) return { steps: [bindStep(path, target, true)] };
  const copy = tools.newDirectory(`mount.${index}`);
  stack.defer(() => Deno.removeSync(copy, { recursive: true }));
  if (!isDirectory) {
    Deno.copyFileSync(path, `${copy}/file`);
    return { steps: [bindStep(`${copy}/file`, target, false)] };
  }
  using from = openRoot(path);
  using to = openRoot(copy);
  await copyTree(from.fd, to.fd, { xattrs: true, skip: ["devices", "sockets"] });
  return { steps: [bindStep(copy, target, false)] };
}

function makeSecret(
  { id, target, variable, isRequired, mode }: Extract<Mount, { type: "secret" }>,
  tools: MountTools,
  stack: DisposableStack,
): Made {
  const content = tools.secrets.findSecret(id);
  if (content === undefined) {
    if (!isRequired) return { steps: [] };
    throw new ChError(`RUN: secret is missing: ${id}`, {
      hint: `give it with --secret id=${id},src=FILE or --secret id=${id},env=VARIABLE`,
    });
  }
  const variables = variable === undefined
    ? []
    : [`${variable}=${new TextDecoder().decode(content)}`];
  if (target === undefined) return { steps: [], variables };
  const path = makeTarget(target, "file", tools, stack);
  return { steps: [fileStep(path, content, mode)], variables };
}

function makeAgent(
  { id, target, isRequired }: Extract<Mount, { type: "ssh" }>,
  index: number,
  tools: MountTools,
  stack: DisposableStack,
): Made {
  const socket = tools.secrets.findAgent(id);
  if (socket === undefined) {
    if (!isRequired) return { steps: [] };
    throw new ChError(`RUN: SSH agent is missing: ${id}`, {
      hint: id === "default"
        ? "start ssh-agent, and give --ssh default"
        : `give --ssh ${id}=SOCKET`,
    });
  }
  const path = makeTarget(target ?? `/run/buildkit/ssh_agent.${index}`, "file", tools, stack);
  return { steps: [bindStep(socket, path, false)], variables: [`SSH_AUTH_SOCK=${path}`] };
}

function bindStep(source: string, target: string, readOnly: boolean): Step {
  return { op: "bind", source, target, missing: "fail", ranch: false, readOnly };
}

function fileStep(target: string, content: Uint8Array, mode: number): Step {
  return { op: "file", name: target, target, content, mode };
}

/** Something to mount on; returns its path without links. What is made is taken back when empty. */
function makeTarget(
  target: string,
  type: "directory" | "file",
  { rootFd }: MountTools,
  stack: DisposableStack,
): string {
  try {
    const found = resolveInRoot(rootFd, target, { missing: "allow" });
    if (found.isThere) return checkTarget(found.path, type, rootFd);
    const missing = listMissing(found.path, found.present);
    for (const path of missing) {
      const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
      const before = findEntry(rootFd, parent)!;
      const isFile = path === found.path && type === "file";
      if (isFile) change.createFile(rootFd, path, 0o644)[Symbol.dispose]();
      else change.makeDirectory(rootFd, path, 0o755);
      const made = findEntry(rootFd, parent)!;
      stack.defer(() => takeBack(path, isFile, { path: parent, before, made }, rootFd));
    }
    return `/${found.path}`;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    throw new ChError(`can’t make mount point: ${displayOsString(target)}`, { cause: error });
  }
}

function checkTarget(path: string, type: "directory" | "file", rootFd: number): string {
  const isDirectory = findEntry(rootFd, path)?.type === "directory";
  if (path === "" || isDirectory !== (type === "directory")) {
    throw new ChError(`mount point is no ${type}: /${displayOsString(path)}`);
  }
  return `/${path}`;
}

/** Paths from the first that is missing to PATH; PRESENT is the part that is there. */
function listMissing(path: string, present: string): string[] {
  const paths: string[] = [];
  for (let end = present.length; end < path.length;) {
    const next = path.indexOf("/", end + 1);
    end = next < 0 ? path.length : next;
    paths.push(path.slice(0, end));
  }
  return paths;
}

/** A directory that something was made in. */
interface Parent {
  readonly path: string;
  /** Its time before that, and after. */
  readonly before: change.FileTime;
  readonly made: change.FileTime;
}

/** The command may have removed it, or may have put something there: then it is the image's. */
function takeBack(path: string, isFile: boolean, parent: Parent, rootFd: number): void {
  const entry = findEntry(rootFd, path);
  const now = findEntry(rootFd, parent.path);
  if (isFile) {
    if (entry?.type !== "file" || entry.size > 0) return;
    change.removeFile(rootFd, path);
  } else {
    if (entry?.type !== "directory" || !isEmpty(rootFd, path)) return;
    change.removeEmptyDirectory(rootFd, path);
  }
  if (now === undefined) return;
  // A time that the command gave it is the image's, too.
  const isOurs = now.mtime === parent.made.mtime && now.mtimeNsec === parent.made.mtimeNsec;
  change.setTime(rootFd, parent.path, isOurs ? parent.before : now);
}

function isEmpty(rootFd: number, path: string): boolean {
  using directory = openDirectory(rootFd, path);
  return listDirectory(directory.fd).length === 0;
}
