// `RUN --mount=…` and `--network=…`: parsing. What they mean in a container is mounts.ts's business.

import type { InstructionOption } from "../dockerfile/instruction.ts";
import { ChError } from "../error.ts";

export type Network = "host" | "none";

/** How parallel users of a cache mount get along. */
export type Sharing = "shared" | "private" | "locked";

/** As written, variables replaced. */
export type Mount =
  | {
    readonly type: "bind";
    readonly target: string;
    /** Stage, image; undefined: the context. */
    readonly from: string | undefined;
    /** In its tree. */
    readonly source: string;
    /** What is written is lost afterwards. */
    readonly isWritable: boolean;
  }
  | {
    readonly type: "cache";
    readonly target: string;
    readonly id: string;
    readonly sharing: Sharing;
    readonly isReadOnly: boolean;
    /** What the cache begins with. */
    readonly from: string | undefined;
    readonly source: string;
    readonly mode: number;
  }
  | { readonly type: "tmpfs"; readonly target: string; readonly size: string | undefined }
  | {
    readonly type: "secret";
    readonly id: string;
    /** Undefined: in a variable only. */
    readonly target: string | undefined;
    readonly variable: string | undefined;
    readonly isRequired: boolean;
    readonly mode: number;
  }
  | {
    readonly type: "ssh";
    readonly id: string;
    readonly target: string | undefined;
    readonly isRequired: boolean;
  };

/** A mount whose tree on the host has been found; undefined for those that need none. */
export interface FoundMount {
  readonly mount: Mount;
  /** Absolute path on the host, without links. */
  readonly path: string | undefined;
}

/** The mounts among OPTIONS, in order; CWD is where relative targets begin. Throws a ChError. */
export function parseMounts(
  options: readonly InstructionOption[],
  cwd: string,
  substitute: (text: string) => string,
): Mount[] {
  return options.filter(({ name }) => name === "mount")
    .map(({ value }) => parseMount(substitute(value), cwd));
}

export function parseNetwork(options: readonly InstructionOption[]): Network {
  const value = options.findLast(({ name }) => name === "network")?.value;
  switch (value) {
    case undefined:
    case "default":
    case "host":
      return "host";
    case "none":
      return "none";
    default:
      throw new ChError(`RUN: --network: not default, host or none: ${value}`);
  }
}

/** A container of an ordinary user has no privilege to lift or to grant. */
export function checkSecurity(options: readonly InstructionOption[]): void {
  const value = options.findLast(({ name }) => name === "security")?.value;
  if (value === undefined || value === "sandbox") return;
  if (value !== "insecure") throw new ChError(`RUN: --security: not sandbox or insecure: ${value}`);
  throw new ChError("RUN: --security=insecure needs privilege, and ch-image has none", {
    hint: "leave it out: most commands that ask for it run with root emulation, see --force",
  });
}

class Fields {
  readonly #values: ReadonlyMap<string, string>;

  constructor(readonly text: string) {
    const pairs = text.split(",").filter((part) => part !== "").map((part): [string, string] => {
      const equals = part.indexOf("=");
      return equals < 0
        ? [part.toLowerCase(), "true"]
        : [part.slice(0, equals).toLowerCase(), part.slice(equals + 1)];
    });
    this.#values = new Map(pairs);
  }

  /** The value of the first of NAMES that is there. */
  find(...names: string[]): string | undefined {
    return names.map((name) => this.#values.get(name)).find((value) => value !== undefined);
  }

  is(...names: string[]): boolean {
    const value = this.find(...names);
    if (value === undefined || value === "false" || value === "0") return false;
    if (value === "true" || value === "1") return true;
    return this.fail(`not true or false: ${value}`);
  }

  readMode(fallback: number): number {
    const text = this.find("mode");
    if (text === undefined) return fallback;
    return /^0?[0-7]{1,4}$/.test(text) ? parseInt(text, 8) : this.fail(`not a mode: ${text}`);
  }

  checkNames(known: readonly string[]): void {
    const unknown = [...this.#values.keys()].find((name) => !known.includes(name));
    if (unknown !== undefined) this.fail(`unknown: ${unknown}`);
  }

  fail(reason: string): never {
    throw new ChError(`RUN: --mount=${this.text}: ${reason}`);
  }
}

const TARGET = ["target", "dst", "destination"];
const SOURCE = ["source", "src"];
const READ_ONLY = ["readonly", "ro"];
const WRITABLE = ["readwrite", "rw"];
/** Of whom a mounted thing is: there is one user only. */
const OWNER = ["uid", "gid"];

function parseMount(text: string, cwd: string): Mount {
  const fields = new Fields(text);
  const type = fields.find("type") ?? "bind";
  switch (type) {
    case "bind":
      fields.checkNames(["type", "from", ...TARGET, ...SOURCE, ...READ_ONLY, ...WRITABLE]);
      return {
        type,
        target: readTarget(fields, cwd),
        from: fields.find("from"),
        source: fields.find(...SOURCE) ?? "/",
        isWritable: fields.is(...WRITABLE),
      };
    case "cache":
      return parseCache(fields, cwd);
    case "tmpfs":
      fields.checkNames(["type", "size", ...TARGET]);
      return { type, target: readTarget(fields, cwd), size: readSize(fields) };
    case "secret":
      return parseSecret(fields, cwd);
    case "ssh": {
      fields.checkNames(["type", "id", "required", "mode", ...TARGET, ...OWNER]);
      const target = fields.find(...TARGET);
      return {
        type,
        id: fields.find("id") ?? "default",
        target: target === undefined ? undefined : absolute(target, cwd),
        isRequired: fields.is("required"),
      };
    }
    default:
      return fields.fail(`unknown type: ${type}`);
  }
}

function parseCache(fields: Fields, cwd: string): Mount {
  const known = ["type", "id", "sharing", "from", "mode", ...TARGET, ...SOURCE, ...READ_ONLY];
  fields.checkNames([...known, ...WRITABLE, ...OWNER]);
  const target = readTarget(fields, cwd);
  const sharing = fields.find("sharing") ?? "shared";
  if (sharing !== "shared" && sharing !== "private" && sharing !== "locked") {
    fields.fail(`sharing is shared, private or locked, not ${sharing}`);
  }
  return {
    type: "cache",
    target,
    id: fields.find("id") ?? target,
    sharing,
    isReadOnly: fields.is(...READ_ONLY),
    from: fields.find("from"),
    source: fields.find(...SOURCE) ?? "/",
    mode: fields.readMode(0o755),
  };
}

function parseSecret(fields: Fields, cwd: string): Mount {
  const known = ["type", "id", "env", "required", "mode", ...TARGET, ...SOURCE, ...OWNER];
  fields.checkNames(known);
  const given = fields.find(...TARGET);
  const id = fields.find("id", ...SOURCE) ?? given?.split("/").at(-1);
  if (id === undefined || id === "") return fields.fail("id is missing");
  const variable = fields.find("env");
  const isFile = variable === undefined || given !== undefined;
  return {
    type: "secret",
    id,
    target: isFile ? absolute(given ?? `/run/secrets/${id}`, cwd) : undefined,
    variable,
    isRequired: fields.is("required"),
    mode: fields.readMode(0o400),
  };
}

function readTarget(fields: Fields, cwd: string): string {
  const target = fields.find(...TARGET) ?? fields.fail("target is missing");
  return absolute(target, cwd);
}

function absolute(path: string, cwd: string): string {
  return path.startsWith("/") ? path : `${cwd.replace(/\/$/, "")}/${path}`;
}

/** As tmpfs wants it: Docker's units are binary as well. */
function readSize(fields: Fields): string | undefined {
  const size = fields.find("size");
  if (size === undefined) return undefined;
  const found = /^(\d+)([kmg])?b?$/i.exec(size);
  return found === null ? fields.fail(`not a size: ${size}`) : `${found[1]}${found[2] ?? ""}`;
}
